//! A user of Xero lets us in: the way there, and the way back with a code (X-14, infra/decisions/0009). Commands and
//! the function `connect` go it by the same steps.

use host::telemetry;
use jiff::Timestamp;
use payments::oauth_state::{Invitation, PendingAuthorisation, VISIT_MAX, until, visit_key};
use payments::{GrantId, Occurrence, OrganisationId};
use secrecy::{ExposeSecret as _, SecretString};
use table::{AuditEntry, OneTime, Tables};
use url::Url;
use uuid::Uuid;
use xero::Consented;

use crate::Xero;

/// A way to Xero that begins.
#[derive(Debug)]
pub struct NewVisit<'a> {
    /// Where the user comes back to.
    pub redirect: &'a Url,
    /// The grant that comes of it, or is brought back to life.
    pub grant: GrantId,
    /// The organisation that is to be reached again.
    pub organisation: Option<OrganisationId>,
    /// The permissions to ask for.
    pub scopes: &'a str,
    /// The cookie of the browser that has to come back; `None` where a person carries code and state.
    pub browser: Option<&'a SecretString>,
    /// Who has ordered it.
    pub by: &'a str,
    /// Why.
    pub why: &'a str,
}

/// Where a user has to go, and until when the user has to be back.
#[derive(Debug)]
pub struct Begun {
    /// The address at Xero. It holds the state, and is for the user alone.
    pub url: Url,
    /// Until when.
    pub until: Timestamp,
}

/// What a user has brought back.
#[derive(Debug)]
pub struct Connected {
    /// The visit that has ended.
    pub visit: PendingAuthorisation,
    /// What Xero gave for the code.
    pub consented: Consented,
}

/// Why a way to Xero came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum VisitError {
    /// A custom connection has no users who grant anything.
    #[error("we are let in by a custom connection: no user has to be asked")]
    NoGrants,
    /// No such state was given out, or not to this browser. No code was used.
    #[error("this state was not given out to this browser")]
    Unknown,
    /// The state was brought back before. No code was used.
    #[error("this state was used already")]
    Used,
    /// The user took more than ten minutes. No code was used.
    #[error("this state is over")]
    Late,
    /// There is nowhere to keep the tokens. Nothing has happened, and the code is still good.
    #[error("there is no place for the tokens of grant {grant}: {problem}")]
    NoPlace {
        /// Which grant.
        grant: GrantId,
        /// What the store said.
        problem: String,
    },
    /// Xero gave no tokens for the code.
    #[error("Xero gave no tokens for grant {grant}: {problem}")]
    Refused {
        /// Which grant.
        grant: GrantId,
        /// Why.
        problem: String,
    },
    /// The tables do not answer.
    #[error("reading or writing the tables failed: {0}")]
    Tables(String),
}

/// A text that cannot be guessed: 244 bits from the operating system's own generator.
pub fn secret_text() -> SecretString {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()).into()
}

impl Xero {
    /// Invites a user to come by a link to the function `connect`, whose address this is.
    ///
    /// # Errors
    /// `NoGrants`, `Tables`.
    pub async fn invite(
        &self,
        tables: &Tables,
        address: &Url,
        invitation: &Invitation,
        now: Timestamp,
    ) -> Result<Url, VisitError> {
        self.token_vault().ok_or(VisitError::NoGrants)?;
        let link = secret_text();
        let begun = tables.begin_link(&visit_key(&link), invitation).await;
        begun.map_err(|error| failed(&error))?;
        let said = (invitation.by.as_str(), invitation.why.as_str());
        let about = (invitation.organisation, Occurrence::Authorising, invitation.grant);
        log_grant(tables, about.0, about.1, about.2, said, now).await?;
        let mut url = address.clone();
        url.set_path("/launch");
        url.query_pairs_mut().clear().append_pair("link", link.expose_secret());
        Ok(url)
    }

    /// Begins a visit. Only the key of its state is stored.
    ///
    /// # Errors
    /// `NoGrants`, `Tables`.
    pub async fn begin_visit(
        &self,
        tables: &Tables,
        login: &Url,
        new: &NewVisit<'_>,
        now: Timestamp,
    ) -> Result<Begun, VisitError> {
        self.token_vault().ok_or(VisitError::NoGrants)?;
        let state = secret_text();
        let visit = PendingAuthorisation {
            grant: new.grant,
            redirect: new.redirect.to_string(),
            until: until(now, VISIT_MAX),
            browser: new.browser.map(visit_key),
            organisation: new.organisation,
            used: false,
            by: new.by.to_owned(),
            why: new.why.to_owned(),
        };
        tables.begin_visit(&visit_key(&state), &visit).await.map_err(|error| failed(&error))?;
        log_grant(tables, None, Occurrence::Authorising, new.grant, (new.by, new.why), now).await?;
        let state = state.expose_secret();
        let url = self.authorise_url(login, new.redirect, state, Some(new.scopes)).await;
        tracing::info!(grant = %new.grant, "a user is asked to let us in");
        Ok(Begun { url, until: visit.until })
    }

    /// The visit of a state that is brought back, by the browser that it was given to.
    ///
    /// # Errors
    /// `Unknown`, `Used`, `Late`, `Tables`.
    pub async fn visit_of(
        &self,
        tables: &Tables,
        state: &SecretString,
        browser: Option<&SecretString>,
        now: Timestamp,
    ) -> Result<PendingAuthorisation, VisitError> {
        let visit = tables.visit(&visit_key(state)).await.map_err(|error| failed(&error))?;
        let visit = visit.filter(|visit| visit.browser == browser.map(visit_key));
        match visit {
            None => Err(VisitError::Unknown),
            Some(visit) if visit.used => Err(VisitError::Used),
            Some(visit) if visit.is_over(now) => Err(VisitError::Late),
            Some(visit) => Ok(visit),
        }
    }

    /// The user says no: the state cannot be used any more, and nothing else has changed.
    ///
    /// # Errors
    /// As [`Self::visit_of`].
    pub async fn decline_visit(
        &self,
        tables: &Tables,
        state: &SecretString,
        browser: Option<&SecretString>,
        now: Timestamp,
    ) -> Result<PendingAuthorisation, VisitError> {
        let visit = self.visit_of(tables, state, browser, now).await?;
        use_up(tables, state, now).await?;
        tracing::info!(grant = %visit.grant, "a user did not let us in");
        Ok(visit)
    }

    /// Makes a grant of the code. If Xero refuses the code, the way is begun again for the same grant. In this order: the
    /// state is one that was given out; there is a key for the tokens; the state is used up; Xero gives the tokens, which
    /// are kept before the grant's row says so. Until the state is used up nothing has happened, and everything can be done again. It is logged for
    /// those who have ordered the visit, unless it is `said` who brings the code.
    ///
    /// # Errors
    /// [`VisitError`].
    pub async fn end_visit(
        &self,
        tables: &Tables,
        state: &SecretString,
        browser: Option<&SecretString>,
        code: &SecretString,
        said: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Result<Connected, VisitError> {
        let vault = self.token_vault().ok_or(VisitError::NoGrants)?;
        let visit = self.visit_of(tables, state, browser, now).await?;
        let grant = visit.grant;
        if let Err(error) = vault.is_ready().await {
            return Err(VisitError::NoPlace { grant, problem: telemetry::chain(&error) });
        }
        use_up(tables, state, now).await?;
        let redirect = visit.redirect.parse().map_err(|_| VisitError::Unknown)?;
        let consented = self.connect(grant, code, &redirect).await.map_err(|error| {
            let problem = telemetry::chain(&error);
            tracing::warn!(%grant, error = problem, "Xero gave no tokens");
            VisitError::Refused { grant, problem }
        })?;
        tracing::info!(%grant, organisations = consented.connections.len(), "a user has let us in");
        for known in &consented.connections {
            let organisation = Some(known.organisation);
            let said = said.unwrap_or((&visit.by, &visit.why));
            log_grant(tables, organisation, Occurrence::Connected, grant, said, now).await?;
        }
        Ok(Connected { visit, consented })
    }
}

async fn use_up(tables: &Tables, state: &SecretString, now: Timestamp) -> Result<(), VisitError> {
    let used = tables.use_up(OneTime::State, &visit_key(state), now).await;
    if used.map_err(|error| failed(&error))? { Ok(()) } else { Err(VisitError::Used) }
}

async fn log_grant(
    tables: &Tables,
    organisation: Option<OrganisationId>,
    action: Occurrence,
    grant: GrantId,
    (by, why): (&str, &str),
    at: Timestamp,
) -> Result<(), VisitError> {
    let subject = grant.to_string();
    let order = AuditEntry { action, subject: &subject, reason: "grant", by, why, at };
    tables.log_order(organisation, &order).await.map_err(|error| failed(&error))
}

fn failed(error: &(dyn std::error::Error + 'static)) -> VisitError {
    VisitError::Tables(telemetry::chain(error))
}
