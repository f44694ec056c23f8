//! Days of the log are sealed, and every way of altering it is named.

use aws_sdk_dynamodb::types::AttributeValue;
use harness::{Call, Do};
use serde_json::json;

use crate::world::{Item, ORGANISATION, World};

const LOG: [&str; 2] = ["day", "at"];
const SEALS: [&str; 2] = ["organisation", "seal"];

/// Three days with rows, a day without, and all of them sealed.
async fn sealed() -> World {
    let world = World::new().await;
    for (at, subject) in [
        ("2026-11-20T00:00:00Z", "a"),
        ("2026-11-20T12:00:00Z", "b"),
        ("2026-11-20T23:59:59Z", "c"),
        ("2026-11-21T09:00:00Z", "d"),
        ("2026-11-21T10:00:00Z", "e"),
    ] {
        world.log(at, subject).await;
    }
    world.at("2026-11-23T03:00:00Z");
    let wish = json!({"organisation": ORGANISATION, "from": "2026-11-20"});
    assert_eq!(
        world.ask(wish).await,
        ["2026-11-20 sealed rows 3", "2026-11-21 sealed rows 2", "2026-11-22 sealed rows 0"]
    );
    world
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// SP-29: a day is sealed when it is over, once, with a row of the log that the next day's seal covers.
#[tokio::test]
async fn a_day_is_sealed_when_it_is_over_and_each_day_once() {
    let world = World::new().await;
    world.log("2026-11-22T09:00:00Z", "a").await;
    world.log("2026-11-23T09:00:00Z", "b").await;
    world.at("2026-11-23T02:59:59Z");
    assert!(!world.verify().await.is_sealed);
    // Without a day to begin with, the chain begins with the last day that is over.
    assert_eq!(world.schedule().await, ["2026-11-21 sealed rows 0"]);
    world.at("2026-11-23T03:00:00Z");
    assert_eq!(world.schedule().await, ["2026-11-22 sealed rows 1"]);
    assert!(world.schedule().await.is_empty());
    world.at("2026-11-24T09:00:00Z");
    // The rows about the two seals were written on that day.
    assert_eq!(world.schedule().await, ["2026-11-23 sealed rows 3"]);
    let rows = world.rows("activity").await;
    let logged: Vec<_> = rows.iter().filter(|row| row["action"] == "log_sealed").collect();
    assert_eq!(logged.len(), 3);
    assert!(logged.iter().all(|row| row["rule"] == "SP-29" && row["checksum"].len() == 64));
    // Schedules that were missed are made up for, the oldest day first.
    world.at("2026-11-27T09:00:00Z");
    let days: Vec<_> = world.schedule().await;
    assert_eq!(
        days,
        ["2026-11-24 sealed rows 1", "2026-11-25 sealed rows 0", "2026-11-26 sealed rows 0"]
    );
    let found = world.verify().await;
    assert_eq!((found.days, found.rows, found.faults, found.late), (6, 5, 0, 0), "{found:?}");
}

/// SP-29: each way of altering the table itself is named, at its row.
#[tokio::test]
async fn a_row_that_was_altered_removed_added_or_exchanged_is_named() {
    let world = sealed().await;
    assert!(world.faults().await.is_empty());
    let item = async |end: &str| world.item("activity", "at", end).await;
    let (b, c, e) = (item("#b").await, item("#c").await, item("#e").await);

    let mut altered = b.clone();
    altered.insert("by".to_owned(), text("Eve"));
    world.put("activity", altered).await;
    assert_eq!(world.faults().await, ["2026-11-20 b altered"]);
    let mut attribute_more = b.clone();
    attribute_more.insert("note".to_owned(), AttributeValue::Null(true));
    world.put("activity", attribute_more).await;
    assert_eq!(world.faults().await, ["2026-11-20 b altered"]);
    world.put("activity", b.clone()).await;
    assert!(world.faults().await.is_empty());

    world.remove("activity", LOG, b.clone()).await;
    assert_eq!(world.faults().await, ["2026-11-20 b removed"]);
    world.put("activity", b.clone()).await;

    let mut added = b.clone();
    added.insert("at".to_owned(), text("2026-11-20T12:00:00.000001Z#redriven#x"));
    world.put("activity", added.clone()).await;
    assert_eq!(world.faults().await, ["2026-11-20 x added"]);
    world.remove("activity", LOG, added).await;

    // Two rows of one day, and two of different days, change places.
    for (one, other, named) in [
        (&b, &c, ["2026-11-20 b exchanged c", "2026-11-20 c exchanged b"]),
        (&b, &e, ["2026-11-20 b exchanged e", "2026-11-21 e exchanged b"]),
    ] {
        let (mut first, mut second) = (other.clone(), one.clone());
        for key in LOG {
            first.insert(key.to_owned(), one[key].clone());
            second.insert(key.to_owned(), other[key].clone());
        }
        world.put("activity", first).await;
        world.put("activity", second).await;
        assert_eq!(world.faults().await, named);
        world.put("activity", one.clone()).await;
        world.put("activity", other.clone()).await;
    }
    assert!(world.faults().await.is_empty());
}

/// SP-29: a row that comes after its day was sealed is taken up by the next seal, and guarded from then on; one that
/// comes later than that is not.
#[tokio::test]
async fn a_late_row_is_sealed_with_the_next_day_and_the_chain_holds() {
    let world = sealed().await;
    world.log("2026-11-22T23:59:59Z", "late").await;
    assert_eq!(world.faults().await, ["2026-11-22 late added"]);
    world.at("2026-11-24T03:00:00Z");
    // The three rows about seals were written on the 23rd.
    assert_eq!(world.schedule().await, ["2026-11-23 sealed rows 3 late 1"]);
    let found = world.verify().await;
    assert_eq!((found.faults, found.late, found.rows), (0, 1, 9), "{found:?}");

    let late = world.item("activity", "at", "#late").await;
    world.remove("activity", LOG, late.clone()).await;
    assert_eq!(world.faults().await, ["2026-11-22 late removed"]);
    let mut altered = late.clone();
    altered.insert("by".to_owned(), text("Eve"));
    world.put("activity", altered).await;
    assert_eq!(world.faults().await, ["2026-11-22 late altered"]);
    world.put("activity", late).await;
    world.log("2026-11-21T23:59:59Z", "later").await;
    world.at("2026-11-25T03:00:00Z");
    world.schedule().await;
    assert_eq!(world.faults().await, ["2026-11-21 later added"]);
}

/// SP-29: the next seal notices what was altered since the last one, and is made all the same.
#[tokio::test]
async fn a_seal_names_what_was_altered_before_it_and_is_chained_to_what_was_sealed() {
    let world = sealed().await;
    world.log("2026-11-23T09:00:00Z", "f").await;
    world.at("2026-11-24T03:00:00Z");
    assert_eq!(world.schedule().await, ["2026-11-23 sealed rows 4"]);
    let mut altered = world.item("activity", "at", "#f").await;
    altered.insert("by".to_owned(), text("Eve"));
    world.put("activity", altered).await;
    world.at("2026-11-25T03:00:00Z");
    assert_eq!(world.schedule().await, ["2026-11-24 sealed rows 1 differences 1"]);
    assert_eq!(world.faults().await, ["2026-11-23 f altered"]);
}

/// SP-29: the seals themselves cannot be altered unnoticed either.
#[tokio::test]
async fn a_seal_or_a_page_that_was_altered_or_is_gone_is_named() {
    let world = sealed().await;
    let day = world.item("seals", "seal", "day#2026-11-21").await;
    let edits: [fn(&mut Item); 4] = [
        |seal| _ = seal.insert("rows".to_owned(), AttributeValue::N("1".to_owned())),
        |seal| _ = seal.insert("checksum".to_owned(), seal["previous"].clone()),
        |seal| _ = seal.remove("previous"),
        |seal| _ = seal.insert("pages".to_owned(), text("none")),
    ];
    for edit in edits {
        let mut altered = day.clone();
        edit(&mut altered);
        world.put("seals", altered).await;
        let faults = world.faults().await;
        assert_eq!(faults.first().unwrap(), "2026-11-21 seal_altered", "{faults:?}");
        world.put("seals", day.clone()).await;
    }
    world.remove("seals", SEALS, day.clone()).await;
    assert_eq!(world.faults().await, ["2026-11-21 seal_missing"]);
    world.put("seals", day.clone()).await;

    let page = day["pages"].as_l().unwrap()[0].as_s().unwrap().clone();
    let page = world.item("seals", "seal", &page).await;
    let mut shorter = page.clone();
    let rows = shorter["rows"].as_l().unwrap()[1..].to_vec();
    shorter.insert("rows".to_owned(), AttributeValue::L(rows));
    world.put("seals", shorter).await;
    assert_eq!(world.faults().await, ["2026-11-21 seal_altered"]);
    world.remove("seals", SEALS, page.clone()).await;
    assert_eq!(world.faults().await, ["2026-11-21 seal_altered"]);
    world.put("seals", page).await;
    assert!(world.faults().await.is_empty());

    // The seals at the end are cut off: two days later the day is overdue.
    world.remove("seals", SEALS, world.item("seals", "seal", "day#2026-11-22").await).await;
    world.at("2026-11-24T03:00:00Z");
    assert_eq!(world.faults().await, ["2026-11-22 seal_missing"]);
}

/// SP-29: a day whose rows were altered and sealed again does not fit to the days behind it.
#[tokio::test]
async fn a_day_that_was_sealed_again_breaks_the_chain() {
    let world = sealed().await;
    let next = world.item("seals", "seal", "day#2026-11-22").await;
    for end in ["day#2026-11-21", "day#2026-11-22"] {
        world.remove("seals", SEALS, world.item("seals", "seal", end).await).await;
    }
    let mut altered = world.item("activity", "at", "#d").await;
    altered.insert("by".to_owned(), text("Eve"));
    world.put("activity", altered).await;
    world.at("2026-11-23T02:00:00Z");
    assert_eq!(world.schedule().await, ["2026-11-21 sealed rows 2"]);
    world.put("seals", next).await;
    world.at("2026-11-23T03:00:00Z");
    assert_eq!(world.faults().await, ["2026-11-22 seal_unchained"]);
}

/// A range is compared alone, with the seal before it; what does not fit into the time is left for the next call.
#[tokio::test]
async fn a_range_of_days_is_compared_alone_and_in_time() {
    let world = sealed().await;
    let mut altered = world.item("activity", "at", "#b").await;
    altered.insert("by".to_owned(), text("Eve"));
    world.put("activity", altered).await;
    let found = world.verify_days(Some("2026-11-21"), Some("2026-11-21")).await;
    assert_eq!((found.faults, found.days, found.rows, found.next), (0, 1, 2, None));
    let deadline = world.clock.now();
    let organisation = crate::world::organisation();
    let late = report::verify(&world.tables, organisation, (None, None), &world.clock, deadline);
    let late = late.await.unwrap();
    assert_eq!((late.days, late.next), (0, Some("2026-11-20".parse().unwrap())), "{late:?}");
}

/// Two runs at once make one seal of each day, and neither fails.
#[tokio::test]
async fn two_runs_at_once_make_one_chain() {
    let world = World::new().await;
    world.log("2026-11-20T00:00:00Z", "a").await;
    world.log("2026-11-21T00:00:00Z", "b").await;
    world.at("2026-11-23T03:00:00Z");
    let wish = || json!({"organisation": ORGANISATION, "from": "2026-11-20"});
    let (one, other) = futures_util::future::join(world.ask(wish()), world.ask(wish())).await;
    let mut days = [one, other].concat();
    days.sort();
    assert_eq!(
        days,
        ["2026-11-20 sealed rows 1", "2026-11-21 sealed rows 1", "2026-11-22 sealed rows 0"]
    );
    let logged = world.rows("activity").await;
    assert_eq!(logged.iter().filter(|row| row["action"] == "log_sealed").count(), 3);
    assert!(world.faults().await.is_empty());
}

/// A table that does not answer leaves the day to the next schedule.
#[tokio::test]
async fn a_failure_anywhere_leaves_no_half_a_seal() {
    let clean = sealed().await;
    let whole = clean.rows("seals").await;
    for call in 1.. {
        let world = World::new().await;
        for (at, subject) in [("2026-11-20T00:00:00Z", "a"), ("2026-11-20T12:00:00Z", "b")] {
            world.log(at, subject).await;
        }
        world.at("2026-11-22T03:00:00Z");
        let lost = move |seen: &Call| if seen.number == call { Do::LoseAnswer } else { Do::Pass };
        world.proxy.plan(lost);
        let wish = json!({"organisation": ORGANISATION, "from": "2026-11-20"});
        let first = world.ask(wish.clone()).await;
        let is_done = !first.iter().any(|line| line.contains("failed"));
        world.ask(wish).await;
        assert!(world.faults().await.is_empty(), "call {call}");
        let days = world.rows("seals").await;
        let days = days.iter().filter(|row| row["seal"].starts_with("day#")).count();
        assert_eq!(days, 2, "call {call}");
        let logged = world.rows("activity").await;
        assert_eq!(logged.iter().filter(|row| row["action"] == "log_sealed").count(), 2);
        if is_done {
            assert!(call > 5, "the calls were seen");
            break;
        }
    }
    assert_eq!(whole.len(), 5);
}
