//! What a bundle is made of: parts of rows in, exact bytes out.

use payments::PROVIDER_CREDIT_PREFIX;
use payments::upload::{FEES_MAX, Fee, Part, Target, Upload, UploadSettings, reference};
use xero::{
    AllocationToSend, BillLine, BillToSend, Bundle, BundleError, CreditNoteToSend, PaymentToSend,
    PrepaymentToSend, StampedKind,
};

/// Most bills in one call: each may be as long as the longest message of intake, 256 KiB, and 100 bytes
/// longer for each of its [`FEES_MAX`] lines. Ten of them stay below what Xero takes in a call.
const BILLS_MAX: usize = 10;
const _: () = assert!(BILLS_MAX * (256 * 1024 + FEES_MAX * 100) < xero::BUNDLE_BYTES_MAX);

/// By which call a part is created, and by which it is found again.
pub(crate) fn kind_of(part: &Part) -> StampedKind {
    match part.target {
        Target::Invoice { .. } => StampedKind::Payments,
        Target::Prepayment { .. } => StampedKind::Prepayments,
        Target::Bill { .. } => StampedKind::Bills,
        Target::CreditNote { .. } => StampedKind::CreditNotes,
        Target::Allocation { .. } => StampedKind::Allocations,
    }
}

/// How many parts of a kind go into one call.
pub(crate) fn most_of(kind: StampedKind, settings: &UploadSettings) -> usize {
    let most = usize::try_from(settings.bundle_max).unwrap_or(1);
    match kind {
        StampedKind::Payments | StampedKind::Prepayments => most,
        StampedKind::Bills | StampedKind::CreditNotes => most.min(BILLS_MAX),
        // The credit note stands in the address.
        StampedKind::Allocations => 1,
    }
}

/// Whether a row has everything that it needs to be sent. A bill that was judged by an earlier run may have
/// lost its accounts since; the next night judges it again.
pub(crate) fn is_sendable(row: &Upload, settings: &UploadSettings) -> bool {
    row.unmapped(settings).is_empty()
}

/// The bundle of these parts, which are all of this kind.
pub(crate) fn bundle(
    kind: StampedKind,
    parts: &[(&Upload, &Part)],
    settings: &UploadSettings,
) -> Result<Bundle, BundleError> {
    let mut payments = Vec::new();
    let mut prepayments = Vec::new();
    let mut bills = Vec::new();
    let mut notes = Vec::new();
    let mut allocations = Vec::new();
    for (row, part) in parts {
        let receipt = &row.receipt;
        let reference = reference(&receipt.method, receipt.reference.as_deref(), &part.stamp);
        let account = settings.account_for(part.amount.currency());
        let (date, amount) = (receipt.date, part.amount);
        let stamp = part.stamp.clone();
        match (&part.target, &row.bill) {
            (Target::Invoice { id, .. }, _) => payments.push(PaymentToSend {
                stamp,
                invoice: *id,
                account,
                date,
                amount,
                reference,
            }),
            (Target::Prepayment { contact }, _) => prepayments.push(PrepaymentToSend {
                stamp,
                contact: *contact,
                account,
                line_account: settings.prepayment_account.clone().unwrap_or_default(),
                tax_type: settings.prepayment_tax.clone(),
                date,
                amount,
                reference,
                description: format!("Prepayment, {}", receipt.method.to_uppercase()),
            }),
            (Target::Bill { contact }, Some(bill)) => bills.push(BillToSend {
                stamp,
                contact: *contact,
                number: bill.number_in_xero(&part.stamp),
                date,
                due_on: bill.due_on.unwrap_or(date),
                amount,
                lines: lines(row, settings),
                status: settings.bill_status,
            }),
            (Target::CreditNote { contact }, Some(bill)) => notes.push(CreditNoteToSend {
                stamp,
                contact: *contact,
                number: bill.number_in_xero(&part.stamp),
                date,
                amount,
                lines: lines(row, settings),
            }),
            (Target::Allocation { note, bill }, _) => {
                let (note, bill) = (*note, *bill);
                allocations.push(AllocationToSend { stamp, note, bill, date, amount });
            }
            // Only a row with a bill has such a part. Without it the bundle would be empty, and is refused.
            (Target::Bill { .. } | Target::CreditNote { .. }, None) => {}
        }
    }
    match kind {
        StampedKind::Payments => Bundle::of_payments(&payments),
        StampedKind::Prepayments => Bundle::of_prepayments(&prepayments),
        StampedKind::Bills => Bundle::of_bills(&bills),
        StampedKind::CreditNotes => Bundle::of_credit_notes(&notes),
        StampedKind::Allocations => match &allocations[..] {
            [one] => Bundle::of_allocation(one),
            [] => Err(BundleError::Empty),
            _ => Err(BundleError::TooMany),
        },
    }
}

/// A line for each fee, on the account of its kind (EX-19); then one for each of a credit invoice that stands on the
/// bill, which it names (EX-15b).
fn lines(row: &Upload, settings: &UploadSettings) -> Vec<BillLine> {
    let line = |fee: &Fee, credit: Option<&str>| {
        let account = settings.fee_accounts.get(&fee.kind);
        let words = fee.description.clone().unwrap_or_else(|| fee.kind.to_string());
        BillLine {
            description: match credit {
                Some(credit) => format!("{words} (credit {credit})"),
                None => words,
            },
            amount: fee.amount,
            account: account.map(|account| account.code.clone()).unwrap_or_default(),
            tax_type: account.and_then(|account| account.tax.clone()),
        }
    };
    let own = row.bill.iter().flat_map(|bill| &bill.fees).map(|fee| line(fee, None));
    let credited = row.credited.iter().flat_map(|credit| {
        let id = credit.credit.as_str();
        let id = id.strip_prefix(PROVIDER_CREDIT_PREFIX).unwrap_or(id);
        credit.fees.iter().map(move |fee| line(fee, Some(id)))
    });
    own.chain(credited).collect()
}
