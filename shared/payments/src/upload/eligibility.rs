//! The gates that a payment passes before its night plans it (A2.1 step 1).

use jiff::Timestamp;

use super::books::Books;
use super::customer::{Customer, NO_CONTACT};
use super::ledger::Upload;
use super::part::{Target, UploadState};
use super::route::{Hold, Route, Skip, route, taken};
use super::settings::{UploadSettings, UploadStart};
use super::suspicion::{Certain, Suspicion};
use crate::money::{Money, XERO_DECIMALS};
use crate::reports::Receipt;
use crate::settings::Settings;

/// What a payment waits for that has to find its invoices by its customer, and names none.
const NO_CUSTOMER: &str = "the payment names no customer: the business's own system reports it with its customer, or \
    with the invoices that it pays";

/// The decision about a payment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum UploadDecision {
    /// Send it, in these parts.
    Send(Vec<(Target, Money)>),
    /// It waits for something.
    Hold(Hold, String),
    /// It does not go.
    Skip(Skip, String),
    /// Xero holds all of its money already (A8.3).
    Found(Vec<Certain>),
    /// Xero, or another report, may hold its money already (A8.3).
    Suspect(Suspicion),
}

/// Judges what needs no open invoices: `Ok` if the payment may be planned. It is asked of the rest of a
/// payment as well, of which something is in Xero.
///
/// # Errors
/// Why not.
pub fn gate(
    upload: &Upload,
    customer: Option<&Customer>,
    books: &Books,
    settings: &Settings,
    uploading: &UploadSettings,
) -> Result<Route, UploadDecision> {
    let skip = |skip, why: String| UploadDecision::Skip(skip, why);
    let hold = |hold, why: String| UploadDecision::Hold(hold, why);
    let receipt = &upload.receipt;

    let route = upload.route().map_err(|s| skip(s, format!("paid by {}", receipt.method)))?;
    if taken(receipt).is_none_or(|taken| taken < uploading.when) {
        let why = format!("it is not {} yet", uploading.when);
        return Err(skip(Skip::NotApproved, why));
    }
    after_start(receipt, upload.included, settings, uploading.start)?;
    if let Some(why) = customer.and_then(|customer| customer.blocked.as_deref()) {
        return Err(blocked(why));
    }
    if route == Route::Bpay && customer.and_then(|customer| customer.contact).is_none() {
        let why = match &receipt.customer {
            None => NO_CUSTOMER.to_owned(),
            Some(_) => format!("an action about the customer is open: {NO_CONTACT}"),
        };
        return Err(hold(Hold::BlockedByAction, why));
    }
    fits_books(receipt, books)?;
    Ok(route)
}

/// It waits for an action about its customer, which says what is to be solved.
pub fn blocked(to_solve: &str) -> UploadDecision {
    let why = format!("an action about the customer is open: {to_solve}");
    UploadDecision::Hold(Hold::BlockedByAction, why)
}

/// Whether a payment finds its invoices by itself: a night spreads it over what its customer owes (EX-03), as
/// soon as its money is there.
pub(crate) fn is_spread_by_night(receipt: &Receipt, settings: &Settings) -> bool {
    let uploading = settings.upload.as_ref().filter(|uploading| uploading.enabled);
    uploading.is_some_and(|uploading| {
        route(receipt).is_ok_and(Route::is_nightly)
            && after_start(receipt, true, settings, uploading.start).is_ok()
    })
}

/// The payment in its line again, if the start date alone kept it back, and does so no longer (AMB-35).
pub fn freed_by_start(
    upload: &Upload,
    settings: &Settings,
    uploading: &UploadSettings,
    now: Timestamp,
) -> Option<Upload> {
    let by_start = [Skip::BeforeStartDate.code(), Skip::OnStartDate.code()];
    let kept_back =
        upload.state == UploadState::Skipped && by_start.contains(&upload.reason.as_str());
    let passes = after_start(&upload.receipt, upload.included, settings, uploading.start).is_ok();
    (kept_back && passes).then(|| {
        let mut after = upload.clone();
        after.back_in_line("start_date_changed", now);
        after
    })
}

/// What the books themselves do not take.
pub(super) fn fits_books(receipt: &Receipt, books: &Books) -> Result<(), UploadDecision> {
    if receipt.amount.currency() != books.currency {
        let why =
            format!("paid in {}, the books are in {}", receipt.amount.currency(), books.currency);
        return Err(UploadDecision::Hold(Hold::CurrencyMismatch, why));
    }
    fits_xero([receipt.amount])?;
    if let Some(locked) = books.locked_until.filter(|locked| receipt.date <= *locked) {
        let why = format!("dated {}, and Xero is locked until {locked}", receipt.date);
        return Err(UploadDecision::Hold(Hold::LockedPeriod, why));
    }
    Ok(())
}

/// Whether Xero can hold these amounts as they are (AMB-30).
pub(super) fn fits_xero(amounts: impl IntoIterator<Item = Money>) -> Result<(), UploadDecision> {
    match amounts.into_iter().find(|amount| !amount.fits_xero()) {
        None => Ok(()),
        Some(amount) => {
            let why =
                format!("{amount} has more than the {XERO_DECIMALS} decimals that Xero keeps");
            Err(UploadDecision::Hold(Hold::AmountNotRepresentable, why))
        }
    }
}

/// Only what is younger than the start date goes up (EX-33). A person may include what is dated on that
/// very day (AMB-14), and nothing that is older.
fn after_start(
    receipt: &Receipt,
    included: bool,
    settings: &Settings,
    start: UploadStart,
) -> Result<(), UploadDecision> {
    let (date, entered_at) = (receipt.date, receipt.entered_at);
    let (day, moment) = match start {
        UploadStart::Moment(moment) => (settings.day_of(moment), Some(moment)),
        UploadStart::Day(day) => (day, None),
    };
    let before = date < day || (date == day && moment.is_some_and(|moment| entered_at <= moment));
    if before {
        let why = format!("dated {date}; payments are uploaded from {start} on");
        return Err(UploadDecision::Skip(Skip::BeforeStartDate, why));
    }
    if date == day && moment.is_none() && !included {
        let why = format!("dated {date}, the start date itself; release it to include it");
        return Err(UploadDecision::Skip(Skip::OnStartDate, why));
    }
    Ok(())
}
