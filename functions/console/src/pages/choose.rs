//! Which organisation, if there are several and the widget does not say.

use askama::Template;
use jiff::Timestamp;
use payments::sweep::SweepKind;
use table::{OrganisationRow, Tables};

use super::{PageError, Trouble, filled};
use crate::event::Show;
use crate::times;
use crate::view::{Button, Buttons, Frame, Navigation, Notice};

struct Line {
    name: String,
    id: String,
    /// How it is.
    health: String,
    is_well: bool,
    button: Button,
}

#[derive(Template)]
#[template(path = "choose.html")]
struct Choose {
    frame: Frame,
    lines: Vec<Line>,
    more: bool,
}

/// The organisations to choose from, each with what stands in its way. Returns how many rows were read, too.
pub(crate) async fn choose(
    tables: &Tables,
    (rows, more): (&[OrganisationRow], bool),
    show: &Show,
    buttons: &Buttons,
    notices: Vec<Notice>,
    now: Timestamp,
) -> Result<(String, usize), PageError> {
    let (mut lines, mut read) = (Vec::new(), rows.len());
    for row in rows {
        let (health, is_well, of_it) = health(tables, row, now).await;
        read = read.saturating_add(of_it);
        let id = row.organisation.to_string();
        let of =
            Buttons { organisation: Some(id.clone()), is_one_of_several: true, ..buttons.clone() };
        let button = of.page("Open", show.page, serde_json::json!({})).about(row.title());
        lines.push(Line { name: row.title(), id, health, is_well, button });
    }
    // What needs a person comes first.
    lines.sort_by_key(|line| line.is_well);
    let frame = Frame {
        dark: show.dark,
        title: "Which organisation?",
        organisation: String::new(),
        role: buttons.role,
        nav: Navigation::default(),
        notices,
        trouble: Vec::new(),
        footer: format!("As of {now:.0}; {read} rows read."),
    };
    Ok((filled(&Choose { frame, lines, more })?, read))
}

/// How an organisation is, in a sentence; whether that is well; and how many rows say so.
async fn health(tables: &Tables, row: &OrganisationRow, now: Timestamp) -> (String, bool, usize) {
    let settings = match &row.settings {
        Ok(settings) => settings,
        Err(_) => return ("Its settings cannot be read.".to_owned(), false, 0),
    };
    if settings.disconnected_at.is_some() {
        return ("Disconnected from Xero.".to_owned(), false, 0);
    }
    let trouble = Trouble::read(tables, settings, now).await;
    let read = trouble.rows.saturating_add(1);
    if let Some(sentence) = trouble.sentences.first() {
        return (sentence.clone(), false, read);
    }
    let directions = match (
        settings.mirror_enabled,
        settings.upload.as_ref().is_some_and(|upload| upload.enabled),
    ) {
        (true, true) => "Payments go both ways.",
        (true, false) => "Payments are copied from Xero.",
        (false, true) => "Payments go to Xero.",
        (false, false) => return ("Switched off.".to_owned(), true, read),
    };
    let sweep = tables.sweep(row.organisation, SweepKind::Changes).await.ok();
    let last = sweep.and_then(|sweep| sweep.last_success_at);
    let last = times::moment_or(last, "never", &settings.zone, now);
    (format!("{directions} Last read from Xero: {last}."), true, read)
}
