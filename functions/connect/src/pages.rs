//! The pages, in plain words. Their texts are templates: what a name holds is text, and never code.

use askama::Template;
use payments::codes;
use payments::oauth_state::Invitation;
use payments::permission::PERMISSIONS;
use xero::iana_zones;

use crate::response::Response;

const STYLE: &str = include_str!("../templates/style.css");

/// The style of all pages.
pub(crate) fn style() -> Response {
    Response::style(STYLE)
}

/// What all pages have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages {
    /// The operators' pages, to which each page leads back.
    pub(crate) console: Option<String>,
}

/// How an organisation stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    SignedUp,
    Disconnected,
    NotUsed,
}

/// An organisation on a page.
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) standing: Standing,
    pub(crate) outcome: Option<String>,
}

impl Line {
    fn is_signed_up(&self) -> bool {
        self.standing == Standing::SignedUp
    }

    fn words(&self) -> &str {
        match (&self.outcome, self.standing) {
            (Some(words), _) => words,
            (None, Standing::SignedUp) => "It was connected already; nothing has changed.",
            (None, Standing::Disconnected) => "It was disconnected before, and stays so.",
            (None, Standing::NotUsed) => "It is connected in Xero, and not used.",
        }
    }
}

codes! {
    /// Each end of a way to Xero, apart from the choice.
    VisitOutcome {
        SaidNo = "said-no",
        LinkUnknown = "link-unknown",
        LinkUsed = "link-used",
        LinkLate = "link-late",
        StateUnknown = "not-from-here",
        StateUsed = "used",
        StateLate = "late",
        Refused = "refused",
        NoChoice = "no-choice",
        InUse = "in-use",
        Foreign = "other-site",
        NotFound = "not-found",
        HealthIssue = "trouble",
    }
}

impl VisitOutcome {
    /// The address of its page: one of a list, so that nothing of a request is repeated.
    pub(crate) fn path(self) -> String {
        format!("/outcome/{}", self.code())
    }

    const fn status(self) -> u16 {
        match self {
            Self::SaidNo => 200,
            Self::LinkUnknown | Self::NotFound => 404,
            Self::LinkUsed | Self::LinkLate => 410,
            Self::StateUnknown | Self::StateUsed | Self::StateLate | Self::Refused => 400,
            Self::NoChoice | Self::Foreign => 403,
            Self::InUse => 409,
            Self::HealthIssue => 503,
        }
    }

    /// The event in words, and what to do.
    const fn words(self) -> (&'static str, &'static str) {
        const ASK: &str = "Ask the operator who sent you the link for a new one.";
        match self {
            Self::SaidNo => (
                "Not connected: you said no in Xero",
                "Nothing has changed. If you meant yes, ask the operator for a new link.",
            ),
            Self::LinkUnknown => ("This link is not known", ASK),
            Self::LinkUsed => (
                "This link was used already",
                "Each link works once. What came of it the first time stands. Ask the operator for a new one if you \
                 want to begin again.",
            ),
            Self::LinkLate => ("This link is too old", ASK),
            Self::StateUnknown => (
                "Not connected: this browser was not on its way to Xero",
                "Nothing has changed. Open the operator's link, and come back from Xero in the same browser, with \
                 cookies allowed.",
            ),
            Self::StateUsed => (
                "This way to Xero was gone already",
                "What came of it the first time stands, and nothing was done twice.",
            ),
            Self::StateLate => (
                "Not connected: it took more than ten minutes",
                "Nothing has changed. Ask the operator for a new link.",
            ),
            Self::Refused => (
                "Not connected: Xero did not complete it",
                "Nothing has changed here. Ask the operator for a new link, and pick at least one organisation.",
            ),
            Self::NoChoice => (
                "There is nothing to choose in this browser",
                "A choice can be made for half an hour after coming back from Xero, in the same browser. All that was \
                 chosen stands.",
            ),
            Self::InUse => (
                "This organisation is in use",
                "An administrator disconnects it on the operators' pages, with a reason.",
            ),
            Self::Foreign => ("This form came from another site", "Nothing was done."),
            Self::NotFound => ("There is no such page", "Open the operator's link."),
            Self::HealthIssue => (
                "This did not work, and the fault is ours",
                "Try again in a minute. If it happens again, call the operator; the log has the reason.",
            ),
        }
    }
}

#[derive(Template)]
#[template(path = "outcome.html")]
struct OutcomePage<'a> {
    title: &'a str,
    words: &'a str,
    console: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage<'a> {
    title: &'a str,
    link: &'a str,
    again: bool,
    by: &'a str,
    why: &'a str,
    permissions: Vec<(&'static str, &'static str, &'static str)>,
    console: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "choose.html")]
struct ChoosePage<'a> {
    title: &'a str,
    lines: &'a [Line],
    zones: Vec<&'static str>,
    console: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "done.html")]
struct DonePage<'a> {
    title: &'a str,
    lines: &'a [Line],
    missing: Option<String>,
    console: Option<&'a str>,
}

impl Pages {
    fn filled(&self, status: u16, page: &impl Template) -> Response {
        match page.render() {
            Ok(html) => Response::page(status, html),
            Err(error) => {
                tracing::error!(error = %error, "a page was not made");
                Response::page(503, String::new())
            }
        }
    }

    fn console(&self) -> Option<&str> {
        self.console.as_deref()
    }

    /// The page of the bare address.
    pub(crate) fn start(&self) -> Response {
        let words = "Xero is connected here by a link from an operator, who finds it on the operators' pages.";
        let page = OutcomePage { title: "Paymirror", words, console: self.console() };
        self.filled(200, &page)
    }

    pub(crate) fn outcome(&self, outcome: VisitOutcome) -> Response {
        let (title, words) = outcome.words();
        self.filled(outcome.status(), &OutcomePage { title, words, console: self.console() })
    }

    pub(crate) fn invitation(&self, link: &str, invitation: &Invitation) -> Response {
        let asked = |scope: &&str| PERMISSIONS.iter().find(|known| known.scope == *scope);
        let scopes: Vec<_> = invitation.scopes.split_whitespace().collect();
        let known = scopes.iter().filter_map(asked);
        let page = InvitationPage {
            title: "Connect Paymirror to Xero",
            link,
            again: invitation.organisation.is_some(),
            by: &invitation.by,
            why: &invitation.why,
            permissions: known.map(|one| (one.words, one.feature.words(), one.scope)).collect(),
            console: self.console(),
        };
        self.filled(200, &page)
    }

    pub(crate) fn choose(&self, lines: &[Line]) -> Response {
        let mut zones: Vec<_> = iana_zones().collect();
        zones.sort_unstable();
        let title = "Which organisations shall be used?";
        self.filled(200, &ChoosePage { title, lines, zones, console: self.console() })
    }

    pub(crate) fn done(&self, lines: &[Line], missing: Option<String>) -> Response {
        let title = "This is how it stands now";
        self.filled(200, &DonePage { title, lines, missing, console: self.console() })
    }
}
