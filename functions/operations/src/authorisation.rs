//! A user of Xero lets us in, by the commands of a person: the address to which the user is sent, and the grant that is
//! made of the code with which the user comes back (X-14, infra/decisions/0009).

use access::{NewVisit, VisitError};
use commands::reply::{Authorisation, GrantedOrganisations};
use commands::{Attribution, Authorise, Connect, Kind};
use payments::GrantId;
use payments::permission::{self, Feature};
use url::Url;
use uuid::Uuid;

use crate::error::tables;
use crate::{ExecutionError, Operations};

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Where a user has to go, within ten minutes. With the id of a grant, that one is brought back to life,
    /// or gets other organisations; else there will be a new one.
    pub(crate) async fn authorise(
        &self,
        command: &Authorise,
        attribution: &Attribution,
    ) -> Result<Authorisation, ExecutionError> {
        let redirect = redirect(command)?;
        let login = self.login.as_ref().ok_or(ExecutionError::NoGrants)?;
        let features =
            if command.read_only { [Feature::Mirror].into() } else { Feature::ALL.into() };
        // One grant is for all functions.
        let new = NewVisit {
            redirect: &redirect,
            grant: command.grant.unwrap_or_else(|| GrantId::new(Uuid::new_v4())),
            organisation: None,
            scopes: &permission::scopes(&features),
            browser: None,
            by: attribution.by(),
            why: attribution.reason(),
        };
        let xero = self.sweeper.xero();
        let begun = xero.begin_visit(&self.tables, login, &new, self.clock.now()).await;
        let begun = begun.map_err(not_connected)?;
        Ok(Authorisation { url: begun.url.into(), grant: new.grant, until: begun.until })
    }

    /// Makes a grant of the code.
    pub(crate) async fn connect(
        &self,
        command: &Connect,
        attribution: &Attribution,
    ) -> Result<GrantedOrganisations, ExecutionError> {
        let (Connect { code, state }, now) = (command, self.clock.now());
        let by = Some((attribution.by(), attribution.reason()));
        let xero = self.sweeper.xero();
        let connected = xero.end_visit(&self.tables, &state.0, None, &code.0, by, now).await;
        let connected = connected.map_err(not_connected)?;
        let mut answer = GrantedOrganisations {
            grant: connected.visit.grant,
            signed_up: Vec::new(),
            may_be_signed_up: Vec::new(),
        };
        for organisation in connected.consented.grant.organisations {
            let known = self.tables.settings(organisation).await.map_err(|error| tables(&error))?;
            match known {
                Some(_) => answer.signed_up.push(organisation),
                None => answer.may_be_signed_up.push(organisation),
            }
        }
        Ok(answer)
    }
}

fn not_connected(error: VisitError) -> ExecutionError {
    match error {
        VisitError::NoGrants => ExecutionError::NoGrants,
        VisitError::Unknown | VisitError::Used | VisitError::Late => ExecutionError::NoVisit,
        VisitError::NoPlace { grant, problem } => ExecutionError::NoPlace { grant, problem },
        VisitError::Refused { grant, problem } => ExecutionError::NotConnected { grant, problem },
        VisitError::Tables(problem) => ExecutionError::Tables(problem),
    }
}

/// Where the user is sent back to. Xero takes http for this machine alone, and compares the address with those of the
/// app.
fn redirect(command: &Authorise) -> Result<Url, ExecutionError> {
    let url = Url::parse(command.redirect_uri.trim()).ok();
    let url = url.filter(|url| url.has_host() && (url.scheme() == "https" || is_this_machine(url)));
    url.ok_or_else(|| {
        let what = "`redirect_uri` is no address that Xero would send a user to";
        ExecutionError::Field(Kind::Authorise, what.to_owned())
    })
}

fn is_this_machine(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
}
