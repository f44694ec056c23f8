//! An organisation is disconnected from Xero: both directions stop first, and then the one connection ends there
//! (XC-05). Tokens that nothing hangs on any more are deleted.

use host::telemetry;
use jiff::Timestamp;
use payments::grant::{Grant, GrantError, Grants as _, Pairs as _};
use payments::{Occurrence, OrganisationId};
use table::{AuditEntry, Tables};
use xero::UserConnection;

use crate::Xero;

/// How often a grant is stored again that another process has written meanwhile.
const RACES_MAX: u32 = 8;

/// Why a connection was not ended.
#[derive(Debug, thiserror::Error)]
pub enum DisconnectError {
    /// No user has connected it: it is ended in Xero alone.
    #[error(
        "we are let in by a custom connection, which is ended in Xero: at developer.xero.com, My Apps, open the app and \
         disconnect it there. Nothing was changed here"
    )]
    CustomConnection,
    /// It is not set up here.
    #[error("{0} is not set up here")]
    NotSetUp(OrganisationId),
    /// Xero did not say that the connection has ended.
    #[error("Xero did not confirm it: {0}")]
    NotConfirmed(String),
    /// The tables or the store of tokens do not answer.
    #[error("reading or writing failed: {0}")]
    Stores(String),
}

/// What came of disconnecting.
#[derive(Debug)]
pub struct Disconnected {
    /// Whether it was disconnected here before.
    pub before: bool,
    /// Why Xero has not confirmed it; `None` if it has.
    pub not_confirmed: Option<String>,
}

impl Xero {
    /// Stops both directions, and ends the connection in Xero. If Xero does not confirm it, both directions are
    /// stopped all the same, and it can be ordered again.
    ///
    /// # Errors
    /// `CustomConnection`, `NotSetUp`, `Stores`: nothing was done.
    pub async fn disconnect(
        &self,
        tables: &Tables,
        organisation: OrganisationId,
        said: (&str, &str),
        now: Timestamp,
    ) -> Result<Disconnected, DisconnectError> {
        self.token_vault().ok_or(DisconnectError::CustomConnection)?;
        let known = tables.settings(organisation).await.map_err(|error| stores(&error))?;
        known.ok_or(DisconnectError::NotSetUp(organisation))?;
        let stopped = tables.disconnect(organisation, said, now).await;
        let stopped = stopped.map_err(|error| stores(&error))?;
        tracing::info!(xero.tenant_id = %organisation, "an organisation is disconnected");
        let not_confirmed = self.finish_disconnection(tables, organisation, now).await?;
        Ok(Disconnected { before: !stopped, not_confirmed })
    }

    /// Ends the connection in Xero of an organisation that is disconnected here. Returns why Xero has not confirmed it;
    /// `None` if it has.
    ///
    /// # Errors
    /// `Stores`.
    pub async fn finish_disconnection(
        &self,
        tables: &Tables,
        organisation: OrganisationId,
        now: Timestamp,
    ) -> Result<Option<String>, DisconnectError> {
        match self.end_in_xero(tables, organisation, now).await {
            Ok(()) => {
                let noted = tables.disconnected_in_xero(organisation, now).await;
                noted.map_err(|error| stores(&error))?;
                Ok(None)
            }
            Err(error) => {
                let problem = telemetry::chain(&error);
                tracing::warn!(xero.tenant_id = %organisation, error = problem, "not ended in Xero");
                Ok(Some(problem))
            }
        }
    }

    /// Ends the connection of an organisation that is not used here.
    ///
    /// # Errors
    /// [`DisconnectError`].
    pub async fn end_unused(
        &self,
        tables: &Tables,
        organisation: OrganisationId,
        (by, why): (&str, &str),
        now: Timestamp,
    ) -> Result<(), DisconnectError> {
        self.end_in_xero(tables, organisation, now).await?;
        let subject = organisation.to_string();
        let order = AuditEntry {
            action: Occurrence::Disconnected,
            subject: &subject,
            reason: "not_used",
            by,
            why,
            at: now,
        };
        tables.log_order(None, &order).await.map_err(|error| stores(&error))
    }

    /// Ends the connection if there is one. The other organisations of the same user go on.
    async fn end_in_xero(
        &self,
        tables: &Tables,
        organisation: OrganisationId,
        now: Timestamp,
    ) -> Result<(), DisconnectError> {
        self.token_vault().ok_or(DisconnectError::CustomConnection)?;
        let grant = tables.grant_of(organisation).await.map_err(|error| stores(&error))?;
        let Some(grant) = grant else { return Ok(()) };
        let refused = |error: xero::ReadError| DisconnectError::NotConfirmed(error.to_string());
        let connections = self.connections(organisation).await.map_err(refused)?;
        let (ended, left): (Vec<_>, Vec<_>) =
            connections.into_iter().partition(|known| known.organisation == organisation);
        for connection in ended {
            self.end_connection(organisation, connection.id).await.map_err(refused)?;
        }
        let grant = self.take_off(tables, grant, organisation, now).await?;
        if grant.organisations.is_empty() {
            self.forget(&grant, &left).await?;
        }
        Ok(())
    }

    /// The organisation hangs on its grant no longer.
    async fn take_off(
        &self,
        tables: &Tables,
        mut grant: Grant,
        organisation: OrganisationId,
        now: Timestamp,
    ) -> Result<Grant, DisconnectError> {
        for _ in 0..RACES_MAX {
            match tables.store_grant(&grant, grant.without(organisation), now).await {
                Ok(after) => return Ok(after),
                Err(GrantError::Changed) => {
                    let again = tables.grant(grant.id).await;
                    grant = again.map_err(|error| stores(&error))?;
                }
                Err(error) => return Err(stores(&error)),
            }
        }
        Err(DisconnectError::Stores("the grant is written by others all the time".to_owned()))
    }

    /// Deletes the tokens of a grant. They are revoked first only if their user has no other connection: Xero revokes
    /// by user, and would end live connections with them (XC-28).
    async fn forget(&self, grant: &Grant, left: &[UserConnection]) -> Result<(), DisconnectError> {
        let Some(vault) = self.token_vault() else { return Ok(()) };
        let pair = vault.pair(grant.id).await.unwrap_or_else(|error| {
            let error = telemetry::chain(&error);
            tracing::warn!(grant = %grant.id, error, "tokens that cannot be read cannot be revoked");
            None
        });
        if let Some(pair) = pair.filter(|_| left.is_empty())
            && let Err(error) = self.revoke(&pair.refresh_token).await
        {
            tracing::warn!(grant = %grant.id, error = %error, "tokens were deleted and not revoked");
        }
        vault.delete(grant.id).await.map_err(|error| stores(&error))?;
        tracing::info!(grant = %grant.id, revoked = left.is_empty(), "tokens of a grant deleted");
        Ok(())
    }
}

fn stores(error: &(dyn std::error::Error + 'static)) -> DisconnectError {
    DisconnectError::Stores(telemetry::chain(error))
}
