//! Pages that say something instead of showing something.

use askama::Template;
use jiff::Timestamp;
use payments::connection::AccessMode;

use super::configure::{self, Another};
use super::{Page, PageError, filled};
use crate::event::Show;
use crate::roles::Role;
use crate::view::{Button, Buttons, Frame, Navigation, Notice};

#[derive(Template)]
#[template(path = "notices.html")]
struct NoticesPage {
    frame: Frame,
    lines: Vec<String>,
    sign_up: Option<Button>,
    connect: Option<Button>,
}

/// A page of sentences.
pub(crate) fn tell(
    title: &'static str,
    dark: bool,
    buttons: &Buttons,
    notices: Vec<Notice>,
    lines: Vec<String>,
    now: Timestamp,
) -> Result<String, PageError> {
    let frame = Frame {
        dark,
        title,
        organisation: buttons.organisation.clone().unwrap_or_default(),
        role: buttons.role,
        nav: Navigation::default(),
        notices,
        trouble: Vec::new(),
        footer: format!("As of {now:.0}."),
    };
    filled(&NoticesPage { frame, lines, sign_up: None, connect: None })
}

/// The page of a stack in which no organisation is set up: an administrator signs the first one up.
pub(crate) fn no_organisation(
    show: &Show,
    buttons: &Buttons,
    mode: AccessMode,
    notices: Vec<Notice>,
    now: Timestamp,
) -> Result<String, PageError> {
    let Another { sign_up, connect } = configure::another(buttons, mode);
    let may = sign_up.is_some() || connect.is_some();
    let who = match may {
        true => "Sign the first one up here.".to_owned(),
        false => {
            format!("An administrator signs the first one up, with -{}.", Role::Admin.function())
        }
    };
    let frame = Frame {
        dark: show.dark,
        title: "No organisation",
        organisation: String::new(),
        role: buttons.role,
        nav: Navigation::default(),
        notices,
        trouble: Vec::new(),
        footer: format!("As of {now:.0}."),
    };
    let lines = vec![format!("No organisation is set up. {who}")];
    filled(&NoticesPage { frame, lines, sign_up, connect })
}

/// The page for those who may not (ST-22): what was refused, and who may.
pub(crate) fn refused(
    what: &str,
    least: Role,
    dark: bool,
    buttons: &Buttons,
    now: Timestamp,
) -> Result<String, PageError> {
    let lines = vec![
        format!(
            "\u{201c}{what}\u{201d} takes the role {least}; you are here as {}. Nothing was done.",
            buttons.role
        ),
        format!(
            "Open the dashboard whose name ends in -{}. If you may not, an administrator of the AWS account gives you \
             the stack's {}.",
            least.function(),
            least.policy()
        ),
        "This attempt stands in the activity log, with the request's id.".to_owned(),
    ];
    tell("Not allowed", dark, buttons, Vec::new(), lines, now)
}

/// The help that CloudWatch shows to the author of a widget of the function.
pub(crate) fn describe(role: Role) -> String {
    let mut text = format!(
        "## Paymirror, as {role}\n\nShows a page of the operators' console.\n\n\
         | parameter | meaning |\n|---|---|\n\
         | `page` | which page; `{}` if it is left out |\n\
         | `organisation` | Xero's tenant id; needed if there are several |\n\n\
         | `page` | shows |\n|---|---|\n",
        Page::default()
    );
    for page in Page::ALL.iter().filter(|page| role.may(page.least_role())) {
        text.push_str(&format!("| `{page}` | {} |\n", page.what()));
    }
    text.push_str("\n```yaml\npage: integrations\n```\n");
    text
}
