//! What the function is asked to do. Every way of asking is one shape, and a field that is not known is
//! an error: a wish that is silently ignored is worse than one that is refused.

use commands::text::{redact, validate};
use jiff::Timestamp;
use payments::{GrantId, InvoiceNumber, OrganisationId, PaymentId, Settings, XeroInvoiceId};
use queue::QueueName;
use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::acceptance::{Accept, WireAccept};
use crate::discrepancy_order::WireWork;
use crate::sign_up_wish::WireSignUp;
use crate::wanted::{Said, Target};
use crate::wishes::{WireAuthorise, WireConnect, WireDiscard, WireRedrive};

/// The work that an event asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The sweep of that moment, for one organisation or for all.
    Scheduled { scheduled_at: Timestamp, organisation: Option<OrganisationId>, target: Target },
    /// How the connections are: of one organisation or of all.
    Check { organisation: Option<OrganisationId> },
    /// What operators read in the morning: of one organisation or of all.
    Digest { scheduled_at: Timestamp, organisation: Option<OrganisationId> },
    /// An organisation is to be mirrored from now on.
    SignUp { settings: Box<Settings>, said: Said },
    /// A person lets a mass change through that was stopped.
    ApproveMassChange { organisation: OrganisationId, said: Said },
    /// A person has parked work done again, or looks at what that would be; of an organisation, or of no known
    /// one.
    Replay { organisation: Option<OrganisationId>, which: Which, preview: bool, said: Said },
    /// A person sends a queue's dead letters to it again, or looks at them.
    Redrive { queue: QueueName, preview: bool, said: Said },
    /// A person takes one dead letter out.
    Discard { queue: QueueName, message: String, said: Said },
    /// A person wants the address at which a user of Xero lets us in.
    Authorise { redirect: Url, grant: Option<GrantId>, read_only: bool, said: Said },
    /// A user has let us in, and has come back with a code.
    Connect { code: SecretString, state: SecretString, said: Said },
    /// A person says that something which does not agree may stay as it is (AMB-31).
    Accept { organisation: OrganisationId, accept: Accept, said: Said },
    /// A person works on discrepancies (SP-36).
    Work { order: Box<discrepancies::DiscrepancyOrder>, said: Said },
    /// A person wants a payment back that was deleted.
    Restore { organisation: OrganisationId, invoice: InvoiceNumber, payment: PaymentId, said: Said },
    /// A person wants to be up to date now (ST-18, CC-12).
    SyncNow { organisation: OrganisationId, target: Target, said: Said },
}

/// Which parked work: all of it, if nothing is said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// This one, by its key.
    pub(crate) parked_at: Option<String>,
    /// Work that is parked for this reason.
    pub(crate) reason: Option<String>,
    /// Work about this invoice, by Xero's id.
    pub(crate) invoice: Option<XeroInvoiceId>,
    /// Work that arrived from then on.
    pub(crate) from: Option<Timestamp>,
    /// Work that arrived until then.
    pub(crate) to: Option<Timestamp>,
}

/// An event that asks for nothing we know. The message quotes no values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the event asks for nothing that sweep does: {0}")]
pub struct EventError(pub(crate) String);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    scheduled_time: Option<Timestamp>,
    #[serde(default)]
    full: bool,
    #[serde(default)]
    certify: bool,
    #[serde(default)]
    check: bool,
    #[serde(default)]
    digest: bool,
    organisation: Option<OrganisationId>,
    sync_now: Option<WireSyncNow>,
    approve_mass_change: Option<WireApproval>,
    restore: Option<WireRestore>,
    accept: Option<WireAccept>,
    work: Option<WireWork>,
    replay: Option<WireReplay>,
    sign_up: Option<WireSignUp>,
    redrive: Option<WireRedrive>,
    discard: Option<WireDiscard>,
    authorise: Option<WireAuthorise>,
    connect: Option<WireConnect>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireReplay {
    organisation: Option<OrganisationId>,
    #[serde(default)]
    which: Which,
    #[serde(default)]
    preview: bool,
    by: String,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireApproval {
    organisation: OrganisationId,
    by: String,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRestore {
    organisation: OrganisationId,
    invoice: String,
    payment: String,
    by: String,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSyncNow {
    organisation: OrganisationId,
    by: String,
    why: String,
    invoice: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Asked {
    /// Reads an event.
    ///
    /// # Errors
    /// The event asks for nothing that sweep does; `EventError` says what is wrong with it.
    pub(crate) fn read(event: &serde_json::Value) -> Result<Self, EventError> {
        let wire: Wire =
            serde_json::from_str(&event.to_string()).map_err(|error| EventError(redact(&error)))?;
        let Wire { scheduled_time, full, certify, check, digest, organisation, .. } = wire;
        let kinds = [full, certify, check, digest].into_iter().filter(|kind| *kind).count();
        let of_schedule = scheduled_time.is_some() || kinds > 0 || organisation.is_some();
        let wishes = [
            of_schedule,
            wire.sync_now.is_some(),
            wire.approve_mass_change.is_some(),
            wire.restore.is_some(),
            wire.accept.is_some(),
            wire.work.is_some(),
            wire.replay.is_some(),
            wire.sign_up.is_some(),
            wire.redrive.is_some(),
            wire.discard.is_some(),
            wire.authorise.is_some(),
            wire.connect.is_some(),
        ];
        if wishes.into_iter().filter(|wish| *wish).count() > 1 || kinds > 1 {
            return Err(says("it asks for several things at once"));
        }
        if let Some(wish) = wire.sync_now {
            return wish.asked();
        }
        if let Some(WireApproval { organisation, by, why }) = wire.approve_mass_change {
            return Ok(Self::ApproveMassChange { organisation, said: said(&by, &why)? });
        }
        if let Some(wish) = wire.sign_up {
            return wish.asked();
        }
        if let Some(WireReplay { organisation, which, preview, by, why }) = wire.replay {
            return Ok(Self::Replay { organisation, which, preview, said: said(&by, &why)? });
        }
        if let Some(wish) = wire.restore {
            return wish.asked();
        }
        if let Some(wish) = wire.accept {
            return wish.asked();
        }
        if let Some(wish) = wire.work {
            return wish.asked();
        }
        if let Some(wish) = wire.redrive {
            return wish.asked();
        }
        if let Some(wish) = wire.discard {
            return wish.asked();
        }
        if let Some(wish) = wire.authorise {
            return wish.asked();
        }
        if let Some(wish) = wire.connect {
            return wish.asked();
        }
        // A check is about this moment, whenever it was due.
        if check {
            return Ok(Self::Check { organisation });
        }
        let Some(scheduled_at) = scheduled_time else {
            return Err(says(
                "give it a `scheduled_time` such as \"2026-11-25T11:00:00Z\", `sync_now`, \
                 `approve_mass_change`, `accept`, `work`, `restore`, `replay`, `redrive`, `discard`, `sign_up`, \
                 `authorise` or `connect`",
            ));
        };
        if digest {
            return Ok(Self::Digest { scheduled_at, organisation });
        }
        let target = match (full, certify) {
            (true, _) => Target::Open,
            (_, true) => Target::Certificate,
            (false, false) => Target::Changes,
        };
        Ok(Self::Scheduled { scheduled_at, organisation, target })
    }
}

impl WireRestore {
    fn asked(self) -> Result<Asked, EventError> {
        let wrong =
            |name: &str| says(&format!("`{name}` is no number or id as the tables have it"));
        Ok(Asked::Restore {
            organisation: self.organisation,
            invoice: self.invoice.trim().parse().map_err(|_| wrong("invoice"))?,
            payment: self.payment.trim().parse().map_err(|_| wrong("payment"))?,
            said: said(&self.by, &self.why)?,
        })
    }
}

impl WireSyncNow {
    fn asked(self) -> Result<Asked, EventError> {
        let target = match (self.invoice, self.from, self.to) {
            (None, None, None) => Target::Changes,
            (Some(invoice), None, None) => {
                Target::Invoice(validate("invoice", &invoice).map_err(EventError)?)
            }
            (None, Some(from), Some(to)) if from <= to => Target::Window { from, to },
            (None, Some(_), Some(_)) => return Err(says("`from` must not be later than `to`")),
            (None, _, _) => return Err(says("`from` and `to` go together")),
            (Some(_), _, _) => return Err(says("it asks for several things at once")),
        };
        let said = said(&self.by, &self.why)?;
        Ok(Asked::SyncNow { organisation: self.organisation, target, said })
    }
}

pub(crate) fn said(by: &str, why: &str) -> Result<Said, EventError> {
    Ok(Said {
        by: validate("by", by).map_err(EventError)?,
        why: validate("why", why).map_err(EventError)?,
    })
}

pub(crate) fn says(what: &str) -> EventError {
    EventError(what.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    #[test]
    fn a_schedule_carries_its_own_time() {
        for (more, wanted) in [
            (None, Target::Changes),
            (Some("full"), Target::Open),
            (Some("certify"), Target::Certificate),
        ] {
            let mut event = json!({"scheduled_time": "2026-11-25T11:00:00Z"});
            if let Some(more) = more {
                event[more] = json!(true);
            }
            let asked = Asked::read(&event).unwrap();
            assert!(matches!(asked, Asked::Scheduled { scheduled_at, organisation: None, target }
                if scheduled_at.to_string() == "2026-11-25T11:00:00Z" && target == wanted));
        }
    }

    #[test]
    fn a_person_asks_for_everything_for_an_invoice_or_for_a_window() {
        let read = |more: serde_json::Value| {
            let mut wish = json!({"organisation": ORGANISATION, "by": "Wilma", "why": "missing"});
            wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            match Asked::read(&json!({"sync_now": wish})) {
                Ok(Asked::SyncNow { target, .. }) => Ok(target),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error.to_string()),
            }
        };
        assert_eq!(read(json!({})), Ok(Target::Changes));
        let invoice = read(json!({"invoice": " CM-10234 "}));
        assert_eq!(invoice, Ok(Target::Invoice("CM-10234".to_owned())));
        let window = json!({"from": "2026-10-01T00:00:00Z", "to": "2026-10-02T00:00:00Z"});
        assert!(matches!(read(window), Ok(Target::Window { .. })));
        for (more, words) in [
            (json!({"from": "2026-10-01T00:00:00Z"}), "go together"),
            (json!({"from": "2026-10-02T00:00:00Z", "to": "2026-10-01T00:00:00Z"}), "later"),
            (json!({"invoice": "CM-1", "from": "2026-10-02T00:00:00Z"}), "several things"),
            (json!({"invoice": ""}), "`invoice`"),
        ] {
            let refusal = read(more).unwrap_err();
            assert!(refusal.contains(words), "{refusal}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_and_its_value_not_quoted() {
        for (event, words) in [
            (json!({}), "scheduled_time"),
            (json!({"full": true}), "scheduled_time"),
            (json!({"check": true, "certify": true}), "several things"),
            (
                json!({"scheduled_time": "2026-11-25T11:00:00Z", "full": true, "certify": true}),
                "several things",
            ),
            (json!({"scheduled_time": "canary"}), "cannot be read"),
            (json!({"sync": "canary"}), "`sync` is not a field"),
            (
                json!({"sync_now": {"organisation": ORGANISATION, "by": "canary"}}),
                "`why` is missing",
            ),
            (
                json!({"scheduled_time": "2026-11-25T11:00:00Z",
                    "sync_now": {"organisation": ORGANISATION, "by": "canary", "why": "w"}}),
                "several things",
            ),
            (json!(["canary"]), "cannot be read"),
        ] {
            let refusal = Asked::read(&event).unwrap_err().to_string();
            assert!(refusal.contains(words), "{refusal}");
            assert!(!refusal.contains("canary"), "{refusal}");
        }
    }

    #[test]
    fn every_payload_of_the_runbook_is_understood() {
        for payload in harness::runbook::payloads("sweep") {
            if let Err(error) = Asked::read(&payload) {
                panic!("{payload}: {error}");
            }
        }
    }
}
