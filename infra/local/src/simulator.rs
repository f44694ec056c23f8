//! A Xero on this machine: the simulator with a sample organisation in it.

use std::{net::SocketAddr, path::Path};

use anyhow::Context as _;
use uuid::{Uuid, uuid};
use xero_simulator::{
    AccountKind, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, NewAccount, NewOrganisation, Options,
    Simulator, WebhookSettings,
};

use crate::{external_endpoints::Xero, isolated_runtime::Half, ports::Place};

/// The sample organisation; the same on every machine, so that what is printed can be pasted.
pub const SAMPLE_ORGANISATION: Uuid = uuid!("5a3e9c1d-0b7f-4e2a-9d64-1f8c2b6a7e30");
/// Its name in Xero.
pub const SAMPLE_NAME: &str = "Sample Trading Pty Ltd";
/// Code of its account for money that was paid in advance; a prepayment is booked there.
pub const PREPAYMENT_ACCOUNT: &str = "803";
/// The key that the simulator signs deliveries with. It protects nothing.
pub const SAMPLE_WEBHOOK_KEY: &str =
    "SampleKeyForThisMachineOnly0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ==";
/// Xero waits 15 minutes before it sends a failed delivery again; here a restarted function is to
/// have it soon.
const RETRY_INTERVAL_MS: u64 = 5_000;
/// File of the books inside the data directory.
const FILE: &str = "xero.json";

/// The simulator, running.
#[derive(Debug)]
pub struct RunningSimulator {
    half: Half,
    /// The controls: what a person would do in Xero.
    pub simulator: Simulator,
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether there were books from an earlier run.
    pub found_books: bool,
}

/// How the simulator at `url` is reached by the functions.
#[must_use]
pub fn sample_xero(url: &str) -> Xero {
    Xero {
        api_url: url.to_owned(),
        identity_url: url.to_owned(),
        client_id: DEFAULT_CLIENT_ID.to_owned(),
        client_secret: DEFAULT_CLIENT_SECRET.to_owned(),
        tenant_id: SAMPLE_ORGANISATION.to_string(),
        webhook_keys: vec![SAMPLE_WEBHOOK_KEY.to_owned()],
    }
}

/// Starts the simulator with its books under `data`, or in memory, and opens the sample
/// organisation where it is missing.
///
/// # Errors
///
/// The port is in use, or the books cannot be read.
pub async fn start(
    mut options: Options,
    data: Option<&Path>,
    port: u16,
) -> anyhow::Result<RunningSimulator> {
    options.state_file = data.map(|data| data.join(FILE));
    let half = Half::new("simulator")?;
    let started = half.run(async move {
        let (listener, address) = Place::simulator(port).listen().await?;
        let simulator = Simulator::new(options)?;
        let found_books = simulator.organisation(SAMPLE_ORGANISATION).is_some();
        if !found_books {
            let sample = NewOrganisation {
                id: Some(SAMPLE_ORGANISATION),
                name: SAMPLE_NAME.to_owned(),
                ..NewOrganisation::default()
            };
            simulator.add_organisation(sample).context("the sample organisation")?;
        }
        prepayment_account(&simulator).context("the sample organisation's accounts")?;
        drop(simulator.clone().serve(listener));
        Ok((simulator, address, found_books))
    });
    let (simulator, address, found_books) = started.await?;
    Ok(RunningSimulator { half, simulator, address, found_books })
}

/// Opens the account for prepayments where it is missing, as in books of an earlier version.
fn prepayment_account(simulator: &Simulator) -> anyhow::Result<()> {
    let sample = simulator.organisation(SAMPLE_ORGANISATION).context("it is missing")?;
    let mut codes = sample.accounts.iter().filter_map(|account| account.code.as_deref());
    if codes.any(|code| code == PREPAYMENT_ACCOUNT) {
        return Ok(());
    }
    let account = NewAccount {
        code: Some(PREPAYMENT_ACCOUNT.to_owned()),
        name: "Payments in Advance".to_owned(),
        kind: AccountKind::CurrLiab,
        payments_enabled: false,
        currency: None,
    };
    simulator.add_account(SAMPLE_ORGANISATION, account)?;
    Ok(())
}

impl RunningSimulator {
    /// Lets Xero announce changes to `url`. Deliveries that waited for a receiver go out now.
    pub fn announce_to(&self, url: String) {
        let (known, _) = self.simulator.webhook();
        self.simulator.set_webhook(WebhookSettings {
            url,
            key: SAMPLE_WEBHOOK_KEY.to_owned(),
            retry_interval_ms: RETRY_INTERVAL_MS,
            enabled: true,
            ..known
        });
    }

    /// Ends it; its books are on disk already.
    pub async fn stop(self) {
        self.half.end().await;
    }
}
