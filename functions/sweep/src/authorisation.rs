//! A user of Xero lets us in, by the orders of a person: the address to which the user is sent, and the grant that is
//! made of the code with which the user comes back (X-14, infra/decisions/0009).

use access::{NewVisit, VisitError};
use payments::GrantId;
use payments::permission::{self, Feature};
use secrecy::SecretString;
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
