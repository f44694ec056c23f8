//! A user of Xero lets us in: the address to which the user is sent, and the grant that is made of the code
//! with which the user comes back (X-14, infra/decisions/0009).

use commands::reply::{Authorisation, GrantedOrganisations};
use commands::{Attribution, Authorise, Connect, Kind};
use host::telemetry;
use payments::{GrantId, Occurrence, PendingAuthorisation, visit_key};
use table::Order;
use url::Url;
use uuid::Uuid;

use crate::error::tables;
use crate::{CommandError, Operations};

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Where a user has to go, within ten minutes. With the id of a grant, that one is brought back to life,
    /// or gets other organisations; else there will be a new one.
    pub(crate) async fn authorise(
        &self,
        command: &Authorise,
        attribution: &Attribution,
    ) -> Result<Authorisation, CommandError> {
        let redirect = redirect(command)?;
        let users = self.users.as_ref().ok_or(CommandError::NoGrants)?;
        let now = self.clock.now();
        let grant = command.grant.unwrap_or_else(|| GrantId::new(Uuid::new_v4()));
        // 244 bits from the operating system's own generator.
        let state = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let visit = PendingAuthorisation::new(grant, redirect.to_string(), now);
        let key = visit_key(&state.clone().into());
        let begun =
            self.tables.begin_visit(&key, &visit, attribution.by(), attribution.reason()).await;
        begun.map_err(|error| tables(&error))?;
        self.log_grant(None, Occurrence::Authorising, grant, attribution).await?;
        // One grant is for all functions; what may be written may be read as well.
        let scopes = (!command.read_only).then_some(xero::SCOPES_UPLOADING);
        let url = self.sweeper.xero().authorise_url(&users.login, &redirect, &state, scopes).await;
        tracing::info!(%grant, "a user is asked to let us in");
        Ok(Authorisation { url: url.into(), grant, until: visit.until })
    }

    /// Makes a grant of the code. The place stays if Xero refuses the code, empty: the way is begun again for the
    /// same grant, which then finds it; and taking one away would need the right to delete the secrets of grants
    /// that are alive. In this order: the state is one that we have given out; there is a place
    /// for the tokens; the state is used up; Xero gives the tokens, which are kept before the grant's row
    /// says so. Until the state is used up nothing has happened, and everything can be done again.
    pub(crate) async fn connect(
        &self,
        command: &Connect,
        attribution: &Attribution,
    ) -> Result<GrantedOrganisations, CommandError> {
        let users = self.users.as_ref().ok_or(CommandError::NoGrants)?;
        let key = visit_key(&command.state.0);
        let visit = self.tables.visit(&key).await.map_err(|error| tables(&error))?;
        let visit = visit.filter(|visit| !visit.is_over(self.clock.now()));
        let visit = visit.ok_or(CommandError::NoVisit)?;
        let grant = visit.grant;
        if let Err(error) = users.secrets.make(grant).await {
            return Err(CommandError::NoPlace { grant, problem: telemetry::chain(&error) });
        }
        if !self.tables.end_visit(&key).await.map_err(|error| tables(&error))? {
            return Err(CommandError::NoVisit);
        }
        let redirect = visit.redirect.parse().map_err(|_| CommandError::NoVisit)?;
        let granted = self.sweeper.xero().connect(grant, &command.code.0, &redirect).await.map_err(|error| {
            tracing::warn!(%grant, error = telemetry::chain(&error), "a user did not let us in");
            CommandError::NotConnected { grant, problem: telemetry::chain(&error) }
        })?;
        tracing::info!(%grant, organisations = granted.organisations.len(), "a user has let us in");
        let mut answer =
            GrantedOrganisations { grant, signed_up: Vec::new(), may_be_signed_up: Vec::new() };
        for organisation in granted.organisations {
            self.log_grant(Some(organisation), Occurrence::Connected, grant, attribution).await?;
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
        attribution: &Attribution,
    ) -> Result<(), CommandError> {
        let subject = grant.to_string();
        let (by, why) = (attribution.by(), attribution.reason());
        let order =
            Order { action, subject: &subject, reason: "grant", by, why, at: self.clock.now() };
        let logged = self.tables.log_order(organisation, &order).await;
        logged.map_err(|error| tables(&error))
    }
}

/// Where the user is sent back to. Xero takes http for this machine alone, and compares the address with those of the
/// app.
fn redirect(command: &Authorise) -> Result<Url, CommandError> {
    let url = Url::parse(command.redirect_uri.trim()).ok();
    let url = url.filter(|url| url.has_host() && (url.scheme() == "https" || is_this_machine(url)));
    url.ok_or_else(|| {
        let what = "`redirect_uri` is no address that Xero would send a user to";
        CommandError::Field(Kind::Authorise, what.to_owned())
    })
}

fn is_this_machine(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
}
