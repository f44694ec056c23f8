//! A user of Xero lets us in, by the commands of a person: the address to which the user is sent, and the grant that is
//! made of the code with which the user comes back (X-14, infra/decisions/0009).

use std::collections::BTreeSet;

use access::{DisconnectError, NewVisit, VisitError};
use commands::reply::{Authorisation, Disconnection, DisconnectionReply, GrantedOrganisations};
use commands::{Attribution, Authorise, Connect, Kind};
use payments::grant::Grants as _;
use payments::oauth_state::{Invitation, LINK_MAX, until};
use payments::permission::{self, Feature};
use payments::{GrantId, OrganisationId};
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
        let Some(address) = &command.redirect_uri else {
            return self.invite(command, attribution).await;
        };
        let redirect = redirect(address)?;
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

    /// A link by which a user comes to the function `connect`. For an organisation that is to be reached again, its
    /// grant is brought back to life, and no more is asked for than what its organisations have switched on (XC-10).
    async fn invite(
        &self,
        command: &Authorise,
        attribution: &Attribution,
    ) -> Result<Authorisation, ExecutionError> {
        let address = self.connect_url.as_ref().ok_or(ExecutionError::NoConnect)?;
        let known = match command.organisation {
            Some(organisation) => {
                self.tables.grant_of(organisation).await.map_err(|error| tables(&error))?
            }
            None => None,
        };
        let grant = command.grant.or(known.map(|known| known.id));
        let grant = grant.unwrap_or_else(|| GrantId::new(Uuid::new_v4()));
        let features = match self.switched_on(grant, command.organisation).await? {
            Some(features) => features,
            None if command.read_only => [Feature::Mirror].into(),
            None => Feature::ALL.into(),
        };
        let now = self.clock.now();
        let invitation = Invitation {
            grant,
            organisation: command.organisation,
            scopes: permission::scopes(&features),
            until: until(now, LINK_MAX),
            used: false,
            by: attribution.by().to_owned(),
            why: attribution.reason().to_owned(),
        };
        let url = self.sweeper.xero().invite(&self.tables, address, &invitation, now).await;
        let url = url.map_err(not_connected)?.into();
        Ok(Authorisation { url, grant, until: invitation.until })
    }

    /// Stops both directions of an organisation, and ends its connection in Xero (XC-05).
    pub(crate) async fn disconnect(
        &self,
        organisation: OrganisationId,
        attribution: &Attribution,
    ) -> Result<DisconnectionReply, ExecutionError> {
        let by = (attribution.by(), attribution.reason());
        let (xero, now) = (self.sweeper.xero(), self.clock.now());
        let ended = xero.disconnect(&self.tables, organisation, by, now).await;
        let ended = ended.map_err(|error| match error {
            DisconnectError::CustomConnection => ExecutionError::EndedInXero,
            error => tables(&error),
        })?;
        let state = if ended.not_confirmed.is_none() { "disconnected" } else { "disconnecting" };
        let disconnect =
            Disconnection { organisation, state: state.to_owned(), why: ended.not_confirmed };
        Ok(DisconnectionReply { disconnect, recorded: !ended.before })
    }

    /// What the organisations of a grant have switched on; `None` if none of them is set up here.
    async fn switched_on(
        &self,
        grant: GrantId,
        organisation: Option<OrganisationId>,
    ) -> Result<Option<BTreeSet<Feature>>, ExecutionError> {
        let grant = self.tables.grant(grant).await.map_err(|error| tables(&error))?;
        let mut features: Option<BTreeSet<Feature>> = None;
        for organisation in grant.organisations.into_iter().chain(organisation) {
            let known = self.tables.settings(organisation).await.map_err(|error| tables(&error))?;
            if let Some(settings) = known {
                features.get_or_insert_default().extend(Feature::of(&settings));
            }
        }
        Ok(features)
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
fn redirect(address: &str) -> Result<Url, ExecutionError> {
    let url = Url::parse(address.trim()).ok();
    let url = url.filter(|url| url.has_host() && (url.scheme() == "https" || is_this_machine(url)));
    url.ok_or_else(|| {
        let what = "`redirect_uri` is no address that Xero would send a user to";
        ExecutionError::Field(Kind::Authorise, what.to_owned())
    })
}

fn is_this_machine(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
}
