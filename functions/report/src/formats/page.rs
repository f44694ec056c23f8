//! One page to read and to print: the figures first, two charts, and the beginning of each list.

use std::fmt::Write as _;

use figures::{Cell, Sheet};

use super::Heading;

/// Rows of a list that the page shows; its file of CSV has all of them.
const SHOWN_MAX: usize = 200;
/// Lists that are too long for paper: only their length is shown.
const LONG: [&str; 3] = ["payments", "sync_times", "handwork"];
const STYLE: &str = "
@page{size:297mm 210mm;margin:12mm}
body{font:13px/1.4 system-ui,sans-serif;color:#16191f;margin:24px;max-width:1200px}
h1{font-size:22px;margin:0 0 4px}h2{font-size:16px;margin:24px 0 6px;break-after:avoid}
p{margin:4px 0;overflow-wrap:anywhere}.muted{color:#545b64}
table{border-collapse:collapse;width:100%;font-size:11px}
th,td{border-bottom:1px solid #d5dbdb;padding:3px 6px;text-align:left;vertical-align:top;overflow-wrap:break-word}
th{background:#f2f3f3}tr{break-inside:avoid}thead{display:table-header-group}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bad{color:#b0210a;font-weight:600}.good{color:#1a6b2b}
svg{width:100%;height:auto;max-height:260px;break-inside:avoid}
@media print{body{margin:0;max-width:none}}";

pub(super) fn html(heading: &Heading, sheets: &[Sheet]) -> String {
    let period = heading.period;
    let kind = period.kind.code();
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Payments {first} to {last}</title><style>{STYLE}</style></head><body>\n\
         <h1>Payments from {first} to {last}</h1>\n<p>{organisation}, {kind} report, by the clock of {zone}.</p>\n\
         <p class=\"muted\">{rests}. Checksum of report.json: {checksum}.</p>\n",
        first = period.first,
        last = period.last,
        organisation = escaped(&heading.organisation),
        zone = escaped(&heading.time_zone),
        rests = escaped(&heading.rests_on),
        checksum = heading.checksum,
    );
    for sheet in sheets {
        let _ = writeln!(text, "<h2>{}</h2>", escaped(sheet.title));
        match sheet.name {
            "weeks" => text.push_str(&stacked(sheet)),
            "causes" => text.push_str(&bars(sheet)),
            _ => {}
        }
        if LONG.contains(&sheet.name) {
            let _ = writeln!(
                text,
                "<p>{} rows, in <code>{}.csv</code>.</p>",
                sheet.rows.len(),
                sheet.name
            );
        } else {
            table(&mut text, sheet);
        }
    }
    text.push_str("</body></html>\n");
    text
}

fn table(text: &mut String, sheet: &Sheet) {
    if sheet.rows.is_empty() {
        text.push_str("<p class=\"muted\">None.</p>\n");
        return;
    }
    let is_number = |column: usize| {
        sheet
            .rows
            .iter()
            .any(|row| matches!(row.get(column), Some(Cell::Count(_) | Cell::Amount(_))))
    };
    let classes: Vec<_> = (0..sheet.columns.len())
        .map(|column| if is_number(column) { " class=\"n\"" } else { "" })
        .collect();
    text.push_str("<table><thead><tr>");
    for (column, class) in sheet.columns.iter().zip(&classes) {
        let _ = write!(
            text,
            "<th scope=\"col\"{class}>{}</th>",
            column.trim_end_matches("_ms").replace('_', " ")
        );
    }
    text.push_str("</tr></thead><tbody>\n");
    for row in sheet.rows.iter().take(SHOWN_MAX) {
        text.push_str("<tr>");
        for ((cell, column), class) in row.iter().zip(sheet.columns).zip(&classes) {
            let _ = write!(text, "<td{class}>{}</td>", shown(cell, column));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody></table>\n");
    let more = sheet.rows.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        let _ = writeln!(
            text,
            "<p class=\"muted\">{more} more rows in <code>{}.csv</code>.</p>",
            sheet.name
        );
    }
}

/// A cell for people: seconds in place of milliseconds, instants without their fraction.
fn shown(cell: &Cell, column: &str) -> String {
    match (cell, column) {
        (Cell::Count(millis), _) if column.ends_with("_ms") => span(*millis),
        (Cell::Moment(moment), _) => moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        (Cell::Text(text), "met") => match text.as_str() {
            "no" => "<span class=\"bad\">▲ no</span>".to_owned(),
            "yes" => "<span class=\"good\">yes</span>".to_owned(),
            text => escaped(text),
        },
        (cell, _) => escaped(&cell.to_string()),
    }
}

fn span(millis: u64) -> String {
    let (seconds, rest) = (millis / 1_000, millis % 1_000);
    match seconds {
        0..60 => format!("{seconds}.{:01} s", rest / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

const WIDTH: u64 = 1_000;
const HEIGHT: u64 = 200;

fn count(row: &[Cell], column: usize) -> u64 {
    match row.get(column) {
        Some(Cell::Count(count)) => *count,
        _ => 0,
    }
}

/// Payments of each week, stacked by how they stand.
fn stacked(sheet: &Sheet) -> String {
    const PARTS: [(&str, &str, usize); 3] = [
        ("reconciled", "#1d8102", 2),
        ("in transit", "#0073bb", 3),
        ("not reconciled", "#d13212", 4),
    ];
    let most =
        sheet.rows.iter().map(|row| PARTS.iter().map(|(_, _, at)| count(row, *at)).sum::<u64>());
    let most = most.max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let mut svg = opened("Payments of each week by how they stand", HEIGHT + 50);
    let weeks = u64::try_from(sheet.rows.len()).unwrap_or(1);
    let step = (WIDTH - 60) / weeks.max(1);
    let every = weeks.div_ceil(14);
    for (week, row) in (0..).zip(&sheet.rows) {
        let (x, mut y) = (50 + week * step, HEIGHT);
        for (name, colour, at) in PARTS {
            let high = count(row, at) * (HEIGHT - 10) / most;
            y -= high;
            let _ = write!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{high}\" fill=\"{colour}\"><title>{name}: {}</title></rect>",
                (step * 4 / 5).max(1),
                count(row, at)
            );
        }
        if week % every == 0 {
            let day = row.first().map(ToString::to_string).unwrap_or_default();
            let _ =
                write!(svg, "<text x=\"{x}\" y=\"{}\" font-size=\"11\">{day}</text>", HEIGHT + 16);
        }
    }
    let _ = write!(
        svg,
        "<text x=\"0\" y=\"14\" font-size=\"11\">{most}</text><text x=\"0\" y=\"{HEIGHT}\" font-size=\"11\">0</text>"
    );
    for ((name, colour, _), x) in PARTS.iter().zip((50..).step_by(160)) {
        let _ = write!(
            svg,
            "<rect x=\"{x}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\" font-size=\"12\">{name}</text>",
            HEIGHT + 30,
            x + 18,
            HEIGHT + 41
        );
    }
    svg + "</svg>\n"
}

/// Discrepancies that were opened, by cause, the most first.
fn bars(sheet: &Sheet) -> String {
    let mut rows: Vec<_> = sheet.rows.iter().map(|row| (count(row, 1), row)).collect();
    rows.retain(|(opened, _)| *opened > 0);
    rows.sort_by(|(one, _), (other, _)| other.cmp(one));
    let Some(most) = rows.first().map(|(most, _)| *most) else { return String::new() };
    let lines = u64::try_from(rows.len()).unwrap_or(0);
    let mut svg = opened("Discrepancies that were opened, by cause", lines * 22 + 6);
    for ((opened, row), line) in rows.into_iter().zip(0..) {
        let cause = row.first().map(ToString::to_string).unwrap_or_default();
        let wide = (opened * (WIDTH - 330) / most).max(1);
        let y = line * 22;
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{}\" font-size=\"13\">{}</text><rect x=\"240\" y=\"{y}\" width=\"{wide}\" height=\"16\" fill=\"#d13212\"/>\
             <text x=\"{}\" y=\"{}\" font-size=\"13\">{opened}</text>",
            y + 13,
            escaped(&cause),
            248 + wide,
            y + 13
        );
    }
    svg + "</svg>\n"
}

fn opened(title: &str, height: u64) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{title}\">")
}
