#![doc = include_str!("../README.md")]

mod accounting;
mod authorisation;
mod books;
mod clock;
mod connection;
mod consent;
mod consent_page;
mod control;
mod faults;
mod gzip;
mod identity;
mod limits;
mod meter;
mod options;
mod query;
mod random;
mod reply;
mod state;
mod tokens;
mod webhooks;
mod wire;
mod world;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    routing::{any, delete, get, post},
};
use jiff::Timestamp;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

pub use authorisation::Consent;
pub use books::{
    Account, AccountKind, Allocation, BankTransaction, BankTransactionStatus, BatchPayment,
    Contact, Credit, CreditDocument, CreditKind, CreditNoteStage, Invoice, InvoiceKind,
    InvoiceStatus, Line, LockDates, NewAccount, NewBatchPayment, NewCredit, NewInvoice,
    NewOrganisation, NewPayment, NewSupplierCredit, Organisation, Payment, PaymentStatus, TaxRate,
};
pub use clock::{AdvancingClock, Clock, ManualClock, system_clock};
pub use faults::{Effect, Fault};
pub use limits::LimitProblem;
pub use meter::{Created, CreatedKind, Meter};
pub use options::{
    APP_CALLS_PER_MINUTE_MAX, Batches, CALLS_CONCURRENT_MAX, CALLS_PER_DAY_MAX,
    CALLS_PER_MINUTE_MAX, Client, ConnectedTo, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET,
    KNOWN_SCOPES, Limits, Oddities, Options, PrepaymentReferences,
};
pub use webhooks::{
    BATCH_WINDOW_MS, Delivery, EVENTS_MAX, IntentToReceive, Probe, RETRY_INTERVAL_MS, Signature,
    WebhookSettings, WebhookStatus,
};

use connection::{CuttableListener, Scissors};
use faults::API_PATH;
use world::World;

/// A Xero of one's own. Clones share everything.
#[derive(Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    advancing_clock: Option<AdvancingClock>,
    latency: Duration,
    state_file: Option<PathBuf>,
    world: Mutex<World>,
    /// Wakes the task that delivers webhooks.
    announced: Notify,
    /// Held by the task that delivers webhooks.
    delivering: tokio::sync::Mutex<()>,
    http: reqwest::Client,
}

impl Simulator {
    /// A simulator with the books of its state file, or with none.
    ///
    /// # Errors
    ///
    /// When the state file cannot be read or understood.
    pub fn new(options: Options) -> anyhow::Result<Self> {
        let saved = match &options.state_file {
            Some(path) => state::load(path)?,
            None => state::Saved::default(),
        };
        let world = World::new(&options, saved.books, saved.webhook, saved.ids);
        Ok(Self {
            inner: Arc::new(Inner {
                clock: match &options.advancing_clock {
                    Some(advancing) => advancing.clock(),
                    None => options.clock,
                },
                advancing_clock: options.advancing_clock,
                latency: options.latency,
                state_file: options.state_file,
                world: Mutex::new(world),
                announced: Notify::new(),
                delivering: tokio::sync::Mutex::new(()),
                http: webhooks::client()?,
            }),
        })
    }

    /// Serves on `listener`, and delivers webhooks, until the returned task is aborted. Then every
    /// connection is cut too.
    pub fn serve(self, listener: TcpListener) -> JoinHandle<io::Result<()>> {
        tokio::spawn(async move {
            let listener = CuttableListener::new(listener);
            let _stops_with_this_task = listener.stop_guard();
            let pump = webhooks::pump(self.clone());
            let service = self.router().into_make_service_with_connect_info::<Scissors>();
            tokio::select! {
                served = axum::serve(listener, service).into_future() => served,
                () = pump => Ok(()),
            }
        })
    }

    fn router(self) -> Router {
        Router::new()
            .route(
                "/identity/connect/authorize",
                get(consent_page::authorize).post(consent_page::answer),
            )
            .route("/connect/token", post(identity::token))
            .route("/connections", get(identity::connections))
            .route("/Connections", get(identity::connections))
            .route("/connections/{id}", delete(identity::disconnect))
            .route("/connect/revocation", post(identity::revoke))
            .route(&format!("{API_PATH}/{{*path}}"), any(accounting::answer))
            .nest("/_control", control::router())
            .with_state(self)
    }

    /// The only way to the world: under its lock, with the time, after late writes that are due,
    /// and saved when something changed.
    fn with<T>(&self, act: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let mut world = self.inner.world.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock, so that no later change has an earlier time.
        let now = (self.inner.clock)();
        accounting::apply_due(&mut world, now);
        let result = act(&mut world, now);
        if std::mem::take(&mut world.changed) {
            if let Some(path) = &self.inner.state_file
                && let Err(error) = state::save(path, &world)
            {
                tracing::error!(path = %path.display(), "the simulator's books were not saved: {error:#}");
            }
            self.inner.announced.notify_one();
        }
        result
    }
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Simulator").finish_non_exhaustive()
    }
}
