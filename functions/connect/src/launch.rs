//! An operator's link is opened: first a page that says what it is about, and then the way to Xero. Opening the link
//! changes nothing, since mail programs open links as well; only the button uses it up.

use access::{NewVisit, secret_text};
use host::telemetry;
use payments::oauth_state::{Invitation, visit_key};
use table::OneTime;
use url::Url;

use crate::pages::VisitOutcome;
use crate::request::Request;
use crate::response::Response;
use crate::{CALLBACK, Connector};

impl Connector {
    /// The page behind a link.
    pub(crate) async fn invite(&self, request: &Request) -> Response {
        match self.invitation(request).await {
            Ok((_, invitation)) => {
                let link = request.value("link").unwrap_or_default();
                self.pages.invitation(link, &invitation).leading_to(&self.login)
            }
            Err(outcome) => self.pages.outcome(outcome),
        }
    }

    /// The button was pressed: the link is used up, and the browser goes to Xero with a state and a cookie.
    pub(crate) async fn launch(&self, request: &Request, base: &Url) -> Response {
        match self.launched(request, base).await {
            Ok(response) => response,
            Err(outcome) => self.pages.outcome(outcome),
        }
    }

    async fn launched(&self, request: &Request, base: &Url) -> Result<Response, VisitOutcome> {
        let (key, invitation) = self.invitation(request).await?;
        let redirect = base.join(CALLBACK).map_err(|_| VisitOutcome::HealthIssue)?;
        let (browser, now) = (secret_text(), self.clock.now());
        let used = self.tables.use_up(OneTime::Link, &key, now).await;
        if !used.map_err(|error| trouble(&error))? {
            return Err(VisitOutcome::LinkUsed);
        }
        let new = NewVisit {
            redirect: &redirect,
            grant: invitation.grant,
            organisation: invitation.organisation,
            scopes: &invitation.scopes,
            browser: Some(&browser),
            by: &invitation.by,
            why: &invitation.why,
        };
        let begun = self.xero.begin_visit(&self.tables, &self.login, &new, now).await;
        let begun = begun.map_err(|error| trouble(&error))?;
        Ok(Response::redirect(303, begun.url).with_cookie(base, &browser))
    }

    async fn invitation(&self, request: &Request) -> Result<(String, Invitation), VisitOutcome> {
        let link = request.secret("link").ok_or(VisitOutcome::LinkUnknown)?;
        let key = visit_key(&link);
        let found = self.tables.link(&key).await.map_err(|error| trouble(&error))?;
        match found {
            None => Err(VisitOutcome::LinkUnknown),
            Some(invitation) if invitation.used => Err(VisitOutcome::LinkUsed),
            Some(invitation) if invitation.until <= self.clock.now() => Err(VisitOutcome::LinkLate),
            Some(invitation) => Ok((key, invitation)),
        }
    }
}

/// Logs what went wrong, and shows that something did.
pub(crate) fn trouble(error: &(dyn std::error::Error + 'static)) -> VisitOutcome {
    tracing::error!(error = telemetry::chain(error), "a user on the way to Xero was not served");
    VisitOutcome::HealthIssue
}
