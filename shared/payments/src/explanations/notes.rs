//! Remarks on an invoice as a whole, to be known before its payments are looked at.

use crate::mass_change::Brake;
use crate::settings::Settings;
use crate::stored::StoredInvoice;

/// Something about an invoice as a whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Remark {
    /// The rule that says so.
    pub rule: &'static str,
    /// What it is, as a sentence.
    pub says: &'static str,
    /// What would change it, as a sentence.
    pub remedy: &'static str,
}

const MIRROR_OFF: Remark = Remark {
    rule: "CM-01",
    says: "The mirror is switched off for this organisation: nothing here follows Xero.",
    remedy: "`mirror_enabled` of the organisation is set to true.",
};
const IN_SHADOW: Remark = Remark {
    rule: "CM-30",
    says: "The organisation is in shadow: what would be done is decided and reported, and nothing is done.",
    remedy: "An administrator presses Switch on on the page Shadow, once nothing differs.",
};
const UNKNOWN_HERE: Remark = Remark {
    rule: "A1.1",
    says: "The invoice is in Xero and not in the business's own system; none of its payments are copied.",
    remedy: "The business's own system reports the invoice; its payments are then copied.",
};
const NOT_READ: Remark = Remark {
    rule: "ST-01",
    says: "The invoice was not found in Xero yet.",
    remedy: "It is approved in Xero under this number, and the next webhook or sweep reads it.",
};
const MOVED_AWAY: Remark = Remark {
    rule: "CM-05",
    says: "The invoice that bore this number in Xero bears another one now.",
    remedy: "Its number is changed back in Xero; what it holds is shown under the number that it bears now.",
};
const NO_LONGER_STANDS: Remark = Remark {
    rule: "A1.1",
    says: "The invoice is voided or deleted in Xero.",
    remedy: "Nothing, unless another invoice takes its number.",
};
const WAITS_FOR_APPROVAL: Remark = Remark {
    rule: "CM-37",
    says: "Changes of this invoice wait: so many payments would have been removed or altered within an hour \
           that a person has to look first.",
    remedy: "An operator approves the mass change; the invoice is then read again.",
};
const TO_BE_COMPARED: Remark = Remark {
    rule: "CM-31",
    says: "Something has changed here since Xero was last compared, or the last read did not add up.",
    remedy: "The next read of the invoice compares the two: at the latest by the sweep, at once by Sync Now.",
};

/// Everything there is to remark.
pub(super) fn of(
    stored: &StoredInvoice,
    brake: Option<&Brake>,
    settings: &Settings,
) -> Vec<Remark> {
    let waits = brake.is_some_and(|brake| brake.waiting.contains_key(&stored.number));
    let dead = stored.xero.as_ref().is_some_and(|xero| xero.status.is_dead());
    let both = stored.local.is_some() && stored.xero.is_some();
    let remarks = [
        (!settings.mirror_enabled && settings.shadow.is_none(), MIRROR_OFF),
        (settings.shadow.is_some(), IN_SHADOW),
        (waits, WAITS_FOR_APPROVAL),
        (stored.local.is_none() && stored.xero.is_some() && !dead, UNKNOWN_HERE),
        (stored.xero.is_none() && stored.moved_away.is_none(), NOT_READ),
        (stored.xero.is_none() && stored.moved_away.is_some(), MOVED_AWAY),
        (dead, NO_LONGER_STANDS),
        (both && stored.settled.is_none() && !waits, TO_BE_COMPARED),
    ];
    remarks.into_iter().filter(|(holds, _)| *holds).map(|(_, remark)| remark).collect()
}
