//! Tokens may have leaked: every one of them is made useless in Xero, and then deleted here (XC-30).

use host::telemetry;
use jiff::Timestamp;
use payments::GrantId;
use payments::grant::{Grant, GrantEnd, GrantError, Grants as _, Pairs as _};
use table::Tables;

use crate::{DisconnectError, Xero};

/// What became of the tokens of all grants.
#[derive(Debug, Default)]
pub struct Containment {
    /// The grants whose tokens Xero has taken back.
    pub revoked: Vec<Grant>,
    /// The grants whose tokens may still work, and why. The command is to be given again.
    pub failed: Vec<(GrantId, String)>,
}

impl Xero {
    /// Takes back the tokens of every grant. Tokens that Xero did not take back stay, so that it can be tried again.
    ///
    /// # Errors
    /// `CustomConnection`, `Stores`: nothing was done.
    pub async fn revoke_everything(
        &self,
        tables: &Tables,
        now: Timestamp,
    ) -> Result<Containment, DisconnectError> {
        self.token_vault().ok_or(DisconnectError::CustomConnection)?;
        let grants = tables.every_grant().await;
        let grants = grants.map_err(|error| DisconnectError::Stores(telemetry::chain(&error)))?;
        let mut containment = Containment::default();
        for grant in grants {
            match self.take_back(tables, &grant, now).await {
                Ok(true) => containment.revoked.push(grant),
                Ok(false) => {}
                Err(problem) => {
                    tracing::error!(grant = %grant.id, error = problem, "tokens were not taken back");
                    containment.failed.push((grant.id, problem));
                }
            }
        }
        Ok(containment)
    }

    /// Returns whether the grant had tokens.
    async fn take_back(
        &self,
        tables: &Tables,
        grant: &Grant,
        now: Timestamp,
    ) -> Result<bool, String> {
        let Some(vault) = self.token_vault() else { return Ok(false) };
        let pair = vault.pair(grant.id).await.map_err(|error| telemetry::chain(&error))?;
        let Some(pair) = pair else { return Ok(false) };
        self.revoke(&pair.refresh_token).await.map_err(|error| telemetry::chain(&error))?;
        vault.delete(grant.id).await.map_err(|error| telemetry::chain(&error))?;
        let ended = grant.ended(GrantEnd::Leaked, now);
        match tables.store_grant(grant, ended, now).await {
            // Another process uses it, and finds that Xero does not know its token any more.
            Ok(_) | Err(GrantError::Changed) => Ok(true),
            Err(error) => Err(telemetry::chain(&error)),
        }
    }
}
