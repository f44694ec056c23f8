//! What must be there before anything can happen: tables, queues, and the organisation's settings.

use std::time::Duration;

use anyhow::Context as _;
use jiff::{civil::Date, tz::TimeZone};
use payments::{
    OrganisationId, Settings, XeroAccountId,
    upload::{UploadSettings, UploadStart},
};
use serde::Deserialize;
use table::Tables;
use uuid::Uuid;

use crate::{
    clients::Clients,
    clock_control::is_this_machine,
    engines::queues as setup,
    external_endpoints::{Xero, may_create},
    simulator::{PREPAYMENT_ACCOUNT, SAMPLE_ORGANISATION},
};

/// Time zone of an organisation that is set up here.
pub(crate) const TIME_ZONE: &str = "Australia/Sydney";
/// From when on the sample organisation's payments are uploaded: older than any in the story.
const UPLOAD_START: Date = Date::constant(2025, 7, 1);
/// How long the simulator may take to show its accounts.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

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

/// Gives the organisation its settings when it has none, and the sample organisation those of
/// uploading, which an earlier version did not know. Says what it did.
pub(crate) async fn organisation(clients: &Clients, xero: &Xero) -> anyhow::Result<String> {
    let tenant = xero.tenant_id.as_str();
    let organisation: OrganisationId = tenant.parse().context("XERO_TENANT_ID")?;
    let tables = Tables::new(clients.dynamodb.clone(), String::new());
    let known = tables.settings(organisation).await.context("the organisation's settings")?;
    let is_new = known.is_none();
    if known.as_ref().is_some_and(|known| known.upload.is_some()) {
        return Ok(format!("organisation {tenant} is set up already"));
    }
    let upload = uploading(xero).await;
    if !is_new && upload.is_none() {
        return Ok(format!("organisation {tenant} is set up already; it uploads nothing"));
    }
    let settings = match known {
        Some(known) => Settings { upload, ..known },
        None => Settings {
            upload,
            ..Settings::new(
                organisation,
                TimeZone::get(TIME_ZONE).context("the sample's time zone")?,
            )
        },
    };
    tables.store_settings(&settings).await.context("the organisation's settings")?;
    Ok(match (is_new, &settings.upload) {
        (false, _) => format!("organisation {tenant} uploads from now on"),
        (true, Some(_)) => format!("organisation {tenant} set up, its time zone {TIME_ZONE}"),
        (true, None) => {
            format!("organisation {tenant} set up, its time zone {TIME_ZONE}; it uploads nothing")
        }
    })
}

/// The settings of uploading, which only the sample organisation gets: of any other, a person says
/// from when on and on which account.
async fn uploading(xero: &Xero) -> Option<UploadSettings> {
    let is_sample = xero.tenant_id == SAMPLE_ORGANISATION.to_string();
    if !is_sample || !is_this_machine(&xero.api_url) {
        return None;
    }
    match bank_account(&xero.api_url).await {
        Ok(account) => Some(UploadSettings {
            prepayment_account: Some(PREPAYMENT_ACCOUNT.to_owned()),
            ..UploadSettings::new(UploadStart::Day(UPLOAD_START), account)
        }),
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "the sample organisation uploads nothing");
            None
        }
    }
}

#[derive(Deserialize)]
struct Organisation {
    id: Uuid,
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
struct Account {
    id: XeroAccountId,
    #[serde(rename = "type")]
    kind: String,
}

/// The bank account of the sample organisation in the simulator, which may be another process.
async fn bank_account(url: &str) -> anyhow::Result<XeroAccountId> {
    let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).build()?;
    let answer = http.get(format!("{url}/_control/organisations")).send().await;
    let text = answer?.error_for_status()?.text().await.context("the simulator does not answer")?;
    let organisations: Vec<Organisation> = serde_json::from_str(&text)?;
    let sample = organisations.into_iter().find(|found| found.id == SAMPLE_ORGANISATION);
    let accounts = sample.context("there is no sample organisation")?.accounts;
    let bank = accounts.into_iter().find(|account| account.kind == "BANK");
    Ok(bank.context("it has no bank account")?.id)
}
