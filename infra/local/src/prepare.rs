//! What must be there before anything can happen: tables, queues, and the organisation's settings.

use std::time::Duration;

use anyhow::Context as _;
use jiff::tz::TimeZone;
use payments::{NumberPrefix, OrganisationId, Settings};
use table::Tables;

use crate::{clients::Clients, elsewhere::may_create, engines::queues as setup};

/// Time zone of an organisation that is set up here.
const TIME_ZONE: &str = "Australia/Sydney";

/// Makes the tables that are missing, except in AWS itself.
pub(crate) async fn tables(clients: &Clients, url: &str) -> anyhow::Result<()> {
    if !may_create(url) {
        return Ok(());
    }
    table::schema::create(&clients.dynamodb, "")
        .await
        .with_context(|| format!("cannot make the tables at {url}"))
}

/// Makes the queues that are missing in an engine that is not ours, except in AWS itself.
pub(crate) async fn queues(
    clients: &Clients,
    url: &str,
    visibility: Duration,
) -> anyhow::Result<()> {
    if may_create(url) {
        setup::create(&clients.sqs, visibility).await?;
    }
    Ok(())
}

/// Gives the organisation its settings when it has none. Says what it did.
pub(crate) async fn organisation(clients: &Clients, tenant: &str) -> anyhow::Result<String> {
    let organisation: OrganisationId = tenant.parse().context("XERO_TENANT_ID")?;
    let tables = Tables::new(clients.dynamodb.clone(), String::new());
    let known = tables.settings(organisation).await.context("the organisation's settings")?;
    if known.is_some() {
        return Ok(format!("organisation {tenant} is set up already"));
    }
    let settings = Settings {
        organisation,
        mirror_enabled: true,
        prefix: NumberPrefix::default(),
        zone: TimeZone::get(TIME_ZONE).context("the sample's time zone")?,
        forward_days: None,
        cutover_on: None,
    };
    tables.store_settings(&settings).await.context("the organisation's settings")?;
    Ok(format!("organisation {tenant} set up, its time zone {TIME_ZONE}"))
}
