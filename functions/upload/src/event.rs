//! What the function is asked to do. Every way of asking is one shape, and a field that is not known is
//! an error: an order that is silently ignored is worse than one that is refused.

use aws_lambda_events::sqs::SqsEvent;
use commands::text::{redact, validate};
use jiff::Timestamp;
use payments::upload::PaymentCommand;
use payments::{CustomerId, OrganisationId, PaymentId};
use serde::Deserialize;

/// A request to the function.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The night of that moment, for one organisation or for all.
    Night { scheduled_at: Timestamp, organisation: Option<OrganisationId> },
    /// Every organisation whose night is due and has not been run, or was interrupted.
    CatchUp,
    /// What a night would do, without doing it.
    Preview { organisation: Option<OrganisationId>, at: Option<Timestamp> },
    /// An order about one payment.
    Order { organisation: OrganisationId, payment: PaymentId, order: PaymentCommand, said: Said },
    /// A customer is blocked (with a reason) or is no longer.
    Block { organisation: OrganisationId, customer: CustomerId, blocked: bool, said: Said },
    /// Uploading is switched on again after it has switched itself off.
    Enable { organisation: OrganisationId, said: Said },
    /// Messages of the `uploads` queue.
    Tasks(Box<SqsEvent>),
}

/// Who wants it, and why.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) by: String,
    pub(crate) why: String,
}

/// An event that asks for nothing we know. The message quotes no values.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the event asks for nothing that upload does: {0}")]
pub struct EventError(String);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    organisation: Option<OrganisationId>,
    scheduled_time: Option<Timestamp>,
    #[serde(default)]
    preview: bool,
    #[serde(default)]
    catch_up: bool,
    payment: Option<PaymentId>,
    order: Option<String>,
    customer: Option<CustomerId>,
    block: Option<bool>,
    #[serde(default)]
    enable_uploads: bool,
    by: Option<String>,
    why: Option<String>,
}

impl Asked {
    /// Reads an event.
    ///
    /// # Errors
    /// [`EventError`], which says what is wrong with the event.
    pub(crate) fn read(event: &serde_json::Value) -> Result<Self, EventError> {
        let text = event.to_string();
        let wrong = |error: serde_json::Error| EventError(redact(&error));
        if event.get("Records").is_some() {
            return serde_json::from_str(&text).map(Box::new).map(Self::Tasks).map_err(wrong);
        }
        let wire: Wire = serde_json::from_str(&text).map_err(wrong)?;
        wire.asked()
    }
}

impl Wire {
    fn asked(self) -> Result<Asked, EventError> {
        let ways = [
            self.preview,
            self.catch_up,
            self.order.is_some(),
            self.block.is_some(),
            self.enable_uploads,
        ];
        if ways.iter().filter(|way| **way).count() > 1 {
            return Err(says("it asks for several things at once"));
        }
        if self.preview {
            return Ok(Asked::Preview { organisation: self.organisation, at: self.scheduled_time });
        }
        if self.catch_up {
            return Ok(Asked::CatchUp);
        }
        if let Some(order) = &self.order {
            let order = PaymentCommand::from_code(order).ok_or_else(|| {
                says("`order` must be hold, release, do_not_send, same_payment or two_payments")
            })?;
            return Ok(Asked::Order {
                organisation: self.organisation()?,
                payment: self.payment.clone().ok_or_else(|| says("`payment` is missing"))?,
                order,
                said: self.said()?,
            });
        }
        if let Some(blocked) = self.block {
            return Ok(Asked::Block {
                organisation: self.organisation()?,
                customer: self.customer.clone().ok_or_else(|| says("`customer` is missing"))?,
                blocked,
                said: self.said()?,
            });
        }
        if self.enable_uploads {
            return Ok(Asked::Enable { organisation: self.organisation()?, said: self.said()? });
        }
        let scheduled_at = self.scheduled_time.ok_or_else(|| {
            says("give it a `scheduled_time` such as \"2026-11-25T11:00:00Z\", which decides the night")
        })?;
        Ok(Asked::Night { scheduled_at, organisation: self.organisation })
    }

    fn organisation(&self) -> Result<OrganisationId, EventError> {
        self.organisation.ok_or_else(|| says("`organisation` is missing"))
    }

    fn said(&self) -> Result<Said, EventError> {
        let words = |name, text: &Option<String>| {
            validate(name, text.as_deref().unwrap_or_default()).map_err(EventError)
        };
        Ok(Said { by: words("by", &self.by)?, why: words("why", &self.why)? })
    }
}

fn says(what: &str) -> EventError {
    EventError(what.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ORGANISATION: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    fn refused(event: serde_json::Value) -> String {
        Asked::read(&event).unwrap_err().to_string()
    }

    #[test]
    fn a_schedule_carries_its_own_time() {
        let event = json!({"scheduled_time": "2026-11-25T11:00:00Z"});
        let asked = Asked::read(&event).unwrap();
        assert!(matches!(asked, Asked::Night { scheduled_at, organisation: None }
            if scheduled_at.to_string() == "2026-11-25T11:00:00Z"));
    }

    #[test]
    fn orders_say_who_and_why() {
        let event = json!({"organisation": ORGANISATION, "payment": "P-1", "order": "hold",
            "by": "Wilma", "why": "the customer disputes it"});
        assert!(matches!(
            Asked::read(&event),
            Ok(Asked::Order { order: PaymentCommand::Hold, .. })
        ));
        let event =
            json!({"organisation": ORGANISATION, "payment": "P-1", "order": "hold", "by": "W"});
        assert!(refused(event).contains("`why`"));
        let event =
            json!({"organisation": ORGANISATION, "enable_uploads": true, "why": "w", "by": " "});
        assert!(refused(event).contains("`by`"));
    }

    #[test]
    fn what_is_not_known_is_refused_and_its_value_not_quoted() {
        for (event, words) in [
            (json!({}), "scheduled_time"),
            (json!({"scheduled_time": "tonight canary"}), "cannot be read"),
            (json!({"scheduled": "canary"}), "`scheduled` is not a field"),
            (json!({"preview": true, "catch_up": true}), "several things"),
            (
                json!({"order": "canary", "payment": "P", "organisation": ORGANISATION}),
                "do_not_send",
            ),
            (json!(["canary"]), "cannot be read"),
        ] {
            let refusal = refused(event);
            assert!(refusal.contains(words), "{refusal}");
            assert!(!refusal.contains("canary"), "{refusal}");
        }
    }

    #[test]
    fn every_payload_of_the_runbook_is_understood() {
        for payload in harness::runbook::payloads("upload") {
            if let Err(error) = Asked::read(&payload) {
                panic!("{payload}: {error}");
            }
        }
    }
}
