//! A user is back from Xero. The answer is always a redirect to an address without code and state (XC-02), so
//! that neither is left in the history of the browser.

use access::{Connected, VisitError};
use host::telemetry;
use payments::oauth_state::{CHOICE_MAX, Choice, until, visit_key};
use secrecy::SecretString;
use url::Url;

use crate::Connector;
use crate::launch::trouble;
use crate::pages::VisitOutcome;
use crate::request::Request;
use crate::response::{Response, cookie_name};

impl Connector {
    /// Takes what Xero sends a browser back with.
    pub(crate) async fn callback(&self, request: &Request, base: &Url) -> Response {
        match self.returned(request, base).await {
            Ok(()) => Response::redirect(302, "/choose"),
            Err(outcome) => Response::redirect(302, outcome.path()),
        }
    }

    async fn returned(&self, request: &Request, base: &Url) -> Result<(), VisitOutcome> {
        let (state, browser) = (request.secret("state"), request.cookie(cookie_name(base)));
        let (Some(state), Some(browser)) = (state, browser) else {
            return Err(VisitOutcome::StateUnknown);
        };
        let now = self.clock.now();
        let Some(code) = request.value("code") else {
            let declined = self.xero.decline_visit(&self.tables, &state, Some(&browser), now).await;
            declined.map_err(|error| not_connected(&error))?;
            return Err(VisitOutcome::SaidNo);
        };
        let code = SecretString::from(code.to_owned());
        let ended =
            self.xero.end_visit(&self.tables, &state, Some(&browser), &code, None, now).await;
        let Connected { visit, consented } = ended.map_err(|error| not_connected(&error))?;
        let choice = Choice {
            grant: visit.grant,
            offered: consented
                .connections
                .into_iter()
                .map(|known| (known.organisation, known.name))
                .collect(),
            outcomes: Vec::new(),
            organisation: visit.organisation,
            until: until(now, CHOICE_MAX),
            by: visit.by,
            why: visit.why,
        };
        let begun = self.tables.begin_choice(&visit_key(&browser), &choice).await;
        begun.map_err(|error| trouble(&error))
    }
}

fn not_connected(error: &VisitError) -> VisitOutcome {
    match error {
        VisitError::Unknown => VisitOutcome::StateUnknown,
        VisitError::Used => VisitOutcome::StateUsed,
        VisitError::Late => VisitOutcome::StateLate,
        VisitError::Refused { .. } => VisitOutcome::Refused,
        VisitError::NoGrants | VisitError::NoPlace { .. } | VisitError::Tables(_) => {
            tracing::error!(error = telemetry::chain(error), "a user who is back was not served");
            VisitOutcome::HealthIssue
        }
    }
}
