//! Faults of a connection, and what to do about it.

use crate::reason::codes;

codes! {
    /// The status of a connection (CC-02 to CC-04). Where several things are wrong, the first of these that
    /// fits counts, and nothing that is wrong is ever active (AMB-22).
    ConnectionStatus {
        /// Xero does not let us in, or has switched its webhook off.
        Disconnected = "Disconnected",
        /// It works, with failures; or nothing has succeeded for a day.
        Error = "Error",
        /// Everything works.
        Active = "Active",
    }
    /// Something that is wrong with a connection.
    HealthIssue {
        /// Xero refuses the token, the credentials or the permission.
        Refused = "REFUSED",
        /// The user who let us in may not do in Xero what a feature that is switched on needs.
        MissingPermission = "MISSING_PERMISSION",
        /// A permission that a feature needs which is switched on was not granted (XC-12).
        MissingScope = "MISSING_SCOPE",
        /// No webhook has come for what changed in Xero, for so long that Xero has switched it off.
        WebhookOff = "WEBHOOK_OFF",
        /// No webhook has come for what changed in Xero.
        WebhookSilent = "WEBHOOK_SILENT",
        /// Xero does not answer, or not sensibly.
        Unreachable = "UNREACHABLE",
        /// The day's calls are used up. Work waits, and goes on by itself.
        DayLimit = "DAY_LIMIT",
        /// The last run of some work failed (AMB-36).
        RunFailed = "RUN_FAILED",
        /// Nothing has succeeded for a day.
        Stale = "STALE",
        /// The hourly check has not looked for hours how the connection is.
        NotChecked = "NOT_CHECKED",
        /// The last certificate is not complete, or could not be made.
        NotCertified = "NOT_CERTIFIED",
        /// The nightly upload is switched off.
        UploadsOff = "UPLOADS_OFF",
        /// A mass change waits for a person.
        MassChange = "MASS_CHANGE",
        /// Uploads are refused by Xero, are not known to be there or not, or stand still (AMB-36).
        ItemsFailing = "ITEMS_FAILING",
        /// Something that came from Xero could not be processed and is parked.
        Parked = "PARKED",
    }
}

/// How Xero lets us in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AccessMode {
    /// By a custom connection, with the app's own credentials.
    #[default]
    CustomConnection,
    /// By what users of Xero have granted.
    Grants,
}

impl HealthIssue {
    /// What to do about it where Xero lets us in like this: where users let us in, there is no secret to renew (XC-08).
    pub const fn remedy_in(self, mode: AccessMode) -> &'static str {
        match (self, mode) {
            (Self::Refused, AccessMode::Grants) => {
                "connect again: on the page Integrations, an administrator presses Connect to Xero, and a user of the \
                 organisation in Xero agrees"
            }
            (Self::MissingScope, AccessMode::Grants) => {
                "on the page Integrations, an administrator presses Connect to Xero, and the user agrees to the \
                 permission; or switch the feature off"
            }
            _ => self.remedy(),
        }
    }

    /// What it makes of the connection.
    pub const fn status(self) -> ConnectionStatus {
        match self {
            Self::Refused | Self::WebhookOff => ConnectionStatus::Disconnected,
            _ => ConnectionStatus::Error,
        }
    }

    /// The class under which it is shown (A7.3).
    pub const fn class(self) -> &'static str {
        match self {
            Self::Refused | Self::MissingPermission | Self::MissingScope => "Authentication",
            Self::DayLimit => "Limit",
            Self::WebhookOff
            | Self::WebhookSilent
            | Self::Unreachable
            | Self::RunFailed
            | Self::Stale
            | Self::NotChecked => "Timeout",
            Self::NotCertified
            | Self::UploadsOff
            | Self::MassChange
            | Self::ItemsFailing
            | Self::Parked => "Validation",
        }
    }

    /// The trouble, in words for people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Refused => "Xero does not let us in",
            Self::MissingPermission => "Xero does not allow us what the settings need",
            Self::MissingScope => "a permission that the settings need was not granted",
            Self::WebhookOff => "no webhook has come for a day: Xero has switched it off",
            Self::WebhookSilent => "changes come without webhooks",
            Self::Unreachable => "Xero does not answer",
            Self::DayLimit => "the day's calls are used up",
            Self::RunFailed => "the last run failed",
            Self::Stale => "no sync has succeeded for a day",
            Self::NotChecked => "the connection has not been looked at for hours",
            Self::NotCertified => "not every change of a payment is accounted for",
            Self::UploadsOff => "the nightly upload has switched itself off",
            Self::MassChange => "a mass change waits for a person",
            Self::ItemsFailing => "payments on their way to Xero fail",
            Self::Parked => "something could not be processed and is parked",
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::Refused => {
                "in Xero, see under Settings, Connected apps whether the app is still connected and who \
                 authorised it; then put valid credentials into the secret of the stack. They are read again \
                 within a minute"
            }
            Self::MissingPermission => {
                "in Xero, under Settings, Users, give the user who authorised the app the right; or switch the \
                 feature off"
            }
            Self::MissingScope => {
                "at developer.xero.com, My Apps, open the app and give its custom connection the permission, and let \
                 the user authorise it again; or switch the feature off"
            }
            Self::WebhookOff | Self::WebhookSilent => {
                "at developer.xero.com, My Apps, open the app, then Webhooks: see that the delivery URL is the \
                 stack's, and press Send 'Intent to receive'. Until then the sweep brings every change within \
                 half an hour"
            }
            Self::Unreachable => {
                "nothing, if Xero's status page says so; it is tried again by itself. Else see whether the \
                 function reaches the internet"
            }
            Self::DayLimit => {
                "nothing: what waits goes on by itself. If it happens often, see whether another program uses \
                 the same app at Xero, or take a larger tier"
            }
            Self::RunFailed => {
                "see the newest errors below, each with its class and its remedy; the next good run ends this"
            }
            Self::Stale => "see the newest errors in the sync log; then press Sync now",
            Self::NotChecked => {
                "see whether the function sweep still runs: its alarm needs-a-look, and its log"
            }
            Self::NotCertified => {
                "see missing_payments in the table certificates; the invoices are read again by themselves"
            }
            Self::UploadsOff => "find out why, and switch uploading on with a reason",
            Self::MassChange => {
                "look at the payments concerned in Xero, and approve the change if it is meant"
            }
            Self::ItemsFailing => {
                "see the page Tonight: each refused or unconfirmed payment has its reason; correct it at its source \
                 and release it"
            }
            Self::Parked => {
                "see the page Rejected messages: each has its reason, and can be sent again"
            }
        }
    }
}
