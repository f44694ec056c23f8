//! Every setting of an organisation that a person edits: its meaning, default, check and effect, in words (CC-29).
//! The settings themselves, and what makes sense in each, are where they are read.

/// How a setting is typed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SettingKind {
    /// On or off.
    Switch,
    /// A whole number.
    Number,
    /// A text, such as a day, a time or an id.
    Text,
    /// Days, with commas between them.
    Days,
    /// `NAME: VALUE`, with commas between them.
    Pairs,
}

/// The list of Xero's from which a setting is picked (XC-13, XC-14).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PickList {
    /// Accounts that payments can be received on, by their ids.
    Receiving,
    /// Accounts that can be booked on, by their codes.
    Booking,
    /// Tax types.
    TaxTypes,
    /// Contacts, by their ids.
    Contacts,
}

/// A setting, described.
#[derive(Clone, Copy, Debug)]
pub struct SettingSpec {
    /// The attribute of the organisation's row.
    pub name: &'static str,
    /// Its name for people.
    pub label: &'static str,
    /// The heading under which it stands.
    pub group: &'static str,
    /// How it is typed.
    pub kind: SettingKind,
    /// From which list it is picked, if from one.
    pub pick: Option<PickList>,
    /// Its meaning.
    pub meaning: &'static str,
    /// What holds if it is empty.
    pub default: &'static str,
    /// What is taken.
    pub check: &'static str,
    /// What a change does.
    pub effect: &'static str,
}

const fn setting(
    group: &'static str,
    name: &'static str,
    label: &'static str,
    kind: SettingKind,
    [meaning, default, check, effect]: [&'static str; 4],
) -> SettingSpec {
    SettingSpec { name, label, group, kind, pick: None, meaning, default, check, effect }
}

const fn picked(list: PickList, spec: SettingSpec) -> SettingSpec {
    SettingSpec { pick: Some(list), ..spec }
}

const MIRROR: &str = "From Xero to here";
const TIMES: &str = "Times and days";
const UPLOAD: &str = "From here to Xero";
const BOOKING: &str = "Accounts in Xero";
const NOW: &str = "From the next run on.";
const JUDGED_AGAIN: &str =
    "The next sync judges again what it concerns; until then the page says so.";

use SettingKind::{Days, Number, Pairs, Switch, Text};

/// Every setting, those of a group together.
pub const SETTINGS: &[SettingSpec] = &[
    setting(
        MIRROR,
        "mirror_enabled",
        "Copy payments from Xero",
        Switch,
        [
            "Whether payments in Xero are copied here.",
            "off",
            "On or off. Switched on, everything that it needs is tried first.",
            "On: the next sync reads all that is open. Off: nothing is copied; what is here stays.",
        ],
    ),
    setting(
        MIRROR,
        "prefix",
        "Prefix of invoice numbers",
        Text,
        [
            "What stands in front of our invoices' numbers in Xero.",
            "CM-",
            "1 to 20 characters, without blanks at its ends.",
            JUDGED_AGAIN,
        ],
    ),
    setting(
        MIRROR,
        "forward_days",
        "Days ahead",
        Number,
        [
            "How many days ahead a payment in Xero may be dated to be copied.",
            "all are copied",
            "0 to 3,660.",
            JUDGED_AGAIN,
        ],
    ),
    setting(
        MIRROR,
        "cutover_on",
        "Cut-over day",
        Text,
        [
            "From this day on, a payment that is typed by hand is kept and reported.",
            "none",
            "A day such as 2026-12-01.",
            JUDGED_AGAIN,
        ],
    ),
    setting(
        MIRROR,
        "mass_change_max",
        "Mass change",
        Number,
        [
            "How many payments Xero may remove or alter here within an hour before a person is asked.",
            "100",
            "0 switches the brake off.",
            NOW,
        ],
    ),
    setting(
        MIRROR,
        "calls_per_day",
        "Calls to Xero in a day",
        Number,
        [
            "How often Xero may be called in 24 hours.",
            "5,000",
            "1 to 5,000.",
            "From the next call on.",
        ],
    ),
    setting(
        TIMES,
        "time_zone",
        "Time zone",
        Text,
        [
            "By its clock a day begins and ends.",
            "none: it has to be set",
            "An IANA name such as Australia/Sydney.",
            JUDGED_AGAIN,
        ],
    ),
    setting(
        TIMES,
        "full_sweep_at",
        "All open invoices are compared at",
        Text,
        [
            "When everything open is compared with Xero.",
            "the time of the stack",
            "A time from 04:00 to 23:59.",
            "From the next day on.",
        ],
    ),
    setting(
        TIMES,
        "certificate_at",
        "It is certified at",
        Text,
        [
            "When it is certified that every change is accounted for.",
            "the time of the stack",
            "A time from 04:00 to 23:59.",
            "From the next day on.",
        ],
    ),
    setting(
        TIMES,
        "digest_at",
        "The digest is sent at",
        Text,
        [
            "When the morning's digest is made.",
            "the time of the stack",
            "A time from 04:00 to 23:59.",
            "From the next day on.",
        ],
    ),
    setting(
        TIMES,
        "close_at",
        "A business day ends at",
        Text,
        [
            "When a business day ends. A quarter of an hour later its payments are compared with orders, invoices and Xero.",
            "18:00",
            "A time from 04:00 to 23:59.",
            "From the next close on. Days that are closed stay as they were.",
        ],
    ),
    setting(
        TIMES,
        "holidays",
        "Holidays",
        Days,
        [
            "Weekdays without business: the next business day covers them.",
            "none",
            "Days such as 2026-12-25, with commas between them; at most 366.",
            "From the next close on.",
        ],
    ),
    setting(
        UPLOAD,
        "upload_enabled",
        "Upload payments to Xero",
        Switch,
        [
            "Whether payments of the business go to Xero.",
            "off",
            "On or off. Switched on, everything that it needs is tried first.",
            "On: the next night posts payments to Xero. Off: nothing more is posted; what waits goes on waiting.",
        ],
    ),
    setting(
        UPLOAD,
        "upload_start",
        "Start date",
        Text,
        [
            "Payments after this day or moment go up.",
            "none: it has to be set to upload",
            "A day such as 2026-12-01, or a moment such as 2026-12-01T02:00:00Z.",
            "Payments that the earlier date kept back are judged again within the hour.",
        ],
    ),
    setting(
        UPLOAD,
        "upload_when",
        "Money has to be",
        Text,
        [
            "How far the money must have come before a payment goes up.",
            "approved",
            "approved, confirmed or settled.",
            NOW,
        ],
    ),
    setting(
        UPLOAD,
        "upload_due_at",
        "The night's upload is due at",
        Text,
        [
            "When the night's payments go.",
            "22:00",
            "A time from 04:00 to 23:59.",
            "From the next night on.",
        ],
    ),
    setting(
        UPLOAD,
        "upload_nightly_max",
        "Payments in a night",
        Number,
        [
            "How many payments go in a night at most. Up to 129 a night, the 30-day limit is never reached.",
            "200",
            "1 to 200.",
            "From the next night on.",
        ],
    ),
    setting(
        UPLOAD,
        "upload_bundle_max",
        "Payments in a call",
        Number,
        ["How many payments one call to Xero carries at most.", "50", "1 to 50.", NOW],
    ),
    setting(
        UPLOAD,
        "same_money_days",
        "Days between two entries",
        Number,
        [
            "How many days apart two dates may lie for one payment that two hands have entered: such a payment is held.",
            "3",
            "0 to 31.",
            NOW,
        ],
    ),
    picked(
        PickList::Receiving,
        setting(
            BOOKING,
            "upload_account_id",
            "Account for received payments",
            Text,
            [
                "The account in Xero on which payments are received.",
                "none: it has to be set to upload",
                "An active account in Xero that takes payments.",
                "From the next payment on.",
            ],
        ),
    ),
    setting(
        BOOKING,
        "currency_accounts",
        "Accounts of other currencies",
        Pairs,
        [
            "The account for payments of each other currency; what is in any other is held.",
            "none",
            "Such as USD: 00000000-0000-0000-0000-000000000007; the ids are in the list of accounts.",
            "From the next payment on.",
        ],
    ),
    picked(
        PickList::Booking,
        setting(
            BOOKING,
            "prepayment_account_code",
            "Account for prepayments",
            Text,
            [
                "Where money is booked that a customer has paid too much.",
                "none: such money is held",
                "An active account in Xero.",
                "From the next payment on.",
            ],
        ),
    ),
    picked(
        PickList::TaxTypes,
        setting(
            BOOKING,
            "prepayment_tax_type",
            "Tax of prepayments",
            Text,
            [
                "The tax type of a prepayment's line.",
                "Xero's own for the account",
                "A tax type of Xero's, such as BASEXCLUDED.",
                "From the next payment on.",
            ],
        ),
    ),
    picked(
        PickList::Contacts,
        setting(
            BOOKING,
            "merchant_contact_id",
            "Contact of the payment provider",
            Text,
            [
                "The contact in Xero from whom the provider's invoices come.",
                "none: such invoices are held",
                "The id of a contact in Xero.",
                "From the next invoice on.",
            ],
        ),
    ),
    setting(
        BOOKING,
        "bill_status",
        "Status of bills",
        Text,
        [
            "The status in which the provider's invoices become bills in Xero.",
            "AUTHORISED",
            "AUTHORISED, SUBMITTED or DRAFT.",
            "From the next invoice on.",
        ],
    ),
    setting(
        BOOKING,
        "fee_accounts",
        "Accounts of fees",
        Pairs,
        [
            "Where each kind of the provider's fees is booked; an invoice with any other is held.",
            "none",
            "Such as processing: 404, or with a tax type processing: 404/INPUT.",
            "From the next invoice on.",
        ],
    ),
];

impl SettingSpec {
    /// The setting of this name.
    pub fn of(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|spec| spec.name == name)
    }
}
