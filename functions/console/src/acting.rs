//! Carries out what a person orders, and writes down who wanted it, why, and what came of it.

use host::clock::Clock;
use host::invocation::Invocation;
use host::telemetry;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use queue::QueueName;
use table::{NameOf, Ordered, Tables};

use crate::answer::{self, Outcome, Told};
use crate::event::Show;
use crate::invoker::Invoker;
use crate::order::Order;
use crate::passing::{About, event};
use crate::roles::Role;

/// What refusals are recorded by.
const REFUSED_BY: &str = "ST-22";
/// What stands in place of a name or a reason that was not given with what was refused.
const NOT_SAID: &str = "(not said)";
/// After this no further queue is looked at: with a last look the page is there before the function's time is over.
const LOOKS_MAX: SignedDuration = SignedDuration::from_secs(5);

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
        organisation: OrganisationId,
        show: &Show,
    ) -> Told {
        if order == Order::Rename {
            return self.rename(organisation, show).await;
        }
        if order == Order::LookAtDeadLetters && show.about.queue.is_none() {
            return self.look_at_all(organisation, show).await;
        }
        let asked = match event(order, organisation, &show.about, &show.said) {
            Ok(Some(asked)) => asked,
            Ok(None) => return Told::failed("no function carries that out"),
            Err(incomplete) => return Told::failed(incomplete.to_string()),
        };
        // Switching on what is on changes nothing, and leaves no row of its own.
        let was_on = order == Order::EnableUploads && !self.is_off(organisation).await;
        let (function, event) = asked;
        let answer = self.invoker.invoke(function, &event).await;
        let told = answer::read(order, &show.said, answer);
        if !order.only_looks() && (!told.is_recorded || was_on) {
            self.record(Some(organisation), order.code(), &told, None, show).await;
        }
        told
    }

    /// A look at each dead-letter queue, one after the other, until one takes too long.
    async fn look_at_all(&self, organisation: OrganisationId, show: &Show) -> Told {
        let (order, mut answers, mut failed) = (Order::LookAtDeadLetters, Vec::new(), Vec::new());
        let deadline = self.now.saturating_add(LOOKS_MAX).unwrap_or(self.now);
        for queue in QueueName::ALL {
            if self.clock.now() > deadline {
                failed.push(format!("{queue}: there was no time for it"));
                continue;
            }
            let about = About { queue: Some(queue.code().to_owned()), ..About::default() };
            let Ok(Some((function, event))) = event(order, organisation, &about, &show.said) else {
                continue;
            };
            let told = answer::read(order, &show.said, self.invoker.invoke(function, &event).await);
            match told.answer {
                Some(answer) => answers.push(answer),
                None => failed.push(format!("{queue}: {}", told.words)),
            }
        }
        let told = Told { answer: Some(answers.into()), ..answer::looked() };
        match failed.as_slice() {
            [] => told,
            failed => Told { outcome: Outcome::Failed, words: failed.join("; "), ..told },
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
        let told = Told {
            outcome: Outcome::Refused,
            words: format!("takes the role {least}"),
            is_recorded: false,
            answer: None,
        };
        self.record(organisation, what, &told, Some(REFUSED_BY), show).await;
    }

    async fn is_off(&self, organisation: OrganisationId) -> bool {
        match self.tables.caps(organisation).await {
            Ok(caps) => caps.disabled.is_some(),
            Err(_) => false,
        }
    }

    async fn rename(&self, organisation: OrganisationId, show: &Show) -> Told {
        let names = &show.names;
        if !names.fit() {
            return Told::failed("a name has 200 characters at most, and nothing but text");
        }
        let names = [
            (NameOf::Organisation, names.name.as_str()),
            (NameOf::Administrator, names.administrator.as_str()),
            (NameOf::BankFeed, names.bank_feed.as_str()),
            (NameOf::PaymentGateway, names.payment_gateway.as_str()),
        ];
        let saved = answer::read(Order::Rename, &show.said, Ok(serde_json::Value::Null));
        let ordered = self.ordered(Some(organisation), Order::Rename.code(), &saved, None, show);
        match self.tables.rename(organisation, &names, &ordered, self.now).await {
            Ok(()) => saved,
            Err(error) => {
                let told = Told::failed(telemetry::chain(&error));
                self.record(Some(organisation), Order::Rename.code(), &told, None, show).await;
                told
            }
        }
    }

    fn ordered<'a>(
        &'a self,
        organisation: Option<OrganisationId>,
        order: &'a str,
        told: &'a Told,
        rule: Option<&'a str>,
        show: &'a Show,
    ) -> Ordered<'a> {
        let or_not_said = |text: &'a str| if text.is_empty() { NOT_SAID } else { text };
        Ordered {
            organisation,
            order,
            subject: show.about.subject(),
            result: told.outcome.code(),
            detail: &told.words,
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
        told: &Told,
        rule: Option<&str>,
        show: &Show,
    ) {
        let ordered = self.ordered(organisation, order, told, rule, show);
        if let Err(error) = self.tables.record_order(&ordered, self.now).await {
            tracing::error!(
                xero.tenant_id = organisation.map(|id| id.to_string()),
                order,
                outcome = told.outcome.code(),
                request_id = self.invocation.request_id,
                error = telemetry::chain(&error),
                "an order is missing in the activity log"
            );
        }
    }
}
