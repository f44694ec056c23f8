//! What a bundle is made of: parts of rows in, exact bytes out.

use payments::upload::{Bill, FEES_MAX, Part, Target, Upload, UploadSettings, reference};
use xero::{
    BillLine, BillToSend, Bundle, BundleError, PaymentToSend, PrepaymentToSend, StampedKind,
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
    }
}

/// How many parts of a kind go into one call.
pub(crate) fn most_of(kind: StampedKind, settings: &UploadSettings) -> usize {
    let most = usize::try_from(settings.bundle_max).unwrap_or(1);
    match kind {
        StampedKind::Payments | StampedKind::Prepayments => most,
        StampedKind::Bills => most.min(BILLS_MAX),
    }
}

/// Whether a row has everything that it needs to be sent. A bill that was judged by an earlier run may have
/// lost its accounts since; the next night judges it again.
pub(crate) fn is_sendable(row: &Upload, settings: &UploadSettings) -> bool {
    row.bill.as_ref().is_none_or(|bill| bill.unmapped(settings).is_empty())
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
    for (row, part) in parts {
        let receipt = &row.receipt;
        let reference = reference(&receipt.method, receipt.reference.as_deref(), &part.stamp);
        let (account, date, amount) = (settings.account, receipt.date, part.amount);
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
                lines: lines(bill, settings),
            }),
            // Only a row with a bill has such a part. Without it the bundle would be empty, and is refused.
            (Target::Bill { .. }, None) => {}
        }
    }
    match kind {
        StampedKind::Payments => Bundle::of_payments(&payments),
        StampedKind::Prepayments => Bundle::of_prepayments(&prepayments),
        StampedKind::Bills => Bundle::of_bills(&bills),
    }
}

/// A line for each fee, on the account of its kind (EX-19).
fn lines(bill: &Bill, settings: &UploadSettings) -> Vec<BillLine> {
    let line = |fee: &payments::upload::Fee| {
        let account = settings.fee_accounts.get(&fee.kind);
        BillLine {
            description: fee.description.clone().unwrap_or_else(|| fee.kind.to_string()),
            amount: fee.amount,
            account: account.map(|account| account.code.clone()).unwrap_or_default(),
            tax_type: account.and_then(|account| account.tax.clone()),
        }
    };
    bill.fees.iter().map(line).collect()
}
