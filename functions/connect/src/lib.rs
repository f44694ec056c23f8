#![doc = include_str!("../README.md")]

mod callback;
mod choice;
mod composition;
mod launch;
mod pages;
mod request;
mod response;
mod tally;

use access::{TokenVault, Xero};
use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use host::clock::Clock;
use host::metrics::Metrics;
use host::webhook_secret::WebhookSecret;
use payments::budget::Purpose;
use queue::SchedulesQueue;
use table::Tables;
use url::Url;
use xero::Client;

pub use access::StartError;

use crate::pages::{Pages, VisitOutcome};
use crate::request::Request;
use crate::response::Response;
use crate::tally::Tally;

/// The path to which Xero sends a user back.
pub const CALLBACK: &str = "/callback";
/// The path that an operator's link leads to.
pub const LAUNCH: &str = "/launch";

/// The function: everything between its environment and its handler.
pub struct Connector {
    xero: Xero,
    tables: Tables,
    /// Where the first work of an organisation goes that was signed up; without it the next schedule begins.
    schedules: Option<SchedulesQueue>,
    /// Where the keys are that Xero signs webhooks with, if they are in a secret.
    webhook_secret: Option<WebhookSecret>,
    /// Where users log in at Xero.
    login: Url,
    /// Our own address, if it is not the one that Lambda gives.
    address: Option<Url>,
    pages: Pages,
    metrics: Metrics,
    clock: Clock,
}

impl Connector {
    /// Puts the function together from its parts.
    pub fn new(
        xero: Client,
        tables: Tables,
        vault: impl Into<TokenVault>,
        login: Url,
        address: Url,
        clock: Clock,
    ) -> Self {
        let xero = Xero::with(xero, &tables, Purpose::Sweep).with_grants(vault, &tables);
        Self {
            xero,
            tables,
            schedules: None,
            webhook_secret: None,
            login,
            address: Some(address),
            pages: Pages::default(),
            metrics: Metrics::off(),
            clock,
        }
    }

    /// The same, with a queue for the first work of an organisation.
    #[must_use]
    pub fn with_schedules(self, schedules: SchedulesQueue) -> Self {
        Self { schedules: Some(schedules), ..self }
    }

    /// The same, with the address of the operators' pages, to which each page leads back.
    #[must_use]
    pub fn with_console(self, console: String) -> Self {
        Self { pages: Pages { console: Some(console) }, ..self }
    }

    /// Answers one request. Never fails: every failure is a page, too.
    pub async fn handle(&self, request: &LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        let request = Request::read(request, self.address.as_ref());
        let response = match &request.base {
            // Nothing can be compared with an address that is not known.
            None => self.pages.outcome(VisitOutcome::HealthIssue),
            Some(base) => self.answer(&request, base).await,
        };
        self.metrics.report(self.clock.now(), &Tally::of(response.status()));
        response.finish(request.base.as_ref())
    }

    async fn answer(&self, request: &Request, base: &Url) -> Response {
        if request.is_post && request.is_foreign {
            return self.pages.outcome(VisitOutcome::Foreign);
        }
        match (request.is_post, request.path.as_str()) {
            (false, "/") => self.pages.start(),
            (false, "/style.css") => pages::style(),
            (false, LAUNCH) => self.invite(request).await,
            (true, LAUNCH) => self.launch(request, base).await,
            (false, CALLBACK) => self.callback(request, base).await,
            (false, "/choose") => self.choices(request, base).await,
            (true, "/choose") => self.choose(request, base).await,
            (false, "/done") => self.done(request, base).await,
            (true, "/disconnect") => self.disconnect(request, base).await,
            (false, path) => {
                let outcome = path.strip_prefix("/outcome/").and_then(VisitOutcome::from_code);
                self.pages.outcome(outcome.unwrap_or(VisitOutcome::NotFound))
            }
            (true, _) => self.pages.outcome(VisitOutcome::NotFound),
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}
