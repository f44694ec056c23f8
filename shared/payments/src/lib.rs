#![doc = include_str!("../README.md")]

mod acceptance;
pub mod announcement;
mod applied_credit;
pub mod brake;
pub mod budget;
pub mod connection;
mod decision;
pub mod digest;
mod discrepancy;
pub mod explaining;
pub mod failures;
mod findings;
mod fingerprint;
pub mod grant;
mod ids;
mod invoice;
mod logged;
mod mark;
mod matching;
mod mirroring;
mod money;
mod moving;
mod number;
mod passes;
mod payment;
mod reason;
mod recording;
mod restoring;
mod settings;
mod stored;
pub mod sweep;
mod terms;
pub mod upload;
mod visit;

pub use acceptance::{AcceptError, accept};
pub use applied_credit::{AppliedCredit, CreditKind};
pub use decision::{Action, Decision};
pub use discrepancy::{
    Acceptance, Discrepancy, DiscrepancyKey, DiscrepancyKind, RESOLVE_WITHIN, Reopened,
};
pub use findings::{POSSIBLE_DUPLICATE_DAYS, not_in_xero};

pub use ids::{
    COPY_PREFIX, CustomerId, GrantId, IdError, InvoiceNumber, OrganisationId,
    PROVIDER_INVOICE_ID_CHARS_MAX, PROVIDER_INVOICE_PREFIX, PaymentId, TEXT_ID_CHARS_MAX,
    XeroAccountId, XeroContactId, XeroCreditId, XeroInvoiceId, XeroPaymentId,
};
pub use invoice::{
    Contact, Figures, InvoiceKind, InvoiceStatus, LocalInvoice, Snapshot, Version, XeroFacts,
    XeroPayment, XeroPaymentKind,
};
pub use logged::{Logged, Occurrence};
pub use mark::{NoMark, ReplayMark};
pub use matching::owners;
pub use mirroring::{Change, Verdict, eligible, is_settled, mirror, mirror_with_uploads};
pub use money::{Currency, Money, MoneyError, XERO_DECIMALS};
pub use moving::{GoingAlong, depart, going_along, unknown_uploads};
pub use number::{NumberPrefix, PREFIX_CHARS_MAX};
pub use payment::{
    HeldPayment, Kind, METHOD_XERO, NOTE_IMPORTED, NOTE_MATCHED, NOTE_TAKEN_BACK, NOTE_UPLOADED,
    Origin, Payment, PaymentStatus, Protection, State, Tombstone,
};
pub use reason::{Held, Ignored};
pub use recording::{
    Allocation, Receipt, Refusal, Reported, Warning, WarningKind, cutover_moved,
    journaling_warning, record_invoice, record_journaling, record_part, removed_warning, report,
    warnings,
};
pub use restoring::{RestoreError, restore};
pub use settings::{FORWARD_DAYS_MAX, Settings};
pub use stored::{MovedAway, Settled, StoredInvoice};
pub use terms::{TERM_DAYS_MAX, Terms, TermsError};
pub use visit::{VISIT_MAX, Visit, visit_key};
