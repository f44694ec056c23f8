//! A user of Xero lets us in: the address to which the user is sent, and the grant that is made of the code
//! with which the user comes back (X-14, infra/decisions/0009).

use host::telemetry;
use payments::{GrantId, Occurrence, PendingAuthorisation, visit_key};
use secrecy::SecretString;
use table::AuditEntry;
use url::Url;
use uuid::Uuid;

use crate::answer::{AuthoriseAnswer, ConnectAnswer};
use crate::orders::tables;
use crate::wanted::Said;
use crate::{HandleError, Sweeper};

impl<C, Q> Sweeper<C, Q> {
    /// Where a user has to go, within ten minutes. With the id of a grant, that one is brought back to life,
    /// or gets other organisations; else there will be a new one.
    pub(crate) async fn authorise(
        &self,
        redirect: &Url,
        grant: Option<GrantId>,
        read_only: bool,
        said: &Said,
    ) -> Result<AuthoriseAnswer, HandleError> {
        let users = self.users.as_ref().ok_or(HandleError::NoGrants)?;
        let now = self.clock.now();
        let grant = grant.unwrap_or_else(|| GrantId::new(Uuid::new_v4()));
        // 244 bits from the operating system's own generator.
        let state = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let visit = PendingAuthorisation::new(grant, redirect.to_string(), now);
        let key = visit_key(&state.clone().into());
        let begun = self.tables.begin_visit(&key, &visit, &said.by, &said.why).await;
        begun.map_err(|error| tables(&error))?;
        self.log_grant(None, Occurrence::Authorising, grant, said).await?;
        // One grant is for all functions; what may be written may be read as well.
        let scopes = (!read_only).then_some(xero::SCOPES_UPLOADING);
        let url = self.xero.authorise_url(&users.login, redirect, &state, scopes).await;
        tracing::info!(%grant, "a user is asked to let us in");
        Ok(AuthoriseAnswer { url: url.into(), grant, until: visit.until })
    }

    /// Makes a grant of the code. The place stays if Xero refuses the code, empty: the way is begun again for the
    /// same grant, which then finds it; and taking one away would need the right to delete the secrets of grants
    /// that are alive. In this order: the state is one that we have given out; there is a place
    /// for the tokens; the state is used up; Xero gives the tokens, which are kept before the grant's row
    /// says so. Until the state is used up nothing has happened, and everything can be done again.
    pub(crate) async fn connect(
        &self,
        code: &SecretString,
        state: &SecretString,
        said: &Said,
    ) -> Result<ConnectAnswer, HandleError> {
        let users = self.users.as_ref().ok_or(HandleError::NoGrants)?;
        let key = visit_key(state);
        let visit = self.tables.visit(&key).await.map_err(|error| tables(&error))?;
        let visit = visit.filter(|visit| !visit.is_over(self.clock.now()));
        let visit = visit.ok_or(HandleError::NoVisit)?;
        let grant = visit.grant;
        if let Err(error) = users.secrets.make(grant).await {
            return Err(HandleError::NoPlace { grant, problem: telemetry::chain(&error) });
        }
        if !self.tables.end_visit(&key).await.map_err(|error| tables(&error))? {
            return Err(HandleError::NoVisit);
        }
        let redirect = visit.redirect.parse().map_err(|_| HandleError::NoVisit)?;
        let granted = self.xero.connect(grant, code, &redirect).await.map_err(|error| {
            tracing::warn!(%grant, error = telemetry::chain(&error), "a user did not let us in");
            HandleError::NotConnected { grant, problem: telemetry::chain(&error) }
        })?;
        tracing::info!(%grant, organisations = granted.organisations.len(), "a user has let us in");
        let mut answer =
            ConnectAnswer { grant, signed_up: Vec::new(), may_be_signed_up: Vec::new() };
        for organisation in granted.organisations {
            self.log_grant(Some(organisation), Occurrence::Connected, grant, said).await?;
            let known = self.tables.settings(organisation).await.map_err(|error| tables(&error))?;
            match known {
                Some(_) => answer.signed_up.push(organisation),
                None => answer.may_be_signed_up.push(organisation),
            }
        }
        Ok(answer)
    }

    async fn log_grant(
        &self,
        organisation: Option<payments::OrganisationId>,
        action: Occurrence,
        grant: GrantId,
        said: &Said,
    ) -> Result<(), HandleError> {
        let subject = grant.to_string();
        let Said { by, why } = said;
        let order = AuditEntry {
            action,
            subject: &subject,
            reason: "grant",
            by,
            why,
            at: self.clock.now(),
        };
        let logged = self.tables.log_order(organisation, &order).await;
        logged.map_err(|error| tables(&error))
    }
}
