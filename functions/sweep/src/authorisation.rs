//! A user of Xero lets us in, by the orders of a person: the address to which the user is sent, and the grant that is
//! made of the code with which the user comes back (X-14, infra/decisions/0009).

use std::collections::BTreeSet;

use access::{DisconnectError, NewVisit, VisitError};
use payments::grant::Grants as _;
use payments::oauth_state::{Invitation, LINK_MAX, until};
use payments::permission::{self, Feature};
use payments::{GrantId, OrganisationId};
use secrecy::SecretString;
use url::Url;
use uuid::Uuid;

use crate::answer::{AuthoriseAnswer, ConnectAnswer, DisconnectAnswer};
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
        let login = self.login.as_ref().ok_or(HandleError::NoGrants)?;
        let features = if read_only { [Feature::Mirror].into() } else { Feature::ALL.into() };
        // One grant is for all functions.
        let new = NewVisit {
            redirect,
            grant: grant.unwrap_or_else(|| GrantId::new(Uuid::new_v4())),
            organisation: None,
            scopes: &permission::scopes(&features),
            browser: None,
            by: &said.by,
            why: &said.why,
        };
        let begun = self.xero.begin_visit(&self.tables, login, &new, self.clock.now()).await;
        let begun = begun.map_err(not_connected)?;
        Ok(AuthoriseAnswer { url: begun.url.into(), grant: new.grant, until: begun.until })
    }

    /// A link by which a user comes to the function `connect`. For an organisation that is to be reached again, its
    /// grant is brought back to life, and no more is asked for than what its organisations have switched on (XC-10).
    pub(crate) async fn invite(
        &self,
        organisation: Option<OrganisationId>,
        grant: Option<GrantId>,
        read_only: bool,
        said: &Said,
    ) -> Result<AuthoriseAnswer, HandleError> {
        let address = self.connect_url.as_ref().ok_or(HandleError::NoConnect)?;
        let known = match organisation {
            Some(organisation) => {
                self.tables.grant_of(organisation).await.map_err(|error| tables(&error))?
            }
            None => None,
        };
        let grant = grant.or(known.map(|known| known.id));
        let grant = grant.unwrap_or_else(|| GrantId::new(Uuid::new_v4()));
        let features = match self.switched_on(grant, organisation).await? {
            Some(features) => features,
            None if read_only => [Feature::Mirror].into(),
            None => Feature::ALL.into(),
        };
        let now = self.clock.now();
        let invitation = Invitation {
            grant,
            organisation,
            scopes: permission::scopes(&features),
            until: until(now, LINK_MAX),
            used: false,
            by: said.by.clone(),
            why: said.why.clone(),
        };
        let url = self.xero.invite(&self.tables, address, &invitation, now).await;
        let url = url.map_err(not_connected)?.into();
        Ok(AuthoriseAnswer { url, grant, until: invitation.until })
    }

    /// Stops both directions of an organisation, and ends its connection in Xero (XC-05).
    pub(crate) async fn disconnect(
        &self,
        organisation: OrganisationId,
        said: &Said,
    ) -> Result<DisconnectAnswer, HandleError> {
        let (by, now) = ((said.by.as_str(), said.why.as_str()), self.clock.now());
        let ended = self.xero.disconnect(&self.tables, organisation, by, now).await;
        let ended = ended.map_err(|error| match error {
            DisconnectError::CustomConnection => HandleError::EndedInXero,
            DisconnectError::NotSetUp(organisation) => HandleError::NotMirroring(organisation),
            error => tables(&error),
        })?;
        let state = if ended.not_confirmed.is_none() { "disconnected" } else { "disconnecting" };
        Ok(DisconnectAnswer { organisation, state, why: ended.not_confirmed })
    }

    /// What the organisations of a grant have switched on; `None` if none of them is set up here.
    async fn switched_on(
        &self,
        grant: GrantId,
        organisation: Option<OrganisationId>,
    ) -> Result<Option<BTreeSet<Feature>>, HandleError> {
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
        code: &SecretString,
        state: &SecretString,
        said: &Said,
    ) -> Result<ConnectAnswer, HandleError> {
        let by = Some((said.by.as_str(), said.why.as_str()));
        let now = self.clock.now();
        let connected = self.xero.end_visit(&self.tables, state, None, code, by, now).await;
        let connected = connected.map_err(not_connected)?;
        let mut answer = ConnectAnswer {
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

fn not_connected(error: VisitError) -> HandleError {
    match error {
        VisitError::NoGrants => HandleError::NoGrants,
        VisitError::Unknown | VisitError::Used | VisitError::Late => HandleError::NoVisit,
        VisitError::NoPlace { grant, problem } => HandleError::NoPlace { grant, problem },
        VisitError::Refused { grant, problem } => HandleError::NotConnected { grant, problem },
        VisitError::Tables(problem) => HandleError::Tables(problem),
    }
}
