//! Settings are changed by an administrator: each is checked first, and nothing that is typed stops an organisation.

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use worlds::sweep::World;
use xero_simulator::{Effect, Fault};

fn configure(world: &World, settings: &[String]) -> Value {
    let fields = json!({"organisation": world.tenant.to_string(), "settings": settings});
    json!({"command": {"configure": fields}, "attribution": {"by": "Ada", "reason": "as agreed"}})
}

/// A second after the change before.
async fn set(world: &World, settings: &[&str]) -> Result<Value, String> {
    world.clock.advance(SignedDuration::from_secs(1));
    let settings: Vec<_> = settings.iter().map(|line| (*line).to_owned()).collect();
    world.command(configure(world, &settings)).await
}

#[tokio::test]
async fn cc_29_a_setting_is_changed_with_its_old_and_new_value_in_the_log() {
    let world = World::new().await;
    let answer = set(&world, &["forward_days=9", "holidays=2026-12-25, 2026-12-26"]).await.unwrap();

    let changed = answer["changed"].as_array().unwrap();
    assert_eq!(changed.len(), 2, "{answer}");
    assert!(changed.contains(&json!({"setting": "forward_days", "before": "7", "after": "9"})));
    let row = &world.rows("organisations").await[0];
    assert_eq!(row["forward_days"], "#9");
    let settings = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    assert_eq!((settings.forward_days, settings.close.holidays.len()), (Some(9), 2));
    let log = world.rows("activity").await;
    let ordered = log.iter().find(|row| row.get("order").is_some_and(|order| order == "configure"));
    let ordered = ordered.unwrap();
    assert!(ordered["reason"].contains("forward_days: 7 -> 9"), "{ordered:?}");
    assert_eq!((ordered["by"].as_str(), ordered["rule"].as_str()), ("Ada", "CC-29"));

    // What is as it was leaves no row.
    let again = set(&world, &["forward_days=9"]).await.unwrap();
    assert_eq!(again, json!({"changed": [], "recorded": false}));
    assert_eq!(world.rows("activity").await.len(), log.len());
    // Another change at the same moment takes no row's place (XC-27): it is refused, and goes a moment later.
    let change = configure(&world, &["forward_days=".to_owned()]);
    world.clock.advance(SignedDuration::from_secs(-1));
    let same_moment = world.command(change).await;
    assert!(same_moment.is_err(), "{same_moment:?}");
    assert_eq!(world.rows("activity").await, log);
    // An empty field takes the default.
    set(&world, &["forward_days="]).await.unwrap();
    assert_eq!(world.rows("activity").await.len(), log.len() + 1);
    let settings = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    assert_eq!(settings.forward_days, None);
}

#[tokio::test]
async fn cc_29_a_field_that_makes_no_sense_is_named_and_changes_nothing() {
    let world = World::new().await;
    let before = world.rows("organisations").await;
    for (line, named) in [
        ("time_zone=Sydney", "`time_zone`"),
        ("time_zone=", "`time_zone`"),
        ("forward_days=9999", "`forward_days`"),
        ("forward_days=-1", "`forward_days`"),
        ("calls_per_day=0", "`calls_per_day`"),
        ("close_at=25:00", "`close_at`"),
        ("holidays=Christmas", "`holidays`"),
        ("digest_at=03:00", "`digest_at`"),
        ("mirror_enabled=perhaps", "`mirror_enabled`"),
        ("upload_enabled=true", "`upload_start`"),
        ("fee_accounts=processing", "`fee_accounts`"),
        ("name_of_nothing=1", "`name_of_nothing`"),
    ] {
        // All of them or none: the one that makes sense is not stored either.
        let error = set(&world, &["cutover_on=2026-12-01", line]).await.unwrap_err();
        assert!(error.contains(named), "{line}: {error}");
    }
    assert_eq!(world.rows("organisations").await, before);
}

#[tokio::test]
async fn cm_02_a_direction_is_not_switched_on_while_a_precondition_fails() {
    let world = World::new().await;
    set(&world, &["mirror_enabled=false"]).await.unwrap();
    let refused = || Effect::Status { status: 403, headers: vec![], body: String::new() };
    for (path, what) in
        [("/Organisation", "Xero does not show it"), ("/Invoices", "invoices cannot be read")]
    {
        world.simulator.inject(Fault::on("GET", path, refused()));
        let error = set(&world, &["mirror_enabled=true"]).await.unwrap_err();
        assert!(error.contains("nothing is switched on") && error.contains(what), "{error}");
        let settings = world.tables.settings(world.organisation()).await.unwrap().unwrap();
        assert!(!settings.mirror_enabled);
        world.simulator.clear_faults();
    }
    set(&world, &["mirror_enabled=true"]).await.unwrap();
    let settings = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    assert!(settings.mirror_enabled);
}

#[tokio::test]
async fn cc_29_an_account_that_does_not_fit_is_refused_by_the_server_as_well() {
    // XC-13: a typed id that Xero does not know.
    let world = World::new().await;
    let listed = json!({"command": {"list_accounts": {"organisation": world.tenant.to_string()}}});
    let listed = world.command(listed).await.unwrap();
    let fits = &listed["uses"][0]["candidates"][0];
    let stranger = "upload_account_id=00000000-0000-0000-0000-0000000000ff";
    let error = set(&world, &["upload_start=2026-03-01", stranger]).await.unwrap_err();
    assert!(error.contains("`upload_account_id`") && error.contains("not in Xero"), "{error}");
    let good = format!("upload_account_id={}", fits["id"].as_str().unwrap());
    let error =
        set(&world, &["upload_start=2026-03-01", &good, "prepayment_account_code=nonsense"]).await;
    assert!(error.unwrap_err().contains("`prepayment_account_code`"));

    set(&world, &["upload_start=2026-03-01", &good, "upload_enabled=true"]).await.unwrap();
    let settings = world.tables.settings(world.organisation()).await.unwrap().unwrap();
    assert!(settings.upload.unwrap().enabled);
}

/// Something that a person, a program or an accident may put into a field.
fn nonsense() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[ -~]{0,40}",
        "\\PC{0,30}",
        "-?[0-9]{1,25}(\\.[0-9]{1,3})?",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{0,8}Z?)?",
        "[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2})?",
        Just("true".to_owned()),
        Just("false".to_owned()),
        Just("USD: 00000000-0000-0000-0000-000000000007".to_owned()),
        Just("processing: 404/INPUT, processing: ".to_owned()),
        Just("00000000-0000-0000-0000-000000000007".to_owned()),
        Just("x".repeat(5_000)),
    ]
}

#[tokio::test]
async fn cc_29_no_text_in_any_field_ever_stops_an_organisation() {
    let world = World::new().await;
    let names: Vec<_> = payments::SETTINGS.iter().map(|spec| spec.name).collect();
    let texts = proptest::collection::vec((proptest::sample::select(names), nonsense()), 1..4);
    let mut runner =
        TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let mut taken = 0_usize;
    for _ in 0..300 {
        let typed = texts.new_tree(&mut runner).unwrap().current();
        let lines: Vec<_> = typed.iter().map(|(name, text)| format!("{name}={text}")).collect();
        world.clock.advance(SignedDuration::from_secs(1));
        let answer = world.command(configure(&world, &lines)).await;
        taken += usize::from(answer.is_ok());
        let settings = world.tables.settings(world.organisation()).await;
        let settings = settings.unwrap_or_else(|error| panic!("{lines:?}: {error}")).unwrap();
        // A direction is off only where a person has said so.
        let said_off = typed.iter().any(|(name, text)| {
            *name == "mirror_enabled" && matches!(text.trim(), "false" | "off" | "")
        });
        assert!(settings.mirror_enabled || said_off, "{lines:?}");
        if said_off {
            set(&world, &["mirror_enabled=true"]).await.unwrap();
        }
    }
    // The test would prove nothing if everything were refused, or everything taken.
    assert!((30..290).contains(&taken), "{taken}");
    // And the next sync goes as ever.
    let swept = world
        .command(json!({"command": {"sync_now": {"organisation": world.tenant.to_string()}},
        "attribution": {"by": "Ada", "reason": "w"}}))
        .await
        .unwrap();
    assert_eq!(swept["sweeps"][0]["outcome"], "finished", "{swept}");
}
