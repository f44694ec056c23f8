//! Stories that have broken the law once, or are the shortest of their kind.

use super::play;
use super::story::{Deed, Entry, Step, Story, Way, Word};

fn story(deeds: &[Deed]) -> Story {
    let steps = deeds.iter().map(|deed| Step { about: 0, deed: deed.clone() });
    Story { steps: steps.collect(), same: vec![false] }
}

async fn keeps_the_law(deeds: &[Deed]) {
    if let Err(why) = play(&story(deeds)).await {
        panic!("{why}");
    }
}

const fn report(way: Way, cents: usize) -> Deed {
    Deed::Report { way, cents, day: 2, pending: false }
}

const fn entered(report: usize) -> Deed {
    Deed::EnterReported { report, how: Entry::AsReported(0), days: 0 }
}

const CUT: Deed = Deed::NoAnswer { prepayments: false, done: false, times: 3 };

#[tokio::test]
async fn parts_that_were_found_and_never_mirrored_come_back_when_one_is_deleted() {
    keeps_the_law(&[
        report(Way::OverTwo(0), 1),
        entered(0),
        Deed::Night,
        Deed::Delete { entry: 0 },
        Deed::Mirror,
    ])
    .await;
}

#[tokio::test]
async fn money_linked_with_a_try_that_failed_is_another_reports() {
    keeps_the_law(&[
        Deed::Report { way: Way::Named(0), cents: 0, day: 2, pending: true },
        entered(0),
        Deed::Mirror,
        Deed::Ends { report: 0, failed: true },
        report(Way::Named(0), 0),
        Deed::Night,
    ])
    .await;
}

#[tokio::test]
async fn a_found_payment_that_is_changed_is_compared_again() {
    keeps_the_law(&[
        report(Way::Named(0), 0),
        entered(0),
        Deed::Mirror,
        Deed::Change { report: 0, cents: 1, days: 0 },
        Deed::Night,
    ])
    .await;
}

#[tokio::test]
async fn what_a_person_has_called_the_same_goes_when_that_is_deleted() {
    // On an invoice that it names, on another day; and without an invoice, as money in advance.
    keeps_the_law(&[
        report(Way::Named(0), 0),
        Deed::EnterReported { report: 0, how: Entry::AsReported(0), days: 2 },
        Deed::Night,
        Deed::Order { report: 0, word: Word::Same },
        Deed::Mirror,
        Deed::Delete { entry: 0 },
        Deed::Mirror,
    ])
    .await;
    keeps_the_law(&[
        report(Way::Unnamed, 0),
        Deed::EnterReported { report: 0, how: Entry::InAdvance, days: 1 },
        Deed::Night,
        Deed::Order { report: 0, word: Word::Same },
        Deed::Delete { entry: 0 },
    ])
    .await;
}

#[tokio::test]
async fn while_some_of_what_a_person_has_called_the_same_stands_it_does_not_go() {
    for word in [Word::Same, Word::Two] {
        keeps_the_law(&[
            report(Way::Unnamed, 2),
            Deed::EnterReported { report: 0, how: Entry::InPieces(0), days: 1 },
            Deed::Night,
            Deed::Order { report: 0, word: Word::Same },
            Deed::Delete { entry: 1 },
            Deed::Night,
            Deed::Order { report: 0, word },
            Deed::Night,
        ])
        .await;
    }
}

#[tokio::test]
async fn the_rest_that_another_hand_entered_goes_when_that_is_deleted() {
    keeps_the_law(&[
        report(Way::OverTwo(0), 1),
        entered(0),
        Deed::Delete { entry: 1 },
        Deed::Night,
        Deed::Order { report: 0, word: Word::Two },
        Deed::Night,
        Deed::Mirror,
        Deed::Delete { entry: 0 },
        Deed::Mirror,
    ])
    .await;
}

#[tokio::test]
async fn what_is_entered_while_it_is_unknown_is_found_and_goes_again_when_deleted() {
    keeps_the_law(&[
        report(Way::Named(0), 1),
        CUT,
        Deed::Night,
        entered(0),
        Deed::Mirror,
        Deed::Tasks,
        Deed::Delete { entry: 0 },
        Deed::Mirror,
    ])
    .await;
}

#[tokio::test]
async fn a_hold_while_it_is_unknown_counts_from_the_proof_of_absence_on() {
    keeps_the_law(&[
        report(Way::Card(0), 1),
        CUT,
        Deed::Tasks,
        Deed::Order { report: 0, word: Word::Hold },
        Deed::Tasks,
        Deed::Order { report: 0, word: Word::Release },
    ])
    .await;
}
