//! Carries out what a person orders, and writes down who wanted it, why, and what came of it.

use std::collections::BTreeMap;

use commands::reply::NamesReply;
use commands::text::redact;
use commands::{Command, Reply, Request};
use host::clock::Clock;
use host::invocation::Invocation;
use host::telemetry;
use invoker::{InvokeError, Invoker};
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use queue::QueueName;
use table::{NameOf, Ordered, Tables};

use crate::answer::{self, CommandOutcome, Outcome};
use crate::event::Show;
use crate::order::Order;
use crate::roles::Role;

/// What refusals are recorded by.
const REFUSED_BY: &str = "ST-22";
/// What stands in place of a name or a reason that was not given with what was refused.
const NOT_SAID: &str = "(not said)";
/// After this no further queue is looked at: with a last look the page is there before the function's time is over.
const LOOKS_MAX: SignedDuration = SignedDuration::from_secs(5);
/// After this no further payment of several is ordered about.
const SEVERAL_MAX: SignedDuration = SignedDuration::from_secs(15);

/// What orders are carried out with.
pub(crate) struct Acting<'a, I> {
    pub(crate) tables: &'a Tables,
    pub(crate) invoker: &'a I,
    pub(crate) role: Role,
    pub(crate) invocation: &'a Invocation,
    pub(crate) now: Timestamp,
    pub(crate) clock: &'a Clock,
}

impl<I: Invoker> Acting<'_, I> {
    /// Carries an order out that the role may give, and records it if no function has.
    pub(crate) async fn obey(
        &self,
        order: Order,
        organisation: Option<OrganisationId>,
        show: &Show,
    ) -> CommandOutcome {
        if let (Order::Rename, Some(organisation)) = (order, organisation) {
            return self.rename(organisation, show).await;
        }
        if order == Order::LookAtDeadLetters && !show.about.contains_key("queue") {
            return self.look_at_all(organisation, show).await;
        }
        if matches!(order, Order::Hold | Order::Release) && !show.payments.is_empty() {
            return self.obey_for_each(order, organisation, show).await;
        }
        self.obey_once(order, organisation, show).await
    }

    async fn obey_once(
        &self,
        order: Order,
        organisation: Option<OrganisationId>,
        show: &Show,
    ) -> CommandOutcome {
        let request = match request(order, organisation, show) {
            Ok(request) => request,
            Err(words) => return CommandOutcome::failed(words),
        };
        let result = answer::read(order, self.pass_on(&request).await);
        if !order.is_read_only() && !result.is_recorded {
            self.record(organisation, order.code(), &result, None, show).await;
        }
        result
    }

    /// The same order about one payment after the other. Each is recorded by itself; one that fails stops no other.
    async fn obey_for_each(
        &self,
        order: Order,
        organisation: Option<OrganisationId>,
        show: &Show,
    ) -> CommandOutcome {
        let (mut done, mut failed) = (0_usize, Vec::new());
        let deadline = self.now.saturating_add(SEVERAL_MAX).unwrap_or(self.now);
        for payment in &show.payments {
            if self.clock.now() > deadline {
                let rest = show.payments.len().saturating_sub(done).saturating_sub(failed.len());
                failed.push(format!(
                    "there was no time for the other {rest}; press the button again"
                ));
                break;
            }
            let about = BTreeMap::from([("payment".to_owned(), payment.clone())]);
            let one = Show { about, ..show.clone() };
            let result = self.obey_once(order, organisation, &one).await;
            match result.outcome {
                Outcome::Done => done = done.saturating_add(1),
                _ => failed.push(format!("{payment}: {}", result.words)),
            }
        }
        answer::of_several(order, done, &failed)
    }

    async fn pass_on(&self, request: &Request) -> Result<Reply, InvokeError> {
        let event = serde_json::to_value(request);
        let event = event.map_err(|error| InvokeError::Unavailable(error.into()))?;
        let reply = self.invoker.invoke(&event).await?;
        Reply::read(request.command().kind(), &reply).map_err(|error| {
            InvokeError::Failed(format!("the reply cannot be read: {}", redact(&error)))
        })
    }

    /// A look at each dead-letter queue, one after the other, until one takes too long.
    async fn look_at_all(
        &self,
        organisation: Option<OrganisationId>,
        show: &Show,
    ) -> CommandOutcome {
        let (order, mut replies, mut failed) = (Order::LookAtDeadLetters, Vec::new(), Vec::new());
        let deadline = self.now.saturating_add(LOOKS_MAX).unwrap_or(self.now);
        for queue in QueueName::ALL.iter().copied() {
            if self.clock.now() > deadline {
                failed.push(format!("{queue}: there was no time for it"));
                continue;
            }
            let which = Show {
                about: BTreeMap::from([("queue".to_owned(), queue.code().to_owned())]),
                ..show.clone()
            };
            let result = match request(order, organisation, &which) {
                Ok(request) => answer::read(order, self.pass_on(&request).await),
                Err(words) => CommandOutcome::failed(words),
            };
            if result.replies.is_empty() {
                failed.push(format!("{queue}: {}", result.words));
            }
            replies.extend(result.replies);
        }
        let result = answer::looked(replies);
        match failed.as_slice() {
            [] => result,
            failed => {
                CommandOutcome { outcome: Outcome::Failed, words: failed.join("; "), ..result }
            }
        }
    }

    /// Records what was refused (ST-22).
    pub(crate) async fn refuse(
        &self,
        organisation: Option<OrganisationId>,
        what: &str,
        least: Role,
        show: &Show,
    ) {
        let result = CommandOutcome::of(Outcome::Refused, format!("takes the role {least}"));
        self.record(organisation, what, &result, Some(REFUSED_BY), show).await;
    }

    async fn rename(&self, organisation: OrganisationId, show: &Show) -> CommandOutcome {
        let names = &show.names;
        if !names.fit() {
            return CommandOutcome::failed(
                "a name has 200 characters at most, and nothing but text",
            );
        }
        let names = [
            (NameOf::Organisation, names.name.as_str()),
            (NameOf::Administrator, names.administrator.as_str()),
            (NameOf::BankFeed, names.bank_feed.as_str()),
            (NameOf::PaymentGateway, names.payment_gateway.as_str()),
        ];
        let saved = answer::read(Order::Rename, Ok(Reply::Rename(NamesReply { recorded: true })));
        let ordered = self.ordered(Some(organisation), Order::Rename.code(), &saved, None, show);
        match self.tables.rename(organisation, &names, &ordered, self.now).await {
            Ok(()) => saved,
            Err(error) => {
                let result = CommandOutcome::failed(telemetry::chain(&error));
                self.record(Some(organisation), Order::Rename.code(), &result, None, show).await;
                result
            }
        }
    }

    fn ordered<'a>(
        &'a self,
        organisation: Option<OrganisationId>,
        order: &'a str,
        result: &'a CommandOutcome,
        rule: Option<&'a str>,
        show: &'a Show,
    ) -> Ordered<'a> {
        let or_not_said = |text: &'a str| if text.is_empty() { NOT_SAID } else { text };
        Ordered {
            organisation,
            order,
            subject: subject(&show.about),
            result: result.outcome.code(),
            detail: &result.words,
            rule,
            role: self.role.code(),
            by: or_not_said(&show.said.by),
            why: or_not_said(&show.said.why),
            request_id: &self.invocation.request_id,
        }
    }

    /// The order is not undone because it could not be written down: then the log line is what is left of it.
    async fn record(
        &self,
        organisation: Option<OrganisationId>,
        order: &str,
        result: &CommandOutcome,
        rule: Option<&str>,
        show: &Show,
    ) {
        let ordered = self.ordered(organisation, order, result, rule, show);
        if let Err(error) = self.tables.record_order(&ordered, self.now).await {
            tracing::error!(
                xero.tenant_id = organisation.map(|id| id.to_string()),
                order,
                outcome = result.outcome.code(),
                request_id = self.invocation.request_id,
                error = telemetry::chain(&error),
                "an order is missing in the activity log"
            );
        }
    }
}

/// The command that a button orders, with what was typed next to it.
fn request(
    order: Order,
    organisation: Option<OrganisationId>,
    show: &Show,
) -> Result<Request, String> {
    let mut fields = show.about.clone();
    if let Some(organisation) = organisation {
        fields.insert("organisation".to_owned(), organisation.to_string());
    }
    if order == Order::Configure {
        let typed = show.to_save.iter().filter_map(|name| {
            let text = show.settings.get(name)?;
            Some(format!("{name}={text}"))
        });
        fields.insert("settings".to_owned(), typed.collect::<Vec<_>>().join("\n"));
    }
    // A discrepancy is on an invoice, a contact, an order or a payment.
    let places = ["contact", "invoice", "order_id", "payment"];
    if order == Order::Accept && !places.iter().any(|on| fields.contains_key(*on)) {
        return Err("please say which invoice; nothing was done".to_owned());
    }
    let command = Command::of(order, &fields).map_err(|error| error.to_string())?;
    let attribution = show.said.attribution().ok();
    Request::new(command, attribution).map_err(|error| error.to_string())
}

/// The object of an order in one word, for the activity log.
fn subject(about: &BTreeMap<String, String>) -> Option<&str> {
    const NAMES: [&str; 12] = [
        "payment",
        "discrepancy",
        "discrepancies",
        "customer",
        "parked_at",
        "reason",
        "message",
        "queue",
        "day",
        "first_day",
        "from",
        "time_zone",
    ];
    NAMES.iter().find_map(|name| about.get(*name)?.lines().next())
}
