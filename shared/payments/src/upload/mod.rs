//! Uploading the business's own payments to Xero (rules A2.1): what goes, in which night, to which
//! invoice, and what is known of it at every moment.
//!
//! Reading order: [`Night`] (which night is it), [`Caps`] (how many may go), [`Stamp`] (how we know
//! our own payments again), [`Upload`] (the ledger row of one payment and its legal moves),
//! [`admit`] (what intake makes of a report), [`gate`] and [`Planner`] (what is to be sent),
//! [`judge_bill`] (the same for the provider's own invoices), [`link`] (what a proven upload means for the
//! invoice), [`Forecast`] and [`NightReport`].

mod account_choice;
mod admission;
mod bill;
mod books;
mod caps;
mod chart;
mod command;
mod contact;
mod contact_directory;
mod contact_match;
mod contact_sync;
mod credit_allocation;
mod customer;
mod deleted_counterpart;
mod deleted_prepayment;
mod duplicate;
mod eligibility;
mod evidence;
mod forecast;
mod ledger;
mod link;
mod next_upload;
mod night;
mod overdue;
mod pair;
mod part;
mod payment_command;
mod plan;
mod planner;
mod provider_credit;
mod provider_invoice;
mod reassessment;
mod report;
mod route;
mod settings;
mod stamp;
mod suspicion;

pub use account_choice::{AccountUse, AccountUseError};
pub use admission::{Admission, admit, admit_bill, changed_after_upload};
pub use bill::{
    AppliedPart, Bill, BillStatus, CreditLine, CreditTerms, DocumentForm, FEE_KIND_CHARS_MAX, Fee,
    FeeAccount, FeeKind, FeeKindError,
};
pub use books::Books;
pub use caps::{
    ATTEMPTS_MAX, ATTEMPTS_WINDOW, Caps, Disabled, GUARD_WINDOW, Granted, NEVER_TRIPS_PER_NIGHT,
    NIGHTLY_MAX, RESERVATIONS_MAX, ReleasedSlot, Reservation, SendMode,
};
pub use chart::{Account, AccountClass, ChartOfAccounts, TaxRate};
pub use command::{CommandError, applicable_commands, obey};
pub use contact::{ContactStanding, XeroContact, XeroContacts};
pub use contact_directory::{ContactRecord, Directory};
pub use contact_match::{
    CANDIDATES_MAX, ContactMatch, Doubt, match_customers, record_pick, record_verdict,
};
pub use contact_sync::{ActionKind, ContactSync, FoundBy};
pub use credit_allocation::{
    AllocationPlan, CreditStanding, DueBill, applied_by_hand, judge_allocation, plan_allocations,
};
pub use customer::{
    Customer, CustomerError, MergedContact, NO_CONTACT, record_action, record_contact,
    record_customer,
};
pub use deleted_counterpart::deletions_from;
pub use deleted_prepayment::{DeletedPrepayment, uploaded_deleted};
pub(crate) use duplicate::days_apart;
pub use duplicate::{
    ADDENDS_MAX, Claim, MoneyInXero, NamedPortion, XeroMoney, XeroMoneyKind, standings, twins,
};
pub(crate) use eligibility::is_spread_by_night;
pub use eligibility::{UploadDecision, blocked, freed_by_start, gate};
pub use forecast::{Forecast, trips_from};
pub use ledger::Upload;
pub use link::{link, link_found};
pub use next_upload::NextUpload;
pub use night::Night;
pub use overdue::{
    IN_HAND_MAX, OVERDUE_AFTER, UNKNOWN_MAX, goes_on_at, is_held_from_posting, is_overdue,
    is_unknown_too_long,
};
pub use pair::{OnContact, PaymentPair, flagged_with};
pub use part::{
    Absence, LedgerError, Line, PARTS_MAX, Part, PartState, Placed, SURE_AFTER, Target,
    UploadState, WriteOutcome,
};
pub use payment_command::{GivenCommand, PaymentCommand};
pub use planner::{OpenInvoice, Planner, UnreadableInvoice};
pub use provider_credit::{
    CreditFacts, XeroAllocation, XeroCreditNote, credit_lines, judge_credit,
};
pub use provider_invoice::{
    FEES_MAX, NO_MERCHANT_CONTACT, ProviderInvoice, judge_bill, on_merchant_contact, why_unmapped,
};
pub(crate) use reassessment::on_their_way;
pub use reassessment::{concerned, follow};
pub use report::{NightReport, NightState, Totals};
pub use route::{Certainty, Channel, Hold, Route, Skip, route, taken};
pub(crate) use route::{is_entered_by_hand, is_meant_whole, never_gets_an_invoice};
pub use settings::{BUNDLE_MAX, SAME_MONEY_DAYS_MAX, UploadSettings, UploadStart, UploadWhen};
pub use stamp::{REFERENCE_CHARS_MAX, Stamp, reference};
pub use suspicion::{Certain, Counterpart, CounterpartError, Suspicion};
