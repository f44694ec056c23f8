//! CC-22: 5,000 organisations, of which 50 are large and 5 are broken.

use growth::{Fleet, Loop, simulate};
use jiff::SignedDuration;

const FLEET: Fleet = Fleet { all: 5_000, large: 50, broken: 5 };

#[test]
fn five_thousand_organisations_are_swept_in_time_and_their_nights_begin_within_the_hour() {
    // Ten in the evening in Sydney lies in it.
    let begin = "2026-03-02T10:00:00Z".parse().unwrap();
    let report = simulate(FLEET, Loop::Messages, begin, SignedDuration::from_hours(2));
    assert_eq!((report.missed, report.never, report.named()), (0, 0, 5));
    assert!(report.longest["night"] < SignedDuration::from_hours(1), "{:?}", report.longest);
    assert!(report.nights >= 1_250, "{}", report.nights);
    let meter = &report.meter;
    assert!(meter.minute_max <= 60 && meter.app_minute_max <= 10_000 && meter.day_max() <= 5_000);
    assert_eq!(report.limited, 0);
}

#[test]
fn the_serial_loop_does_not_come_to_the_end_of_the_table() {
    let begin = "2026-03-02T10:00:00Z".parse().unwrap();
    let report = simulate(FLEET, Loop::Serial, begin, SignedDuration::from_hours(2));
    assert!(report.never > 4_000, "{} were never swept", report.never);
}
