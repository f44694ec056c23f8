//! What each reason of uploading means and what would change it, as in `reasons`.

use super::reason_text::{ReasonText, words};
use super::state::{Off, Stage, Turn};
use crate::upload::{Hold, Skip};

pub(super) fn of_turn(turn: Turn) -> ReasonText {
    match turn {
        Turn::Night => words(
            &["EX-03", "EX-31"],
            "It waits for a night with a free slot.",
            "Its night comes: the oldest payments go first.",
        ),
        Turn::AtOnce => words(
            &["EX-01", "EX-10"],
            "It is to be posted at once, to the invoices that it names.",
            "Its message is worked off, or the next nightly run picks it up.",
        ),
    }
}

pub(super) fn of_stage(stage: Stage) -> ReasonText {
    match stage {
        Stage::Reserved => words(
            &["EX-31", "A2.1"],
            "It has its slot and is about to be sent.",
            "The run sends it; if the run was interrupted, the next one does.",
        ),
        Stage::Sent => words(
            &["A2.1", "X-12"],
            "It was sent to Xero, and the answer is not there yet.",
            "Xero answers; without an answer Xero is asked for its stamp.",
        ),
        Stage::Unknown => words(
            &["A2.1", "X-12"],
            "It was sent to Xero without a clear answer, so that it is not known yet whether it is there.",
            "Xero is asked for its stamp, and nothing is sent again before two late reads have not shown it.",
        ),
    }
}

pub(super) fn of_off(off: Off) -> ReasonText {
    match off {
        Off::NotSetUp => words(
            &["A2.1"],
            "Uploading has not been set up for this organisation.",
            "`upload_enabled`, `upload_start` and `upload_account_id` of the organisation are set.",
        ),
        Off::BySettings => words(
            &["A2.1"],
            "Uploading is switched off in the organisation's settings.",
            "`upload_enabled` of the organisation is set to true.",
        ),
        Off::Disconnected => words(
            &["XC-06"],
            "The organisation is disconnected from Xero.",
            "An administrator presses Connect to Xero on the page Integrations; then it goes on where it was.",
        ),
        Off::AttemptsUsedUp => words(
            &["EX-32", "AMB-12"],
            "More than 4,000 attempts in 30 days have switched the nightly upload off.",
            "An operator switches uploading on again, with a reason.",
        ),
    }
}

pub(super) fn of_skip(skip: Skip) -> ReasonText {
    match skip {
        Skip::NotApproved => words(
            &["EX-02", "EX-35"],
            "The money is not approved, taken or settled as far as the organisation asks.",
            "The business's own system reports it as approved, taken or settled.",
        ),
        Skip::Refunded => words(
            &["EX-35", "SP-03"],
            "The money was given back before it went up.",
            "Nothing: a refunded payment does not go up.",
        ),
        Skip::BeforeStartDate => words(
            &["EX-33", "EX-14"],
            "It is older than the day from which payments are uploaded.",
            "`upload_start` of the organisation is moved to an earlier day, and an operator releases it.",
        ),
        Skip::OnStartDate => words(
            &["AMB-14"],
            "It is dated on the start date itself, of which only the day is known.",
            "An operator releases it, which includes it.",
        ),
        Skip::NotAppliedToInvoice => words(
            &["EX-09", "AMB-17"],
            "It names no invoice, and payments of its kind go to the invoice they name only.",
            "The business's own system applies it to an invoice.",
        ),
        Skip::NoCustomer => words(
            &["EX-11"],
            "It is a batch debit, which belongs to no customer.",
            "Nothing: batch debits are never uploaded.",
        ),
        Skip::MethodNotUploaded => words(
            &["EX-35"],
            "It was paid in a way that is not uploaded; Xero has such money from the bank.",
            "It is recorded or reconciled in Xero; the mirror then finds the two to be the same.",
        ),
        Skip::AlreadyInXero => words(
            &["A2.1", "CM-33"],
            "It was found in Xero already, so that it is not uploaded.",
            "Nothing: it is in Xero.",
        ),
        Skip::RemovedInXero => words(
            &["CM-35"],
            "It was found to be the same as a payment in Xero, and that one was deleted there.",
            "It is recorded in Xero again, or an operator releases it.",
        ),
        Skip::TooManyParts => words(
            &["EX-06"],
            "It would take more parts than one upload may have.",
            "It is divided in the business's own system, or some of the customer's invoices are settled first.",
        ),
        Skip::LineOnBill => words(
            &["EX-15b"],
            "It was issued before the start date, and is a line of the bill that it is applied to.",
            "Nothing: its line is in Xero.",
        ),
        Skip::NoLongerNeeded => words(
            &["EX-17"],
            "The credit, or what is due on the bill, does not suffice for it any more.",
            "Nothing: another allocation is planned for what is left.",
        ),
        Skip::DoNotSend => {
            words(&["EX-24"], "A person has said that it shall not go.", "An operator releases it.")
        }
    }
}

pub(super) fn of_hold(hold: Hold) -> ReasonText {
    match hold {
        Hold::BlockedByAction => words(
            &["EX-28", "EX-27", "AMB-15"],
            "Something about the customer has to be solved first, and everything of that customer waits.",
            "The action about the customer is solved; what waited goes in the next run.",
        ),
        Hold::HeldByPerson => words(&["EX-24"], "A person holds it.", "An operator releases it."),
        Hold::LockedPeriod => words(
            &["X-15", "X-17"],
            "It is dated in a period that is locked in Xero.",
            "The lock date is moved in Xero; every night it is judged again.",
        ),
        Hold::CurrencyMismatch => words(
            &["A2.1"],
            "It is in another currency than the invoice, or than the books.",
            "It is reported in the invoice's currency, or recorded in Xero by hand.",
        ),
        Hold::InvoiceNotOpen => words(
            &["X-17", "A2.1"],
            "The invoice that it names is not open in Xero.",
            "The invoice is approved in Xero and has something due, or the payment names another one.",
        ),
        Hold::ExceedsDue => words(
            &["X-17"],
            "It is more than is due on the invoice that it names.",
            "The amount due in Xero is corrected, or the payment names further invoices.",
        ),
        Hold::PartlyAllocated => words(
            &["EX-10"],
            "It names invoices for only a part of its amount.",
            "The business's own system applies the rest to an invoice.",
        ),
        Hold::NoPrepaymentAccount => words(
            &["EX-07"],
            "Something is left over after the invoices, and there is no account for prepayments.",
            "`prepayment_account_code` of the organisation is set, or the customer gets an open invoice.",
        ),
        Hold::AccountUnmapped => words(
            &["EX-19"],
            "A kind of fee on it has no account in Xero.",
            "The accountant names an account, and `fee_accounts` of the organisation gets it.",
        ),
        Hold::AccountUnusable => words(
            &["XC-15", "XC-18"],
            "An account on which it would be booked cannot be used in Xero.",
            "`upload_account_id`, `currency_accounts`, `prepayment_account_code` or `fee_accounts` of the organisation \
             names another one, or the account is restored in Xero; the next run sends it.",
        ),
        Hold::TaxUnusable => words(
            &["XC-17"],
            "A tax type of its lines cannot be used in Xero.",
            "`prepayment_tax_type` or `fee_accounts` of the organisation names another one, or the tax rate is restored in \
             Xero; the next run sends it.",
        ),
        Hold::MerchantContactMissing => words(
            &["EX-13"],
            "No contact in Xero stands for the payment provider.",
            "`merchant_contact_id` of the organisation is set.",
        ),
        Hold::WaitsForBill => words(
            &["EX-15b"],
            "It was issued before the start date, and goes as a line of the bill that it is applied to.",
            "The provider's invoice is reported, and goes.",
        ),
        Hold::BillInXero => words(
            &["EX-15b"],
            "It would be a line of a bill that went to Xero before it was reported.",
            "A person adds the line to the bill in Xero, and an operator orders that it shall not go.",
        ),
        Hold::CreditExceedsBill => words(
            &["EX-15b"],
            "The credits that become lines of the bill leave nothing to pay.",
            "Both are entered in Xero by hand, and an operator orders that they shall not go.",
        ),
        Hold::PossibleDuplicate => words(
            &["AMB-27", "A8.3"],
            "Xero, or another report, may hold the same money already.",
            "An operator says that it is the same payment, or that there are two.",
        ),
        Hold::AmountNotRepresentable => words(
            &["AMB-30", "CM-13"],
            "It has more decimals than Xero keeps: two, in every currency.",
            "It is reported with two decimals, or recorded in Xero by hand, rounded as the business decides.",
        ),
        Hold::InvoiceUnreadable => words(
            &["AMB-30", "X-17"],
            "An invoice in Xero to which it may go cannot be read, or Xero takes no question for its number.",
            "The fault of the invoice is mended in Xero, or the payment names another one; every night it \
             is judged again.",
        ),
        Hold::CannotBeSent => words(
            &["AMB-30", "A2.1"],
            "It cannot be written in the form that Xero takes.",
            "The setting or the member of the report that its reason names is corrected; every night it is \
             judged again.",
        ),
    }
}
