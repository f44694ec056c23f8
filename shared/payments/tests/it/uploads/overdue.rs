//! The reasons for an alarm: a night that did not run, and a payment with an unknown outcome.

use jiff::SignedDuration;
use payments::upload::{
    NightState, OVERDUE_AFTER, UNKNOWN_MAX, WriteOutcome, is_overdue, is_unknown_too_long,
};

use crate::uploads::samples::{instant, on, placed, receipt, reserved, sent};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

#[test]
fn a_night_is_overdue_when_it_is_not_through_two_hours_after_its_time() {
    // EX-31
    let due = instant("2026-03-10T11:00:00Z");
    let late = due + OVERDUE_AFTER + SECOND;
    for state in [None, Some(NightState::Running)] {
        assert!(!is_overdue(due, state, due + OVERDUE_AFTER), "{state:?}");
        assert!(is_overdue(due, state, late), "{state:?}");
    }
    for state in [NightState::WaitingForProof, NightState::Finished] {
        assert!(!is_overdue(due, Some(state), late), "{state:?}");
    }
}

#[test]
fn a_payment_is_unknown_too_long_an_hour_after_its_slot_was_reserved() {
    // Quality N5: what may be in Xero is followed until it is known.
    let slot = instant("2026-03-10T11:00:00Z");
    let late = slot + UNKNOWN_MAX + SECOND;
    let (receipt, parts) = (receipt("P-1", "100.00"), [(on(1, "1"), "100.00")]);
    let mut row = sent(&receipt, &parts);
    assert!(!is_unknown_too_long(&row, slot + UNKNOWN_MAX));
    assert!(is_unknown_too_long(&row, late), "sent, and the process died");
    row.answer(1, WriteOutcome::Unclear, false, slot + SECOND).unwrap();
    assert!(is_unknown_too_long(&row, late));
    // A row that has a slot and is not sent stands still as well.
    assert!(!is_unknown_too_long(&reserved(&receipt, &parts), slot + UNKNOWN_MAX));
    assert!(is_unknown_too_long(&reserved(&receipt, &parts), late));
    // A settled row is not unknown, however old it is.
    row.answer(1, WriteOutcome::Placed(placed(7)), false, late).unwrap();
    assert!(!is_unknown_too_long(&row, late));
}
