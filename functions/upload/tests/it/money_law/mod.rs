//! The law of A8.3, second edition of N5 (FAULT-31): in any order in which payments are reported, changed, refunded, entered in
//! Xero, edited, deleted, mirrored, planned, sent, lost, found and proven absent, we put no money into Xero that a
//! person has entered there, or that may be what a person has entered. A person may enter later what we have sent, so
//! that it is judged whenever we put something into Xero, and by what the simulator holds then. In the end, when
//! every question is answered, nothing is lost: each payment is in Xero once, or a reason says why not.
//!
//! A story is made of its number. `MONEY_LAW=17` plays story 17 alone, `MONEY_LAW=whole` two thousand of them,
//! `MONEY_LAW=100..300` those from 100 to 299. One that breaks the law is made shorter for two minutes, unless
//! `PROPTEST_MAX_SHRINK_ITERS=0` says otherwise.

mod end;
mod known;
mod oracle;
mod play;
mod stage;
mod story;

use std::ops::Range;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::stage::Stage;
use self::story::{Story, arb_story};

/// The stories that every run of the tests plays: the first twenty,
const USUAL: Range<u64> = 1..21;
/// and each that has found, or finds, a mistake which these do not (`tests/planted_bugs.py`).
const CHOSEN: [u64; 3] = [52, 160, 215];
const WHOLE: Range<u64> = 1..2_001;
/// How long a story that fails is made shorter, in milliseconds.
const SHRINKING_MAX: u32 = 120_000;

#[expect(clippy::disallowed_methods, reason = "a person's wish, and no setting")]
fn stories() -> Vec<u64> {
    let Ok(asked) = std::env::var("MONEY_LAW") else { return USUAL.chain(CHOSEN).collect() };
    if asked == "whole" {
        return WHOLE.collect();
    }
    let (from, to) = asked.split_once("..").unwrap_or((&asked, ""));
    let from = from.parse().unwrap();
    (from..to.parse().unwrap_or(from + 1)).collect()
}

/// Numbers for a story, from its own.
fn seed(number: u64) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    seed
}

async fn play(story: &Story) -> Result<(), String> {
    let mut stage = Stage::new().await;
    stage.mirror().await;
    for step in &story.steps {
        stage.play(step).await?;
    }
    stage.end(&story.same).await
}

fn plays(story: &Story) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(play(story)).map_err(TestCaseError::fail)
}

#[test]
fn law_no_money_is_put_into_xero_that_another_hand_has_entered() {
    for number in stories() {
        let config = Config {
            cases: 1,
            failure_persistence: None,
            max_shrink_time: SHRINKING_MAX,
            ..Config::default()
        };
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed(number));
        let mut runner = TestRunner::new_with_rng(config, rng);
        match runner.run(&arb_story(), |story| plays(&story)) {
            Ok(()) => {}
            Err(TestError::Fail(why, story)) => {
                panic!("story {number} (MONEY_LAW={number}) breaks the law: {why}\n{story:#?}")
            }
            Err(error) => panic!("story {number}: {error}"),
        }
    }
}
