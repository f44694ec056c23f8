//! Every command: its fields, and in one table what pages and the command line have to know of
//! it.

use serde::{Deserialize, Serialize};

use crate::field::Field;
use crate::payload::{
    Accept, AdjustRecord, AssignDiscrepancies, Authorise, CloseDays, CloseDiscrepancies, Configure,
    Connect, ContainLeak, DaysOf, MessageOfQueue, NoteDiscrepancies, OnCustomer, OnDiscrepancies,
    OnOrganisation, OnPayment, OnQueue, PeriodOf, PickContact, PreviewPlan, Replay, Republish,
    Restore, SetAccount, SignUp, SyncNow,
};
use crate::reply::{
    AcceptanceReply, AccountListReply, AccountReply, ApprovalReply, AuthorisationReply, CloseReply,
    ConfigurationReply, ContainmentReply, CustomerReply, DeadLettersReply, DiscardReply,
    DisconnectionReply, DiscrepanciesReply, GrantReply, LogVerificationReply, NamesReply,
    PaymentReply, PlanReply, ReplayReply, ReportReply, RepublicationReply, RestorationReply,
    ShadowReply, SyncReply, UploadsReply,
};
use crate::role::Role;

/// The description of a command, apart from its execution.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its code in JSON, in logs and in the activity log.
    pub code: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// The text of its button; `None` if no page has one.
    pub label: Option<&'static str>,
    /// The least role that may order it from a page (ST-22).
    pub role: Role,
    /// The question before it is executed, if that cannot be undone.
    pub confirmation: Option<&'static str>,
    /// Whether it only looks: such a command needs no attribution, and leaves no row.
    pub is_read_only: bool,
    /// Its fields.
    pub fields: &'static [Field],
}

const OPERATORS: Spec = Spec {
    code: "",
    about: "",
    label: None,
    role: Role::Operator,
    confirmation: None,
    is_read_only: false,
    fields: &[],
};
const ADMINISTRATORS: Spec = Spec { role: Role::Admin, ..OPERATORS };

macro_rules! commands {
    ($($(#[doc = $about:literal])+ $kind:ident($payload:ty) -> $reply:ty = $code:literal in $base:ident { $($spec:tt)* })*) => {
        /// A command, as JSON: its code, and its fields.
        #[derive(Clone, Debug, Deserialize, Serialize)]
        pub enum Command {
            $($(#[doc = $about])+ #[serde(rename = $code)] $kind($payload),)*
        }

        /// The reply to a command. As JSON it is the reply alone: who gives a command knows of which kind it is.
        #[derive(Clone, Debug, Serialize)]
        #[serde(untagged)]
        pub enum Reply {
            $($(#[doc = $about])+ $kind($reply),)*
        }

        impl Reply {
            /// Reads the reply to a command of this kind.
            ///
            /// # Errors
            /// The first thing that is wrong with it.
            pub fn read(kind: Kind, reply: &serde_json::Value) -> Result<Self, serde_json::Error> {
                match kind { $(Kind::$kind => <$reply>::deserialize(reply).map(Self::$kind),)* }
            }

            /// Whether the activity log has a row with who ordered it, and why.
            pub const fn is_recorded(&self) -> bool {
                match self { $(Self::$kind(reply) => reply.recorded,)* }
            }
        }

        /// Which command.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum Kind {
            $($(#[doc = $about])+ $kind,)*
        }

        impl Command {
            /// Which command it is.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }
        }

        impl Kind {
            /// Every command.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// The row of the table about it.
            pub const fn spec(self) -> Spec {
                match self {
                    $(Self::$kind => const { Spec { code: $code, about: concat!($($about),+), $($spec)* ..$base } },)*
                }
            }
        }
    };
}

commands! {
    /// Everything that changed since the last time is read at once; or one invoice, or what changed from a moment to another (ST-18, CC-12).
    SyncNow(SyncNow) -> SyncReply = "sync_now" in OPERATORS {
        label: Some("Sync now"),
        fields: &[ORGANISATION, INVOICE_IN_XERO, FROM.optional(), TO.optional()],
    }
    /// A mass change that was stopped goes through.
    ApproveMassChange(OnOrganisation) -> ApprovalReply = "approve_mass_change" in OPERATORS {
        label: Some("Approve the mass change"),
        confirmation: Some("For a day, every removal and change of payments goes through. Removed payments are kept \
            among the tombstones. Go on?"),
        fields: &[ORGANISATION],
    }
    /// The nightly upload is enabled again (EX-32).
    EnableUploads(OnOrganisation) -> UploadsReply = "enable_uploads" in OPERATORS {
        label: Some("Switch uploading on"),
        confirmation: Some("The next night posts payments to Xero again. Posting cannot be undone. Go on?"),
        fields: &[ORGANISATION],
    }
    /// One payment waits for a person.
    Hold(OnPayment) -> PaymentReply = "hold" in OPERATORS { label: Some("Hold"), fields: &[ORGANISATION, PAYMENT], }
    /// One payment goes on.
    Release(OnPayment) -> PaymentReply = "release" in OPERATORS {
        label: Some("Release"),
        confirmation: Some("The next run may post this payment to Xero. Go on?"),
        fields: &[ORGANISATION, PAYMENT],
    }
    /// One payment does not go to Xero.
    DoNotSend(OnPayment) -> PaymentReply = "do_not_send" in OPERATORS { label: Some("Exclude"), fields: &[ORGANISATION, PAYMENT], }
    /// One payment is the same as the one that it is held for (A8.3).
    SamePayment(OnPayment) -> PaymentReply = "same_payment" in OPERATORS {
        label: Some("The same payment"),
        confirmation: Some("The payment does not go to Xero, since its money is there already. Go on?"),
        fields: &[ORGANISATION, PAYMENT],
    }
    /// One payment is another one than the one that it is held for (A8.3).
    TwoPayments(OnPayment) -> PaymentReply = "two_payments" in OPERATORS {
        label: Some("Two payments"),
        confirmation: Some("The next run may post this payment to Xero in addition to the one that is there. Go on?"),
        fields: &[ORGANISATION, PAYMENT],
    }
    /// Something about a customer is to be solved first: until then everything about it waits (EX-28).
    OpenAction(OnCustomer) -> CustomerReply = "open_action" in OPERATORS {
        label: Some("Open an action"),
        fields: &[ORGANISATION, CUSTOMER],
    }
    /// The action about a customer is solved: what waited goes on.
    Solve(OnCustomer) -> CustomerReply = "solve" in OPERATORS {
        label: Some("Mark as solved"),
        confirmation: Some("What waits for this customer goes on, and the next run may post it to Xero. Go on?"),
        fields: &[ORGANISATION, CUSTOMER],
    }
    /// The contact in Xero that is the customer's is picked by a person, which solves the action about it (EX-38).
    PickContact(PickContact) -> CustomerReply = "pick_contact" in OPERATORS {
        label: Some("This contact"),
        confirmation: Some("What waits for this customer goes on with this contact, and the next run may post it to Xero. Go on?"),
        fields: &[ORGANISATION, CUSTOMER, CONTACT_OF_CUSTOMER],
    }
    /// Shows what a replay would do.
    PreviewReplay(Replay) -> ReplayReply = "preview_replay" in OPERATORS {
        label: Some("Preview the replay"),
        is_read_only: true,
        fields: &PARKED,
    }
    /// Parked messages are done again.
    Replay(Replay) -> ReplayReply = "replay" in OPERATORS {
        label: Some("Replay"),
        confirmation: Some("These rows are taken out and done again. Go on?"),
        fields: &PARKED,
    }
    /// A discrepancy may stay as it is (AMB-31).
    Accept(Accept) -> AcceptanceReply = "accept" in OPERATORS {
        label: Some("Accept"),
        confirmation: Some("It counts as closed, and comes back only if its figures change. Go on?"),
        fields: &[ORGANISATION, DISCREPANCY, INVOICE.optional(), CONTACT, ORDER, PAYMENT.optional(), SEEN],
    }
    /// The person who orders it works on these discrepancies from now on (SP-19).
    TakeDiscrepancies(OnDiscrepancies) -> DiscrepanciesReply = "take_discrepancies" in OPERATORS {
        label: Some("Take"),
        fields: &[ORGANISATION, DISCREPANCIES],
    }
    /// Another person works on these discrepancies from now on (SP-19).
    AssignDiscrepancies(AssignDiscrepancies) -> DiscrepanciesReply = "assign_discrepancies" in OPERATORS {
        label: Some("Assign"),
        fields: &[ORGANISATION, DISCREPANCIES, OWNER],
    }
    /// The reason is kept as a note, with the cause of the discrepancies if it is known now (SP-36).
    NoteDiscrepancies(NoteDiscrepancies) -> DiscrepanciesReply = "note_discrepancies" in OPERATORS {
        label: Some("Note"),
        fields: &[ORGANISATION, DISCREPANCIES, CAUSE],
    }
    /// These discrepancies were dealt with in a way that the facts do not show (SP-36).
    CloseDiscrepancies(CloseDiscrepancies) -> DiscrepanciesReply = "close_discrepancies" in OPERATORS {
        label: Some("Close"),
        confirmation: Some("It counts as closed, and comes back only if its figures change. Go on?"),
        fields: &[ORGANISATION, DISCREPANCIES, SEEN],
    }
    /// The business's own system is asked to adjust a record (SP-24). Xero is not changed.
    AdjustRecord(AdjustRecord) -> DiscrepanciesReply = "adjust_record" in OPERATORS {
        label: Some("Order the adjustment"),
        confirmation: Some("The business's own system is asked to change the record. Go on?"),
        fields: &[ORGANISATION, DISCREPANCIES, RECORD, AMOUNT, CURRENCY, PAYMENT.optional().typed(), TO_INVOICE],
    }
    /// A notice to the customer is drafted, and handed to the business's own system (SP-23).
    DraftNotice(OnDiscrepancies) -> DiscrepanciesReply = "draft_notice" in OPERATORS {
        label: Some("Draft a notice"),
        confirmation: Some("The notice goes to the business's own system, which sends it to the customer. Go on?"),
        fields: &[ORGANISATION, DISCREPANCIES],
    }
    /// A payment that was removed from an invoice comes back.
    Restore(Restore) -> RestorationReply = "restore" in OPERATORS {
        label: Some("Restore"),
        confirmation: Some("The payment comes back as the business's own, and Xero's next read leaves it alone. Go on?"),
        fields: &[ORGANISATION, INVOICE, PAYMENT],
    }
    /// Shows what the next night would do with each payment.
    PreviewPlan(PreviewPlan) -> PlanReply = "preview_plan" in OPERATORS {
        label: Some("Preview"),
        is_read_only: true,
        fields: &[ORGANISATION.optional(), AT],
    }
    /// Shows the messages of a dead-letter queue.
    LookAtDeadLetters(OnQueue) -> DeadLettersReply = "look_at_dead_letters" in OPERATORS {
        label: Some("Check queues"),
        is_read_only: true,
        fields: &[QUEUE],
    }
    /// The messages of a dead-letter queue go onto its queue again.
    Redrive(OnQueue) -> DeadLettersReply = "redrive" in OPERATORS {
        label: Some("Send them again"),
        confirmation: Some("Everything in this dead-letter queue is sent to its queue again, and done again. Go on?"),
        fields: &[QUEUE],
    }
    /// One message is taken out of a dead-letter queue, and kept among what is parked.
    Discard(MessageOfQueue) -> DiscardReply = "discard" in OPERATORS {
        label: Some("Discard"),
        confirmation: Some("The message is taken out of the queue and kept among what is parked. Go on?"),
        fields: &[QUEUE, MESSAGE],
    }
    /// The business days that are due are closed; or one day is closed again, by the same facts and what has come late (SP-13).
    Close(CloseDays) -> CloseReply = "close" in OPERATORS {
        label: Some("Close"),
        fields: &[ORGANISATION, DAY],
    }
    /// Decisions of some hours are announced again.
    AnnounceAgain(Republish) -> RepublicationReply = "announce_again" in OPERATORS {
        label: Some("Announce again"),
        confirmation: Some("Every decision of these hours is announced once more, under its old id, so that who has it \
            already drops it. Go on?"),
        fields: &[ORGANISATION, FROM, TO, NEXT],
    }
    /// Shows which decisions of some hours would be announced again.
    PreviewAnnounceAgain(Republish) -> RepublicationReply = "preview_announce_again" in OPERATORS {
        is_read_only: true,
        fields: &[ORGANISATION, FROM, TO, NEXT],
    }
    /// Compares the activity log with its seals, and names every row that was altered, removed, added or exchanged (SP-29).
    VerifyLog(DaysOf) -> LogVerificationReply = "verify_log" in OPERATORS {
        is_read_only: true,
        fields: &[ORGANISATION, FROM_DAY, TO_DAY],
    }
    /// Makes the report of some days, or counts it again from the log if it is there (SP-27, SP-33).
    MakeReport(PeriodOf) -> ReportReply = "make_report" in OPERATORS {
        label: Some("Make the report"),
        fields: &[ORGANISATION, FIRST_DAY, LAST_DAY],
    }
    /// The names that pages show are changed: of the organisation, its administrator, its third parties.
    Rename(OnOrganisation) -> NamesReply = "rename" in ADMINISTRATORS {
        label: Some("Save the names"),
        fields: &[ORGANISATION],
    }
    /// Settings of an organisation are changed, each checked before any is stored (CC-29).
    Configure(Configure) -> ConfigurationReply = "configure" in ADMINISTRATORS {
        label: Some("Save"),
        confirmation: Some("Each field is checked first: if one makes no sense, nothing is changed. The effect of each stands \
            next to it. Go on?"),
        fields: &[ORGANISATION, SETTINGS],
    }
    /// An organisation is mirrored from now on.
    SignUp(SignUp) -> SyncReply = "sign_up" in ADMINISTRATORS {
        label: Some("Sign up"),
        confirmation: Some("Everything open in Xero is read and mirrored. Go on?"),
        fields: &[ORGANISATION, TIME_ZONE, PREFIX, FORWARD_DAYS, CUTOVER_ON, CALLS_PER_DAY, MASS_CHANGE_MAX, SHADOW],
    }
    /// Gives the address at which a user of Xero lets us in, good for ten minutes.
    Authorise(Authorise) -> AuthorisationReply = "authorise" in ADMINISTRATORS {
        label: Some("Connect to Xero"),
        fields: &[REDIRECT_URI.optional(), GRANT, ORGANISATION.optional(), READ_ONLY],
    }
    /// An organisation is disconnected from Xero: payments go neither way, and Xero ends the connection.
    Disconnect(OnOrganisation) -> DisconnectionReply = "disconnect" in ADMINISTRATORS {
        label: Some("Disconnect from Xero"),
        confirmation: Some("From now on no payment goes either way, and Xero ends the connection of this organisation. \
            All that was mirrored and set up stays, and goes on where it was when it is connected again. Go on?"),
        fields: &[ORGANISATION],
    }
    /// Shows the accounts and tax types of Xero that can be set, for each use (XC-13, XC-14).
    ListAccounts(OnOrganisation) -> AccountListReply = "list_accounts" in ADMINISTRATORS {
        label: Some("Fetch the lists from Xero"),
        is_read_only: true,
        fields: &[ORGANISATION],
    }
    /// An account of Xero is set for a use, with the tax type of its lines (XC-13, XC-14).
    SetAccount(SetAccount) -> AccountReply = "set_account" in ADMINISTRATORS {
        label: Some("Set the account"),
        confirmation: Some("From now on payments and fees are booked on this account. Go on?"),
        fields: &[ORGANISATION, USE, ACCOUNT, TAX_TYPE],
    }
    /// Tokens may have leaked: all are revoked, all uploads stop, and the reply says who is concerned (XC-30).
    ContainLeak(ContainLeak) -> ContainmentReply = "contain_leak" in ADMINISTRATORS {
        confirmation: Some("Every token of every user is revoked and every upload stops, until users connect again. Go on?"),
        fields: &[SINCE],
    }
    /// From now on everything is decided for an organisation, and nothing is done (CM-30).
    EnterShadow(OnOrganisation) -> ShadowReply = "enter_shadow" in ADMINISTRATORS {
        label: Some("Begin the shadow"),
        confirmation: Some("From now on nothing is written to Xero, and no payment is changed here. What would be done is \
            reported every evening. Go on?"),
        fields: &[ORGANISATION],
    }
    /// Shows what differs in shadow, and what stands in the way of switching on (CM-02).
    LookAtShadow(OnOrganisation) -> ShadowReply = "look_at_shadow" in OPERATORS {
        label: Some("Compare now"),
        is_read_only: true,
        fields: &[ORGANISATION],
    }
    /// The shadow ends: what is decided is done from now on. Refused while a point of the readiness list fails (CM-02).
    SwitchOn(OnOrganisation) -> ShadowReply = "switch_on" in ADMINISTRATORS {
        label: Some("Switch on"),
        confirmation: Some("From now on payments are copied from Xero and recorded in Xero. Typing them by hand has to stop \
            today. Go on?"),
        fields: &[ORGANISATION],
    }
    /// A user of Xero has let us in, and has come back with a code.
    Connect(Connect) -> GrantReply = "connect" in ADMINISTRATORS { fields: &[CODE, STATE], }
}

const ORGANISATION: Field = Field::text("organisation", "organisation", "Xero's tenant id");
const PAYMENT: Field = Field::text("payment", "payment", "The payment's id in the tables");
const CUSTOMER: Field =
    Field::text("customer", "customer", "The customer's id in the business's own system").typed();
const INVOICE: Field =
    Field::text("invoice", "invoice", "The invoice's number in the business's own system");
const INVOICE_IN_XERO: Field =
    Field::text("invoice", "invoice", "Only this invoice, by its number in Xero").optional();
const CONTACT: Field =
    Field::text("contact", "contact", "The contact's id in Xero, in place of an invoice")
        .optional();
const CONTACT_OF_CUSTOMER: Field =
    Field::text("contact", "contact", "The id in Xero of the contact that is the customer's")
        .typed();
const DISCREPANCY: Field =
    Field::text("discrepancy", "discrepancy", "Its key in the table discrepancies: KIND#subject");
const ORDER: Field =
    Field::text("order_id", "order", "The order's id, in place of an invoice").optional();
const DISCREPANCIES: Field = Field::list(
    "discrepancies",
    "discrepancies",
    "1 to 100, one on each line, such as 10234/OVERPAID#; what stands on no invoice is contact:ID/…, order:ID/… or payment:ID/…",
);
const OWNER: Field =
    Field::text("owner", "owner", "The person who works on them from now on").typed();
const CAUSE: Field = Field::text(
    "cause",
    "cause",
    "bank_fee, currency, entered_twice, failed_try, not_paid_yet, other_method, part_payment, refund, timing, typing_error, wrong_invoice or other",
)
.optional()
.typed();
const RECORD: Field =
    Field::text("record", "record", "invoice_total, shipping, tax, payment_amount or allocation")
        .typed();
const AMOUNT: Field =
    Field::text("amount", "amount", "The amount as it should be, such as 75.00").optional().typed();
const CURRENCY: Field =
    Field::text("currency", "currency", "The currency of the amount").optional().typed();
const TO_INVOICE: Field =
    Field::text("to_invoice", "invoice", "The invoice on which the payment should be")
        .optional()
        .typed();
const SEEN: Field =
    Field::text("seen", "text", "The text that was read: another one is not accepted").optional();
const QUEUE: Field =
    Field::text("queue", "queue", "One of changes, intake, uploads, schedules, events");
const MESSAGE: Field = Field::text("message", "message", "The message's id");
const DAY: Field = Field::text(
    "day",
    "day",
    "Only this business day, such as 2026-11-23; all that are due, if left out",
)
.optional();
const FROM: Field = Field::text("from", "hours", "The first moment, such as 2026-11-23T00:00:00Z");
const TO: Field = Field::text("to", "hours", "The last moment");
const FROM_DAY: Field =
    Field::text("from_day", "day", "The first day in UTC; the first one that was sealed")
        .optional();
const TO_DAY: Field =
    Field::text("to_day", "day", "The last day in UTC; the last one that was sealed").optional();
const FIRST_DAY: Field =
    Field::text("first_day", "day", "The first day of the report, such as 2026-11-23").typed();
const LAST_DAY: Field =
    Field::text("last_day", "day", "The last day of the report, such as 2026-11-29").typed();
const NEXT: Field =
    Field::text("next", "place", "Goes on behind this place, as a reply had it").optional();
const AT: Field =
    Field::text("at", "moment", "The night of this moment; now if left out").optional();
const SETTINGS: Field = Field::list(
    "settings",
    "settings",
    "One on each line, such as forward_days=7; nothing behind the sign takes the default",
);
const TIME_ZONE: Field =
    Field::text("time_zone", "time zone", "IANA name, such as Australia/Sydney").typed();
const PREFIX: Field =
    Field::text("prefix", "prefix", "Prefix of our invoices' numbers in Xero; CM-").optional();
const FORWARD_DAYS: Field =
    Field::number("forward_days", "How many days ahead a payment may be dated; all if left out");
const CUTOVER_ON: Field =
    Field::text("cutover_on", "day", "Day from which payments are reported by the business")
        .optional();
const CALLS_PER_DAY: Field =
    Field::number("calls_per_day", "How often Xero may be called in a day; 5000");
const MASS_CHANGE_MAX: Field =
    Field::number("mass_change_max", "How many payments may go within an hour unasked; 100");
const SHADOW: Field =
    Field::flag("shadow", "Decide and report everything, and do nothing, until it is switched on");
const REDIRECT_URI: Field = Field::text(
    "redirect_uri",
    "address",
    "Where Xero sends the user back to; if left out, the answer is a link to the function connect",
);
const GRANT: Field = Field::text("grant", "grant", "An earlier grant to bring back").optional();
const READ_ONLY: Field = Field::flag("read_only", "Ask for no permission to write");
const SINCE: Field =
    Field::text("since", "moment", "When tokens may have been read first; now, if left out")
        .optional();
const USE: Field = Field::text(
    "use",
    "use",
    "payments, payments:USD for a currency, prepayments, or fee:KIND for a kind of fee",
);
const ACCOUNT: Field =
    Field::text("account", "account", "Xero's AccountID, as list_accounts shows it").typed();
const TAX_TYPE: Field =
    Field::text("tax_type", "tax type", "Such as INPUT; the account's own, if left out")
        .optional()
        .typed();
const CODE: Field = Field::text("code", "code", "The code that the user has brought back");
const STATE: Field = Field::text("state", "state", "The state that the user has brought back");
const PARKED: [Field; 6] = [
    ORGANISATION.optional(),
    Field::text("parked_at", "row", "Only this row, by its key").optional(),
    Field::text("reason", "reason", "Only rows parked for this reason").optional(),
    Field::text("invoice", "invoice", "Only rows about this invoice, by Xero's id").optional(),
    FROM.optional(),
    TO.optional(),
];

impl Kind {
    /// Its code.
    pub const fn code(self) -> &'static str {
        self.spec().code
    }

    /// The command of this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// The text of its button, or its code if no page has one.
    pub fn label(self) -> &'static str {
        self.spec().label.unwrap_or(self.code())
    }

    /// The least role that may order it from a page (ST-22).
    pub const fn least_role(self) -> Role {
        self.spec().role
    }

    /// The question before it is executed, if that cannot be undone.
    pub const fn confirmation(self) -> Option<&'static str> {
        self.spec().confirmation
    }

    /// Whether it only looks.
    pub const fn is_read_only(self) -> bool {
        self.spec().is_read_only
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}
