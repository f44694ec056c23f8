//! The client for Xero's Accounting API, and one authorised read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use payments::budget::{CallBudget, Purpose, Word};
use payments::grant::{Grants, NoGrants, Pairs};
use payments::{OrganisationId, Snapshot, XeroInvoiceId};
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, AUTHORIZATION, IF_MODIFIED_SINCE};
use url::Url;

use crate::call_permits::{Unmetered, denial, word};
use crate::config::{Config, ConfigError, IDS_MAX_LIMIT, below};
use crate::error::{Outage, ReadError};
use crate::failed_answer::{refusal, token_is_bad};
use crate::http::{Failed, Http, HttpResponse};
use crate::identity_service::{Credentials, Token};
use crate::invoice::{self, Reading};
use crate::limits::Limits;
use crate::organisation::{Organisation, allowed_actions};
use crate::token::Tokens;
use crate::user_tokens::Granted;

/// What reading invoices needs (facts.md 2.3).
pub(crate) const SCOPE_INVOICES: &str = "accounting.invoices.read";

/// What reading payments needs. Xero may hide the payments of an invoice without it.
pub(crate) const SCOPE_PAYMENTS: &str = "accounting.payments.read";

/// What reading bank transactions needs.
pub(crate) const SCOPE_BANK_TRANSACTIONS: &str = "accounting.banktransactions.read";

/// What reading the organisation needs.
const SCOPE_SETTINGS: &str = "accounting.settings.read";

/// Reads from Xero, and writes payments to it. Cheap to share by reference; keeps its token and its
/// connections, so that a process needs only one for each pair of credentials.
///
/// It is let in by the app's own credentials, for the one organisation of a custom connection; or by what
/// users have granted, see [`Client::with_grants`].
///
/// Each call is asked of a budget first. One that the budget denies is not made: it fails as if Xero
/// had answered 429.
pub struct Client<B = Unmetered, G = NoGrants> {
    pub(crate) http: Http,
    pub(crate) tokens: Tokens<G>,
    budget: B,
    purpose: Purpose,
    api_url: Url,
    pub(crate) connections_url: Url,
    ids_max: usize,
    /// The cost since the last question.
    spent: Mutex<BTreeMap<OrganisationId, Spent>>,
    /// Of the organisation that was called last. With client credentials there is only one.
    limits: Mutex<Option<(OrganisationId, Limits)>>,
}

/// What calls of the API have cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Spent {
    /// Calls made, failed ones included.
    pub calls: u32,
    /// Bytes of the answers' bodies.
    pub bytes: u64,
}

/// The request of a read.
pub(crate) struct Ask {
    pub(crate) url: Url,
    /// The value of `If-Modified-Since`, in Xero's own format.
    pub(crate) modified_since: Option<String>,
    /// The permission that it takes.
    pub(crate) scope: &'static str,
}

/// How often a request may be sent.
#[derive(Clone, Copy)]
pub(crate) enum Attempts {
    /// Once more if the connection failed: for reads.
    Reads,
    /// Once, even after a failure: for writes.
    Once,
}

/// What one read has used so far, and what it is made for.
pub(crate) struct Meter {
    pub(crate) purpose: Purpose,
    /// Calls made to the API, failed ones included.
    pub(crate) calls: u32,
    /// What Xero said last is left.
    pub(crate) limits: Limits,
}

impl Client {
    /// Makes a client without a budget. Nothing is sent yet. `clock` says when each read is started.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn new(
        config: Config,
        credentials: Credentials,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, ConfigError> {
        if !(1..=IDS_MAX_LIMIT).contains(&config.ids_max) {
            return Err(ConfigError::IdsMax);
        }
        let api_url = below(&config.api_url, &["api.xro", "2.0"], "the address of the API")?;
        let token_url = below(
            &config.identity_url,
            &["connect", "token"],
            "the address of the identity service",
        )?;
        let is_plain = [&api_url, &token_url].iter().all(|url| url.scheme() == "http");
        Ok(Self {
            http: Http::new(config.timeout, is_plain, Box::new(clock))
                .map_err(ConfigError::Http)?,
            tokens: Tokens::new(token_url, config.scopes, credentials),
            budget: Unmetered,
            purpose: Purpose::Live,
            api_url,
            connections_url: below(&config.api_url, &["connections"], "the address of the API")?,
            ids_max: config.ids_max,
            spent: Mutex::default(),
            limits: Mutex::new(None),
        })
    }
}

impl<B, G> Client<B, G> {
    /// The same client, all of whose calls are asked of this budget, for this purpose if they have no
    /// other.
    pub fn within<C: CallBudget>(self, budget: C, purpose: Purpose) -> Client<C, G> {
        let Self { http, tokens, api_url, connections_url, ids_max, spent, limits, .. } = self;
        Client { http, tokens, budget, purpose, api_url, connections_url, ids_max, spent, limits }
    }

    /// The same client, let in by what users have granted, for every organisation that hangs on a grant.
    /// Without stores it is let in by the app's own credentials, as before.
    pub fn with_grants<H: Grants + Pairs>(self, stores: Option<H>) -> Client<B, H> {
        let Self {
            http,
            tokens,
            budget,
            purpose,
            api_url,
            connections_url,
            ids_max,
            spent,
            limits,
        } = self;
        let tokens = tokens.with_grants(stores.map(Granted::new));
        Client { http, tokens, budget, purpose, api_url, connections_url, ids_max, spent, limits }
    }

    /// Looks again after this pause while another process renews a grant, 40 times; 250 ms by default.
    #[must_use]
    pub fn with_retry_pause(self, pause: Duration) -> Self {
        let tokens = self.tokens.with_retry_pause(pause);
        Self { tokens, ..self }
    }

    /// Takes credentials that were read again, and returns whether they differ from the ones
    /// before. To be called after [`ErrorClass::Authentication`](crate::ErrorClass): if it
    /// returns true, the read is worth repeating.
    pub async fn replace_credentials(&self, credentials: Credentials) -> bool {
        self.tokens.replace(credentials).await
    }

    /// The cost of calls for this organisation since the last question. A run for an organisation
    /// asks when it begins and when it ends; a read that was given up half-way is counted, too.
    pub fn take_spent(&self, organisation: OrganisationId) -> Spent {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        spent.remove(&organisation).unwrap_or_default()
    }

    fn spend(&self, organisation: OrganisationId, calls: u32, bytes: usize) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = spent.entry(organisation).or_default();
        spent.calls = spent.calls.saturating_add(calls);
        spent.bytes = spent.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// The rest of the call limits when this organisation was last called, for the log.
    /// `None` when another one, or none, was called last.
    pub fn limits(&self, organisation: OrganisationId) -> Option<Limits> {
        let last = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        last.and_then(|(of, limits)| (of == organisation).then_some(limits))
    }
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Reads one invoice with its payments.
    ///
    /// # Errors
    /// Whenever the invoice is not known afterwards; see [`ReadError`].
    pub async fn invoice(
        &self,
        organisation: OrganisationId,
        id: XeroInvoiceId,
    ) -> Result<Snapshot, ReadError> {
        self.one_invoice(organisation, id, &mut self.meter()).await
    }

    /// Reads the organisation itself.
    ///
    /// # Errors
    /// Whenever the organisation is not known afterwards; see [`ReadError`].
    pub async fn organisation(
        &self,
        organisation: OrganisationId,
    ) -> Result<Organisation, ReadError> {
        let url = self.url(&["Organisation"]);
        let answer = self.get(organisation, url, SCOPE_SETTINGS, &mut self.meter()).await?;
        Organisation::read(&answer.body, organisation)
    }

    /// Reads which actions the connection may do in the organisation, by Xero's names.
    ///
    /// # Errors
    /// Whenever that is not known afterwards; see [`ReadError`].
    pub async fn allowed_actions(
        &self,
        organisation: OrganisationId,
    ) -> Result<BTreeSet<String>, ReadError> {
        let url = self.url(&["Organisation", "Actions"]);
        let answer = self.get(organisation, url, SCOPE_SETTINGS, &mut self.meter()).await?;
        allowed_actions(&answer.body)
    }

    pub(crate) async fn one_invoice(
        &self,
        organisation: OrganisationId,
        id: XeroInvoiceId,
        meter: &mut Meter,
    ) -> Result<Snapshot, ReadError> {
        let url = self.url(&["Invoices", &id.to_string()]);
        let answer = self.get(organisation, url, SCOPE_INVOICES, meter).await?;
        let invoices = invoice::invoices_by_id(&answer.body).ok_or(Outage::Unreadable)?;
        // An answer without the invoice, or about another one, proves nothing about this one.
        let raw = invoices.get(&id).ok_or(Outage::Unreadable)?;
        match raw.read(organisation, id, answer.started_at)? {
            Reading::Whole(snapshot) => Ok(snapshot),
            Reading::Thin(thin) => thin.accept(),
        }
    }

    /// Asks for a list of invoices.
    ///
    /// Without `page`, Xero leaves out the line items, which can be most of an answer, and keeps
    /// the payments: its specification shows exactly that shape. Whether it then applies its
    /// default page of 100 does not matter below [`IDS_MAX_LIMIT`]; and an invoice that is
    /// missing, or whose payments do not add up, is read alone. `summaryOnly` would leave the
    /// payments out. The commas stay as they are: encoded they would make the query longer.
    pub(crate) async fn list(
        &self,
        organisation: OrganisationId,
        ids: &[XeroInvoiceId],
        meter: &mut Meter,
    ) -> Result<HttpResponse, ReadError> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let mut url = self.url(&["Invoices"]);
        url.set_query(Some(&format!("IDs={}", ids.join(","))));
        self.get(organisation, url, SCOPE_INVOICES, meter).await
    }

    pub(crate) fn ids_max(&self) -> usize {
        self.ids_max
    }

    async fn get(
        &self,
        organisation: OrganisationId,
        url: Url,
        scope: &'static str,
        meter: &mut Meter,
    ) -> Result<HttpResponse, ReadError> {
        self.ask(organisation, &Ask { url, modified_since: None, scope }, meter).await
    }

    /// One authorised read. A refused token is replaced once, and the call repeated once.
    pub(crate) async fn ask(
        &self,
        organisation: OrganisationId,
        ask: &Ask,
        meter: &mut Meter,
    ) -> Result<HttpResponse, ReadError> {
        let request = || {
            let request = self.http.client().get(ask.url.clone());
            match &ask.modified_since {
                Some(since) => request.header(IF_MODIFIED_SINCE, since),
                None => request,
            }
        };
        let token = self.tokens.current(&self.http, organisation).await?;
        let mut answer = self.call(organisation, request(), &token, Attempts::Reads, meter).await?;
        if token_is_bad(&answer) {
            let token = self.tokens.instead_of(&self.http, organisation, &token).await?;
            answer = self.call(organisation, request(), &token, Attempts::Reads, meter).await?;
        }
        match answer.status {
            200 => Ok(answer),
            _ => Err(refusal(&answer, ask.scope)),
        }
    }

    /// One call with this token, with any status of its answer.
    pub(crate) async fn call(
        &self,
        organisation: OrganisationId,
        request: RequestBuilder,
        token: &Token,
        sending: Attempts,
        meter: &mut Meter,
    ) -> Result<HttpResponse, ReadError> {
        let request = request
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, token.header.clone())
            .header("Xero-Tenant-Id", organisation.to_string());
        let again = match sending {
            Attempts::Reads => request.try_clone(),
            Attempts::Once => None,
        };
        let answer = match (self.one_call(organisation, request, meter).await, again) {
            // The connection may have been an old one that Xero had closed.
            (Err(Failed::NoConnection(_)), Some(again)) => {
                self.one_call(organisation, again, meter).await?
            }
            (answer, _) => answer?,
        };
        let limits = Limits::read(&answer.headers);
        meter.limits = limits;
        if limits != Limits::default() {
            let mut last = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
            *last = Some((organisation, limits));
        }
        tracing::debug!(
            xero.organisation_id = %organisation,
            status = answer.status,
            bytes = answer.body.len(),
            day_remaining = limits.day_remaining,
            minute_remaining = limits.minute_remaining,
            "called Xero"
        );
        Ok(answer)
    }

    /// One call, if the budget has one.
    async fn one_call(
        &self,
        organisation: OrganisationId,
        request: RequestBuilder,
        meter: &mut Meter,
    ) -> Result<HttpResponse, Failed> {
        let now = self.http.now();
        let pass = self
            .budget
            .enter(organisation, meter.purpose, now)
            .await
            .map_err(|denied| Failed::Otherwise(denial(organisation, denied, now)))?;
        meter.calls = meter.calls.saturating_add(1);
        self.spend(organisation, 1, 0);
        let answer = self.http.attempt(request).await;
        self.spend(organisation, 0, answer.as_ref().map_or(0, |answer| answer.body.len()));
        let word = answer.as_ref().map_or_else(|_| Word::default(), word);
        self.budget.leave(pass, word, self.http.now()).await;
        answer
    }

    pub(crate) fn meter(&self) -> Meter {
        self.meter_for(self.purpose)
    }

    pub(crate) fn meter_for(&self, purpose: Purpose) -> Meter {
        Meter { purpose, calls: 0, limits: Limits::default() }
    }

    /// An address below our own base: ids are UUIDs, so no part of it comes from outside.
    pub(crate) fn url(&self, path: &[&str]) -> Url {
        let mut url = self.api_url.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        url
    }
}

impl<B, G> fmt::Debug for Client<B, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("api_url", &self.api_url.as_str()).finish_non_exhaustive()
    }
}
