//! What stands in the activity log is of a closed list, so that what is announced of it is chosen.

use std::path::Path;

use payments::Occurrence;
use table::AuditEntry;

use crate::samples::organisation;
use crate::world::World;

#[test]
fn no_row_of_the_log_is_written_with_an_action_of_its_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        let source = std::fs::read_to_string(&file).unwrap();
        let writes = source.matches(".text(\"action\",").count();
        // `Writer::logged` itself, and a step of what would be done in shadow, which is no row of the log; `stream.rs`
        // reads it by its code.
        let own = ["attributes.rs", "shadow_rows.rs"].iter().any(|own| file.ends_with(own));
        let expected = usize::from(own);
        assert_eq!(writes, expected, "{file:?}: use Writer::logged");
    }
}

#[tokio::test]
async fn a_row_that_says_who_has_done_what_is_never_overwritten() {
    // XC-27
    let world = World::new().await;
    let order = |by| AuditEntry {
        action: Occurrence::Ordered,
        subject: "contain_leak",
        reason: "a test",
        by,
        why: "why",
        at: "2026-11-25T08:00:00Z".parse().unwrap(),
    };
    for by in ["Ada", "Wilma", "Ada"] {
        world.tables.log_order(Some(organisation()), &order(by)).await.unwrap();
    }
    let rows = world.rows("activity").await;
    let mut by: Vec<_> = rows.iter().map(|row| row["by"].as_str()).collect();
    by.sort_unstable();
    assert_eq!(by, ["Ada", "Ada", "Wilma"], "one millisecond, one subject, three rows: {rows:?}");

    let said = ("Ada", "they leave");
    let at = order("Ada").at;
    world.tables.store_settings(&crate::samples::settings()).await.unwrap();
    assert!(world.tables.disconnect(organisation(), said, at).await.unwrap());
    assert!(world.tables.reconnect(organisation(), said, at).await.unwrap());
    assert!(
        !world.tables.disconnect(organisation(), ("Eve", "in place of Ada"), at).await.unwrap(),
        "it would take the place of Ada's row"
    );
    assert!(world.tables.enter_shadow(organisation(), said, at).await.unwrap());
    assert!(world.tables.leave_shadow(organisation(), said, at).await.unwrap());
    let eve = world.tables.enter_shadow(organisation(), ("Eve", "in place of Ada"), at).await;
    assert!(!eve.unwrap(), "nor is the row of the shadow overwritten");
    let rows = world.rows("activity").await;
    for action in ["disconnected", "shadow_entered"] {
        let row = rows.iter().find(|row| row["action"] == action).unwrap();
        assert_eq!(row["by"], "Ada", "{action}");
    }
}
