#![doc = include_str!("../README.md")]

mod acting;
pub mod answer;
pub mod csv;
mod event;
mod links;
pub mod order;
mod page;
pub mod pages;
pub mod roles;
mod tally;
mod times;
pub mod view;

use archive::Archive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use host::clock::Clock;
use host::env::{EnvError, Environment};
use host::invocation::Invocation;
use host::metrics::Metrics;
use host::telemetry;
use invoker::{Invoker, LambdaInvoker};
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::connection::AccessMode;
use serde::Serialize;
use serde_json::Value;
use table::{OrganisationRow, Tables};

use crate::acting::Acting;
use crate::answer::{CommandOutcome, Outcome};
use crate::event::{Asked, OrganisationSaid, Show};
use crate::order::Order;
use crate::pages::{PageError, Stage, Trouble};
use crate::roles::Role;
use crate::tally::Tally;
use crate::view::{Buttons, Notice};

/// Most organisations that are listed to choose from.
const ORGANISATIONS_MAX: usize = 100;

/// How long a command is waited for. A sync may take minutes, and the person who pressed the button looks at a
/// page that does nothing meanwhile: after this, the page says that it goes on.
pub const INVOKED_MAX: Duration = Duration::from_secs(20);

/// How long a page may take. Lambda ends the function after 30 seconds (`Timeout` in the template), and a function that
/// was ended counts no failure; an order is waited for at most 20 ([`INVOKED_MAX`]).
const PAGE_MAX: Duration = Duration::from_secs(27);

/// How often what changed is looked for, if nothing is said.
const SWEEP_MINUTES: u8 = 30;

/// The function: everything between its environment and its handler.
#[derive(Debug)]
pub struct Console<I> {
    role: Role,
    tables: Tables,
    invoker: I,
    sweep_every: SignedDuration,
    mode: AccessMode,
    /// Where reports are kept, if the stack has a bucket for them.
    archive: Option<Archive>,
    metrics: Metrics,
    clock: Clock,
}

/// What the function answers, in the shapes that CloudWatch shows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reply {
    /// A page.
    Html(String),
    /// What the widget is.
    Described {
        /// As text with marks.
        markdown: String,
    },
}

/// The page, or that it took too long or broke: so each failure of a page is counted by the function itself.
async fn unbroken(
    mut page: Pin<Box<impl Future<Output = Result<String, PageError>>>>,
    most: Duration,
) -> Result<String, PageError> {
    let caught = std::future::poll_fn(move |context| {
        let polled = catch_unwind(AssertUnwindSafe(|| page.as_mut().poll(context)));
        polled.unwrap_or(Poll::Ready(Err(PageError::Panicked)))
    });
    tokio::time::timeout(most, caught).await.unwrap_or(Err(PageError::TooLate))
}

impl Console<LambdaInvoker> {
    /// Reads the environment, see the README, and makes the SDK's clients.
    ///
    /// # Errors
    /// Names the variable that is missing or makes no sense.
    pub fn from_env(
        env: &Environment,
        aws: &host::SdkConfig,
        clock: Clock,
    ) -> Result<Self, EnvError> {
        let role = Role::from_code(&env.required("CONSOLE_ROLE")?)
            .ok_or_else(|| EnvError::new("CONSOLE_ROLE", "must be viewer, operator or admin"))?;
        // The viewers' function calls no other, and has no name to call.
        let name = match role {
            Role::Viewer => None,
            Role::Operator | Role::Admin => Some(env.required("OPERATIONS_FUNCTION")?),
        };
        let invoker = LambdaInvoker::new(aws, name, INVOKED_MAX);
        let prefix = env.optional("TABLE_PREFIX")?.unwrap_or_default();
        let tables = Tables::new(aws_sdk_dynamodb::Client::new(aws), prefix);
        let minutes = env.parsed::<u8>("SWEEP_MINUTES", "must be a number of minutes")?;
        let console = Self::new(role, tables, invoker, clock);
        // Where users let us in, there is a function that takes them to Xero.
        let mode = match env.optional("CONNECT_URL")? {
            Some(_) => AccessMode::Grants,
            None => AccessMode::CustomConnection,
        };
        let sweep_every = minutes.map_or(console.sweep_every, minutes_long);
        let metrics = Metrics::from_env(env, role.function())?;
        let bucket = env.optional("REPORTS_BUCKET")?;
        let archive = bucket.map(|bucket| Archive::new(aws_sdk_s3::Client::new(aws), bucket));
        Ok(Self { metrics, archive, ..console.sweeping_every(sweep_every).let_in_by(mode) })
    }
}

fn minutes_long(minutes: u8) -> SignedDuration {
    SignedDuration::from_mins(minutes.into())
}

impl<I: Invoker> Console<I> {
    /// Puts the function together from its parts.
    pub fn new(role: Role, tables: Tables, invoker: I, clock: Clock) -> Self {
        let sweep_every = minutes_long(SWEEP_MINUTES);
        let mode = AccessMode::default();
        let (archive, metrics) = (None, Metrics::off());
        Self { role, tables, invoker, sweep_every, mode, archive, metrics, clock }
    }

    /// The same, in a stack that Xero lets in like this, and not by a custom connection.
    #[must_use]
    pub fn let_in_by(self, mode: AccessMode) -> Self {
        Self { mode, ..self }
    }

    /// The same, with a bucket for reports.
    #[must_use]
    pub fn with_archive(self, archive: Archive) -> Self {
        Self { archive: Some(archive), ..self }
    }

    /// The same, in a stack where what changed is looked for this often (ST-16), and not every half hour.
    #[must_use]
    pub fn sweeping_every(self, sweep_every: SignedDuration) -> Self {
        Self { sweep_every, ..self }
    }

    /// Answers an event. There is always something to show: what went wrong is a page as well.
    pub async fn handle(&self, event: &Value, invocation: &Invocation) -> Reply {
        let show = match Asked::read(event) {
            Asked::Describe => {
                return Reply::Described { markdown: pages::notices::describe(self.role) };
            }
            Asked::Show(show) => *show,
        };
        let mut tally = Tally::default();
        let asked = Asking { console: self, show, invocation, now: self.clock.now() };
        // On the heap: a future that holds every page and every order is too deep for the compiler, and large.
        let html = match unbroken(Box::pin(asked.html(&mut tally)), PAGE_MAX).await {
            Ok(html) => html,
            Err(error) => {
                tally.failed = true;
                tracing::error!(
                    page = asked.show.page.code(),
                    request_id = invocation.request_id,
                    error = telemetry::chain(&error),
                    "a page could not be shown"
                );
                asked.apology(&error)
            }
        };
        self.report(&asked, &tally);
        Reply::Html(html)
    }

    fn report(&self, asked: &Asking<'_, I>, tally: &Tally) {
        tracing::info!(
            page = asked.show.page.code(),
            role = self.role.code(),
            rows_read = tally.rows_read,
            order = tally.order,
            outcome = tally.outcome.map(Outcome::code),
            request_id = asked.invocation.request_id,
            "console done"
        );
        self.metrics.report(asked.now, &tally.numbers());
    }
}

/// One invocation.
struct Asking<'a, I> {
    console: &'a Console<I>,
    show: Show,
    invocation: &'a Invocation,
    now: Timestamp,
}

/// Whose books a page is about.
enum Whose {
    One(OrganisationId),
    Several(Vec<OrganisationRow>, bool),
    None,
    Unreadable,
}

impl<I: Invoker> Asking<'_, I> {
    async fn html(&self, tally: &mut Tally) -> Result<String, PageError> {
        if let Some(page) = self.refused(tally).await? {
            return Ok(page);
        }
        let mut notices = Vec::new();
        if self.show.unknown_order {
            notices.push(Notice::bad("That is no order that is known here; nothing was done."));
        }
        let whose = self.whose(tally).await?;
        let (mut keep_why, mut replies) = (false, Vec::new());
        if let Some(order) = self.show.order {
            let result = self.obeyed(order, &whose, tally).await;
            keep_why = result.outcome == Outcome::Failed;
            notices.push(notice(&result));
            replies = result.replies;
        }
        let organisation = match whose {
            Whose::One(organisation) => organisation,
            Whose::Several(rows, more) => {
                let buttons = self.buttons(None);
                let tables = &self.console.tables;
                let (html, read) = pages::choose::choose(
                    tables,
                    (&rows, more),
                    &self.show,
                    &buttons,
                    notices,
                    self.now,
                )
                .await?;
                tally.rows_read = tally.rows_read.saturating_add(read);
                return Ok(html);
            }
            Whose::None => {
                let mode = self.console.mode;
                return pages::notices::no_organisation(
                    &self.show,
                    &self.buttons(None),
                    mode,
                    notices,
                    self.now,
                );
            }
            Whose::Unreadable => {
                let lines =
                    vec!["The parameter organisation is no id such as Xero's tenants have.".into()];
                return self.tell("Which organisation?", notices, lines);
            }
        };
        let row = self.console.tables.organisation(organisation).await?;
        tally.rows_read = tally.rows_read.saturating_add(1);
        let mut buttons = self.buttons(Some(organisation));
        // What was not carried out can be mended where it was ordered.
        buttons.is_one_of_several = self.show.is_one_of_several;
        buttons.again = self.show.carried.clone().filter(|_| keep_why);
        let Some(row) = row else {
            let lines = vec![format!("The organisation {organisation} is not set up here.")];
            return self.tell("Not set up", notices, lines);
        };
        let settings = match &row.settings {
            Ok(settings) => settings,
            Err(error) => {
                let lines = vec![
                    format!("The settings of this organisation cannot be read: {error}."),
                    "Until a person mends the row in the table organisations, nothing is synced for it.".into(),
                ];
                return self.tell("Settings", notices, lines);
            }
        };
        let trouble = Trouble::read(&self.console.tables, settings, self.now).await;
        tally.rows_read = tally.rows_read.saturating_add(trouble.rows);
        let stage = Stage {
            tables: &self.console.tables,
            row: &row,
            settings,
            trouble,
            show: &self.show,
            buttons: &buttons,
            notices,
            keep_why,
            replies,
            sweep_every: self.console.sweep_every,
            mode: self.console.mode,
            archive: self.console.archive.as_ref(),
            now: self.now,
            rows_read: tally.rows_read.into(),
        };
        let html = pages::dispatch::show(&stage).await;
        tally.rows_read = stage.rows_read.get();
        html
    }

    /// The page for those who may not, if the role may not (ST-22).
    async fn refused(&self, tally: &mut Tally) -> Result<Option<String>, PageError> {
        let (page, role) = (self.show.page, self.console.role);
        let open = format!("open_{page}");
        let (what, label, least) = match self.show.order {
            Some(order) if !role.may(order.least_role()) => {
                (order.code(), order.label(), order.least_role())
            }
            _ if !role.may(page.least_role()) => (open.as_str(), page.title(), page.least_role()),
            _ => return Ok(None),
        };
        tally.order = self.show.order.map(Order::code);
        tally.outcome = Some(Outcome::Refused);
        let organisation = self.show.organisation.as_ref().and_then(|said| said.0);
        self.acting().refuse(organisation, what, least, &self.show).await;
        let buttons = self.buttons(organisation);
        pages::notices::refused(label, least, self.show.dark, &buttons, self.now).map(Some)
    }

    async fn obeyed(&self, order: Order, whose: &Whose, tally: &mut Tally) -> CommandOutcome {
        tally.order = Some(order.code());
        let obeyed = async |organisation| match self.show.said.attribution() {
            Err(not_said) if !order.is_read_only() => CommandOutcome::failed(not_said.to_string()),
            _ => self.acting().obey(order, organisation, &self.show).await,
        };
        let result = match whose {
            // A user of Xero says which organisations; one that is named is connected again.
            _ if order == Order::Authorise && self.show.organisation.is_none() => {
                obeyed(None).await
            }
            // Nothing is done to an organisation that is not named, but the only one.
            Whose::One(_) if order == Order::SignUp && self.show.organisation.is_none() => {
                CommandOutcome::failed(
                    "please say which organisation, by Xero's tenant id; nothing was done",
                )
            }
            Whose::One(organisation) => obeyed(Some(*organisation)).await,
            _ => CommandOutcome::failed("please say which organisation; nothing was done"),
        };
        tally.outcome = Some(result.outcome);
        result
    }

    async fn whose(&self, tally: &mut Tally) -> Result<Whose, PageError> {
        match self.show.organisation {
            Some(OrganisationSaid(Some(organisation))) => return Ok(Whose::One(organisation)),
            Some(OrganisationSaid(None)) => return Ok(Whose::Unreadable),
            None => {}
        }
        let found = self.console.tables.organisations(ORGANISATIONS_MAX).await?;
        tally.rows_read = tally.rows_read.saturating_add(found.rows.len());
        Ok(match found.rows.as_slice() {
            [] => Whose::None,
            [only] => Whose::One(only.organisation),
            _ => Whose::Several(found.rows, found.more),
        })
    }

    fn acting(&self) -> Acting<'_, I> {
        Acting {
            tables: &self.console.tables,
            invoker: &self.console.invoker,
            role: self.console.role,
            invocation: self.invocation,
            now: self.now,
            clock: &self.console.clock,
        }
    }

    fn buttons(&self, organisation: Option<OrganisationId>) -> Buttons {
        Buttons::new(
            self.invocation.function_arn.clone(),
            organisation.map(|organisation| organisation.to_string()),
            self.console.role,
            self.show.said.clone(),
        )
    }

    fn tell(
        &self,
        title: &'static str,
        notices: Vec<Notice>,
        lines: Vec<String>,
    ) -> Result<String, PageError> {
        pages::notices::tell(title, self.show.dark, &self.buttons(None), notices, lines, self.now)
    }

    /// The page that stands where another one could not be made.
    fn apology(&self, error: &PageError) -> String {
        let why = match error {
            // It names the table and the attribute, and quotes nothing.
            PageError::Read(error @ table::ReadError::Unreadable { .. }) => format!("{error}."),
            error => format!("{error}."),
        };
        let mut lines = vec![format!("This page cannot be shown now: {why}")];
        if self.show.order.is_some() {
            lines.push("Whether the order was carried out is not known: look at the page Activity before you order it again.".into());
        }
        lines.extend([format!(
            "The function's log says more, by the request's id {}.",
            self.invocation.request_id
        )]);
        self.tell("Not now", Vec::new(), lines).unwrap_or_default()
    }
}

fn notice(result: &CommandOutcome) -> Notice {
    let address = result.replies.iter().find_map(|reply| match reply {
        commands::Reply::Authorise(reply) => Some(reply.authorise.url.clone()),
        _ => None,
    });
    if let Some(address) = address {
        return Notice::good(result.words.clone()).leading_to(address, Order::Authorise.label());
    }
    match result.outcome {
        Outcome::Done => Notice::good(format!("Done. {}", result.words)),
        Outcome::Started => Notice::good(result.words.clone()),
        Outcome::Failed | Outcome::Refused => Notice::bad(result.words.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_page_that_breaks_or_takes_too_long_is_a_failure_that_is_counted() {
        // Lambda would report both as errors of the function, which no alarm watches: `runs-failed` does.
        let late = unbroken(Box::pin(std::future::pending()), Duration::ZERO).await;
        assert!(matches!(late, Err(PageError::TooLate)), "{late:?}");
        let broken = unbroken(Box::pin(async { panic!("a fault") }), PAGE_MAX).await;
        assert!(matches!(broken, Err(PageError::Panicked)), "{broken:?}");
        let good = unbroken(Box::pin(async { Ok("a page".to_owned()) }), PAGE_MAX).await;
        assert_eq!(good.unwrap(), "a page");
    }
}
