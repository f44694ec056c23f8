//! Which organisation, if there are several and the widget does not say.

use askama::Template;
use jiff::Timestamp;
use table::OrganisationRow;

use super::{PageError, filled, name_of};
use crate::event::Show;
use crate::view::{Button, Buttons, Frame, Navigation, Notice};

struct Line {
    name: String,
    id: String,
    state: &'static str,
    button: Button,
}

#[derive(Template)]
#[template(path = "choose.html")]
struct Choose {
    frame: Frame,
    lines: Vec<Line>,
    more: bool,
}

/// The organisations to choose from.
pub(crate) fn choose(
    rows: &[OrganisationRow],
    more: bool,
    show: &Show,
    buttons: &Buttons,
    notices: Vec<Notice>,
    now: Timestamp,
) -> Result<String, PageError> {
    let line = |row: &OrganisationRow| {
        let id = row.organisation.to_string();
        let of = Buttons { organisation: Some(id.clone()), ..buttons.clone() };
        let state = match &row.settings {
            Ok(settings) if settings.mirror_enabled => "mirrored",
            Ok(_) => "not mirrored",
            Err(_) => "its settings cannot be read",
        };
        let button = of.page("Show", show.page, serde_json::json!({}));
        Line { name: name_of(row), id, state, button }
    };
    let frame = Frame {
        dark: show.dark,
        title: "Which organisation?",
        organisation: String::new(),
        role: buttons.role,
        nav: Navigation::default(),
        notices,
        trouble: Vec::new(),
        footer: format!("As of {now:.0}; {} rows read.", rows.len()),
    };
    filled(&Choose { frame, lines: rows.iter().map(line).collect(), more })
}
