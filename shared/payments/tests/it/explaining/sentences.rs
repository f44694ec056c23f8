//! Every sentence that an operator may read, in one place, so that a change of one is seen as such.

use std::collections::BTreeSet;

use payments::explanations::{Failure, Kept, Off, Stage, State, Turn};
use payments::upload::{Hold, Skip};
use payments::{Held, Ignored};

/// Every state with every reason.
fn states() -> Vec<State> {
    let mut states = vec![State::Applied, State::Adopted, State::Unchanged];
    states.extend(Held::ALL.iter().map(|held| State::Held(*held)));
    states.push(State::HeldForApproval);
    states.extend(Kept::ALL.iter().map(|kept| State::Protected(*kept)));
    states.extend(Ignored::ALL.iter().map(|ignored| State::Ignored(*ignored)));
    states.push(State::Removed);
    states.extend(Turn::ALL.iter().map(|turn| State::Waiting(*turn)));
    states.extend(Stage::ALL.iter().map(|stage| State::Planned(*stage)));
    states.extend([State::Uploaded, State::PartlyUploaded { placed: 2, of: 4 }]);
    states.extend(Skip::ALL.iter().map(|skip| State::Skipped(*skip)));
    states.extend(Hold::ALL.iter().map(|hold| State::Blocked(*hold)));
    states.extend(Off::ALL.iter().map(|off| State::Disabled(*off)));
    states.extend(Failure::ALL.iter().map(|failure| State::Failed(*failure)));
    states
}

#[test]
fn every_state_is_told_in_these_words() {
    // A7.4
    let texts: Vec<_> = states()
        .into_iter()
        .map(|state| {
            let words = state.words();
            let (rules, direction) = (words.rules.join(", "), state.direction());
            format!("{state}, {direction} [{rules}]\n  {}\n  > {}", words.says, words.remedy)
        })
        .collect();
    insta::assert_snapshot!(texts.join("\n\n"));
}

#[test]
fn every_state_is_one_of_a7_4_and_has_its_rule_sentence_and_cure() {
    let words: BTreeSet<_> = states().into_iter().map(State::code).collect();
    let of_a7_4 = [
        "applied",
        "adopted",
        "unchanged",
        "held",
        "protected",
        "ignored",
        "failed",
        "waiting",
        "planned",
        "uploaded",
        "partly_uploaded",
        "skipped",
        "blocked",
        "disabled",
    ];
    // And what is not there any more.
    assert_eq!(words, of_a7_4.into_iter().chain(["removed"]).collect());
    for state in states() {
        let words = state.words();
        assert!(!words.rules.is_empty(), "{state}");
        for text in [words.says, words.remedy] {
            assert!(text.ends_with('.') && text.starts_with(|c: char| !c.is_lowercase()), "{text}");
        }
    }
    let texts: BTreeSet<_> = states().iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), states().len(), "two states have the same name");
}
