//! Each figure of a report against a count in another way: SQL over the files of CSV that the report has left in its bucket.

use rusqlite::Connection;

use crate::world::World;

/// A database with a table for each file of CSV of a report.
pub(crate) fn database(world: &World, period: &str) -> Connection {
    let database = Connection::open_in_memory().unwrap();
    let folder = world.s3.file(&format!("{}/reports/{period}", crate::world::ORGANISATION));
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "csv") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = records(&text).into_iter();
        let columns = lines.next().unwrap();
        let names: Vec<_> = columns.iter().map(|name| format!("\"{name}\" TEXT")).collect();
        database.execute(&format!("CREATE TABLE \"{name}\" ({})", names.join(",")), []).unwrap();
        let marks = vec!["?"; columns.len()].join(",");
        let insert = format!("INSERT INTO \"{name}\" VALUES ({marks})");
        database.execute_batch("BEGIN").unwrap();
        let mut insert = database.prepare(&insert).unwrap();
        for line in lines {
            insert.execute(rusqlite::params_from_iter(line)).unwrap();
        }
        database.execute_batch("COMMIT").unwrap();
    }
    database
}

/// The records of a text of CSV (RFC 4180).
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut chars = text.chars().peekable();
    let mut quoted = false;
    while let Some(next) = chars.next() {
        match (next, quoted) {
            ('"', true) if chars.peek() == Some(&'"') => cell.extend(chars.next()),
            ('"', _) => quoted = !quoted,
            (',', false) => record.push(std::mem::take(&mut cell)),
            ('\n', false) => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            (other, _) => cell.push(other),
        }
    }
    records
}

/// By SQL: each figure with its numerator and its denominator.
const COUNTS: [(&str, &str); 8] = [
    (
        "tracking_accuracy",
        "SELECT SUM(verdict='right'), SUM(verdict IN ('right','wrong')) FROM orders",
    ),
    ("status_sync_time", "SELECT SUM(CAST(took_ms AS INTEGER)<=300000), COUNT(*) FROM sync_times"),
    (
        "reconciliation_success",
        "SELECT SUM(status='reconciled'), COUNT(*) FROM payments \
         WHERE money='confirmed' AND status IN ('reconciled','not_reconciled')",
    ),
    (
        "resolution_time",
        "SELECT SUM((julianday(ended_at)-julianday(opened_at))*86400<=172800.01), COUNT(*) FROM discrepancies WHERE ended_in_period='yes'",
    ),
    (
        "satisfaction",
        "SELECT SUM(state='satisfied'), SUM(state IN ('satisfied','not_satisfied')) FROM answers",
    ),
    (
        "report_accuracy",
        "SELECT SUM(outcome='same'), SUM(outcome IN ('same','differs')) FROM recounts",
    ),
    ("audit_success", "SELECT SUM(outcome='passed'), COUNT(*) FROM audits"),
    ("hands_free", "SELECT COUNT(*)-(SELECT COUNT(*) FROM handwork), COUNT(*) FROM payments"),
];

/// Every figure is what its list says, counted by SQL.
pub(crate) fn assert_counted(world: &World, period: &str) {
    let database = database(world, period);
    let one = |sql: &str| {
        let row = database.query_row(sql, [], |row| {
            Ok((
                row.get::<_, Option<i64>>(0)?.unwrap_or(0),
                row.get::<_, Option<i64>>(1)?.unwrap_or(0),
            ))
        });
        row.unwrap()
    };
    for (figure, sql) in COUNTS {
        let said = one(&format!(
            "SELECT CAST(numerator AS INTEGER), CAST(denominator AS INTEGER) FROM figures WHERE figure='{figure}'"
        ));
        assert_eq!(said, one(sql), "{period} {figure}");
    }
    // The rate is of what was due in the period, also of what ended before.
    let report = world.report_json(period);
    let bound = |name: &str| report["period"][name].as_str().unwrap().to_owned();
    let due = format!(
        "SELECT SUM(in_time='yes'), COUNT(*) FROM discrepancies \
         WHERE julianday(due_at) >= julianday('{}') AND julianday(due_at) < julianday('{}')",
        bound("from"),
        bound("until")
    );
    let said = "SELECT CAST(numerator AS INTEGER), CAST(denominator AS INTEGER) FROM figures WHERE figure='resolution_rate'";
    assert_eq!(one(said), one(&due), "{period} resolution_rate");
    // Percentiles by rank, and the breaches.
    let percentile = |percent: usize| {
        format!(
            "SELECT CAST(took_ms AS INTEGER), 0 FROM sync_times ORDER BY CAST(took_ms AS INTEGER) \
             LIMIT 1 OFFSET ((SELECT COUNT(*) FROM sync_times)*{percent}+99)/100-1"
        )
    };
    for (column, percent) in [("p50_ms", 50), ("p95_ms", 95), ("max_ms", 100)] {
        let said = one(&format!(
            "SELECT CAST({column} AS INTEGER), 0 FROM figures WHERE figure='status_sync_time'"
        ));
        assert_eq!(said, one(&percentile(percent)), "{period} {column}");
    }
    let breaches =
        one("SELECT CAST(breaches AS INTEGER), 0 FROM figures WHERE figure='status_sync_time'");
    assert_eq!(breaches, one("SELECT SUM(breach='yes'), 0 FROM sync_times"), "{period} breaches");
    // Sums of money, in cents so that nothing is rounded; and the trends add up to the whole (SP-31).
    let cents = "SUM(CAST(ROUND(amount*100) AS INTEGER))";
    let whole = one(&format!("SELECT COUNT(*), {cents} FROM payments"));
    assert_eq!(
        one(&format!("SELECT SUM(CAST(payments AS INTEGER)), {cents} FROM sums")),
        whole,
        "{period} sums"
    );
    for by in ["customer", "method"] {
        let trend = format!(
            "SELECT SUM(CAST(payments AS INTEGER)), {cents} FROM trends WHERE \"by\"='{by}'"
        );
        assert_eq!(one(&trend), whole, "{period} by {by}");
    }
    let weeks = "SELECT SUM(CAST(payments AS INTEGER)), SUM(CAST(opened AS INTEGER)) FROM weeks";
    let opened =
        "SELECT COUNT(*), (SELECT SUM(opened_in_period='yes') FROM discrepancies) FROM payments";
    assert_eq!(one(weeks), one(opened), "{period} weeks");
    let causes = "SELECT SUM(CAST(opened AS INTEGER)), SUM(CAST(ended AS INTEGER)) FROM causes";
    let by_list =
        "SELECT SUM(opened_in_period='yes'), SUM(ended_in_period='yes') FROM discrepancies";
    assert_eq!(one(causes), one(by_list), "{period} causes");
}
