#![doc = include_str!("../README.md")]

mod acceptance;
mod activity_kind;
mod adjustment;
mod applied_credit;
pub mod balance;
pub mod budget;
mod case;
mod change;
pub mod close;
mod components;
pub mod connection;
mod contact_credit;
mod decision;
pub mod digest;
mod discrepancy;
mod discrepancy_clock;
mod discrepancy_work;
pub mod events;
pub mod explanations;
pub mod failures;
pub mod feed;
mod fingerprint;
pub mod grant;
mod health_issue;
mod ids;
mod invoice;
mod invoice_amounts;
mod invoice_discrepancies;
pub mod joint_digest;
pub mod mass_change;
mod matching;
mod mirror;
mod money;
pub mod morning_close;
mod notice;
mod number;
pub mod oauth_state;
mod order;
mod order_comparison;
mod passes;
mod payment;
pub mod permission;
mod possible_duplicates;
mod reason;
mod renumbering;
mod replay_marker;
mod reports;
mod restoration;
mod rules_version;
pub mod seal;
mod setting_spec;
mod settings;
pub mod shadow;
mod snapshot_age;
mod snapshot_discrepancies;
mod stored;
pub mod sweep;
mod terms;
pub mod upload;
pub mod what_if;

pub use acceptance::accept;
pub use adjustment::{AdjustedRecord, Adjustment, AdjustmentError};
pub use applied_credit::{AppliedCredit, CreditKind};
pub use case::{Case, ClockStep, DiscrepancyCause, Ending, Owner};
pub use contact_credit::{CREDITS_KEPT_MAX, ContactCredit, CreditBalance};
pub use decision::{Action, Decision};
pub use discrepancy::{
    Acceptance, Discrepancy, DiscrepancyKey, DiscrepancyKind, RESOLVE_WITHIN, Reopened,
};
pub use discrepancy_work::{AcceptError, Attributed, DiscrepancyWork, WorkDone, WorkError};
pub use invoice_amounts::{DiscrepancyFigures, figures_of};
pub use invoice_discrepancies::not_in_xero;
pub use notice::{
    CustomerNotice, NoticeFacts, NoticeKind, NoticeReport, StoredNotice, next_notice_id,
    notice_facts,
};
pub use possible_duplicates::POSSIBLE_DUPLICATE_DAYS;

pub use activity_kind::{Logged, Occurrence};
pub use change::{Change, Verdict};
pub use components::{Component, ReceiptDocument, TaxAndShipping};
pub use ids::{
    COPY_PREFIX, CREDIT_ALLOCATION_PREFIX, CustomerId, GrantId, IdError, InvoiceNumber, OrderId,
    OrganisationId, PROVIDER_CREDIT_ID_CHARS_MAX, PROVIDER_CREDIT_PREFIX,
    PROVIDER_INVOICE_ID_CHARS_MAX, PROVIDER_INVOICE_PREFIX, PaymentId, TEXT_ID_CHARS_MAX,
    XeroAccountId, XeroContactId, XeroCreditId, XeroInvoiceId, XeroPaymentId,
};
pub use invoice::{
    Contact, Figures, InvoiceKind, InvoiceStatus, LocalInvoice, Snapshot, Version, XeroFacts,
    XeroPayment, XeroPaymentKind,
};
pub use matching::owners;
pub use mirror::{eligible, is_settled, mirror, mirror_with_uploads};
pub use money::{Currency, Money, MoneyError, XERO_DECIMALS};
pub use number::{NumberPrefix, PREFIX_CHARS_MAX};
pub use order::{
    Components, Order, OrderClaim, OrderFacts, OrderMoney, OrderProgress, OrderStanding,
    OrderStatus, is_news, standing, standing_of,
};
pub use order_comparison::{
    ComponentValues, Differences, DiscrepancyChange, OrderDocuments, compare, discrepancy_changes,
    order_differences, order_documents, payment_differences,
};
pub use payment::{
    HeldPayment, Kind, METHOD_XERO, NOTE_IMPORTED, NOTE_MATCHED, NOTE_TAKEN_BACK, NOTE_UPLOADED,
    Origin, Payment, PaymentStatus, Protection, State, Tombstone,
};
pub use reason::{Held, Ignored};
pub use renumbering::{GoingAlong, depart, going_along, unknown_uploads};
pub use replay_marker::{NoMark, ReplayMark};
pub use reports::{
    Allocation, Receipt, Refusal, Reported, Warning, WarningKind, cutover_moved,
    journaling_warning, record_invoice, record_journaling, record_part, removed_warning, report,
    warnings,
};
pub use restoration::{RestoreError, restore};
pub use setting_spec::{PickList, SETTINGS, SettingKind, SettingSpec};
pub use settings::{FORWARD_DAYS_MAX, Settings};
pub use stored::{MovedAway, Settled, StoredInvoice};
pub use terms::{TERM_DAYS_MAX, Terms, TermsError};
