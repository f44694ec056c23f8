//! The page of reports, their files behind links that expire, and what does not agree with the log (SP-27, SP-33).

use archive::{Archive, ArchiveFile};
use console::roles::Role;
use harness::http;
use harness::s3::{BUCKET, S3Folder};
use payments::seal::Checksum;
use serde_json::json;
use table::{Recount, StoredReport};

use crate::html::{assert_harmless, tags, text};
use crate::world::{ORGANISATION, World, ago, command, now, organisation};

const WEEK: &str = "weekly-2026-11-16-2026-11-22";

fn report() -> StoredReport {
    let checksum = Checksum::of_bytes(b"a report");
    StoredReport {
        organisation: organisation(),
        period: WEEK.to_owned(),
        format: 1,
        checksum,
        sealed_day: "2026-11-22".parse().unwrap(),
        seal: checksum,
        basis: "{}".to_owned(),
        files: vec!["report.json".to_owned(), "payments.csv".to_owned()],
        headline: "reconciled 99.20 %".to_owned(),
        made_at: ago(600),
        by: Some("Wilma".to_owned()),
        recount: None,
    }
}

/// A file is reached by its link, with the right of the function and for a quarter of an hour, and by nothing else (SP-27).
#[tokio::test]
async fn a_file_is_reached_by_its_link_alone_sp_27() {
    let s3 = S3Folder::serve().await;
    let archive = Archive::new(s3.client.clone(), BUCKET);
    let world = World::new().await.with_archive(archive.clone());
    let none = text(&world.look("reports").await);
    assert!(none.contains("Reports come by themselves"), "{none}");
    world.tables.store_report(&report()).await.unwrap();
    let file = ArchiveFile {
        name: "payments.csv".to_owned(),
        media_type: "text/csv",
        bytes: b"about\n".to_vec(),
    };
    archive.put(&report().folder(), file).await.unwrap();
    let event = json!({"page": "reports", "organisation": ORGANISATION, "word": WEEK});
    let html = world.page(Role::Viewer, event).await;
    assert_harmless(&html);
    let said = text(&html);
    for words in [WEEK, "reconciled 99.20 %", "ordered by Wilma", "not yet", "for 15 minutes"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let links: Vec<String> = tags(&html)
        .into_iter()
        .filter(|(name, _)| name == "a")
        .flat_map(|(_, attributes)| attributes)
        .filter(|(name, value)| name == "href" && value.contains("payments.csv"))
        .map(|(_, value)| value.replace("&#38;", "&"))
        .collect();
    let [link] = links.as_slice() else { panic!("{links:?}") };
    assert!(link.contains("X-Amz-Expires=900"), "{link}");
    let read = http::client().get(link).send().await.unwrap();
    assert_eq!((read.status().as_u16(), read.text().await.unwrap().as_str()), (200, "about\n"));
    let (bare, _) = link.split_once('?').unwrap();
    assert_eq!(http::client().get(bare).send().await.unwrap().status().as_u16(), 403);
    let other = link.replace("payments.csv", "report.json");
    assert_eq!(http::client().get(other).send().await.unwrap().status().as_u16(), 403);
}

/// A report that does not agree with the log is work (SP-33).
#[tokio::test]
async fn what_does_not_agree_with_the_log_needs_a_person_sp_33() {
    let s3 = S3Folder::serve().await;
    let world = World::new().await.with_archive(Archive::new(s3.client.clone(), BUCKET));
    let mut report = report();
    world.tables.store_report(&report).await.unwrap();
    let said = text(&world.look("needs_you").await);
    assert!(!said.contains(WEEK), "{said}");
    let difference = Some("the log gives other: payments".to_owned());
    report.recount = Some(Recount { at: now(), checksum: report.checksum, difference });
    world.tables.store_recount(&report).await.unwrap();
    for page in ["needs_you", "reports", "messages"] {
        let said = text(&world.look(page).await);
        assert!(
            said.contains(WEEK) && said.contains("the log gives other: payments"),
            "{page}: {said}"
        );
    }
}

/// An operator orders a report of any days, and does not wait for it (SP-27).
#[tokio::test]
async fn an_operator_orders_a_report_of_any_days_sp_27() {
    let s3 = S3Folder::serve().await;
    let world = World::new().await.with_archive(Archive::new(s3.client.clone(), BUCKET));
    world.answers(Ok(json!({"report": "custom-2026-11-01-2026-11-20", "recorded": true})));
    let event = json!({
        "page": "reports", "order": "make_report", "organisation": ORGANISATION,
        "widgetContext": {"forms": {"all": {
            "pm_first_day": "2026-11-01", "pm_last_day": "2026-11-20", "pm_by": "Ada", "pm_why": "a payment is missing",
        }}},
    });
    let said = text(&world.page(Role::Operator, event).await);
    assert!(said.contains("custom-2026-11-01-2026-11-20 is on its way"), "{said}");
    let fields =
        json!({"organisation": ORGANISATION, "first_day": "2026-11-01", "last_day": "2026-11-20"});
    assert_eq!(world.asked(), [command("make_report", fields)]);
}
