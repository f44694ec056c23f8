//! The events by which the functions are asked that carry orders out. Their form is the functions' own: see
//! the READMEs of `sweep`, `upload` and `announce`.

use payments::OrganisationId;
use serde_json::{Value, json};

use crate::order::{Function, Order, Said};

/// The subject of an order within the organisation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct About {
    /// Which payment.
    pub payment: Option<String>,
    /// Which customer.
    pub customer: Option<String>,
    /// Which parked row, by its key.
    pub parked_at: Option<String>,
    /// Which parked rows, by their reason.
    pub reason: Option<String>,
    /// Which invoice, by its number in the business's own system.
    pub invoice: Option<String>,
    /// Which contact in Xero.
    pub contact: Option<String>,
    /// Which discrepancy, by its key.
    pub discrepancy: Option<String>,
    /// What the page said of it.
    pub seen: Option<String>,
    /// Which queue.
    pub queue: Option<String>,
    /// Which message of it.
    pub message: Option<String>,
    /// From which moment on.
    pub from: Option<String>,
    /// Until which moment.
    pub to: Option<String>,
    /// Behind what to go on, as an answer had it.
    pub next: Option<String>,
    /// The time zone of an organisation that signs up.
    pub time_zone: Option<String>,
}

impl About {
    /// In one word, for the activity log.
    pub fn subject(&self) -> Option<&str> {
        let parts = [
            &self.payment,
            &self.discrepancy,
            &self.customer,
            &self.parked_at,
            &self.reason,
            &self.message,
            &self.queue,
            &self.from,
            &self.time_zone,
        ];
        parts.into_iter().find_map(|part| part.as_deref())
    }
}

/// An order that does not name what it is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("please say which {0}; nothing was done")]
pub struct Incomplete(pub &'static str);

/// The function to ask, and the event to ask it by; `None` if the console does it itself.
///
/// # Errors
/// What the order lacks.
pub fn event(
    order: Order,
    organisation: OrganisationId,
    about: &About,
    said: &Said,
) -> Result<Option<(Function, Value)>, Incomplete> {
    let (by, why) = (said.by.as_str(), said.why.as_str());
    let wish = json!({"organisation": organisation, "by": by, "why": why});
    let with = |more: Value| {
        let mut wish = wish.clone();
        if let (Some(wish), Value::Object(more)) = (wish.as_object_mut(), more) {
            wish.extend(more);
        }
        wish
    };
    let named = |what: &Option<String>, name| what.clone().ok_or(Incomplete(name));
    let payment = || named(&about.payment, "payment");
    // A look needs no words, and the function wants some.
    let or_a_look =
        |text: &str| if text.is_empty() { "a look".to_owned() } else { text.to_owned() };
    Ok(Some(match order {
        Order::SyncNow => (Function::Sweep, json!({ "sync_now": wish })),
        Order::ApproveMassChange => (Function::Sweep, json!({ "approve_mass_change": wish })),
        Order::PreviewReplay | Order::Replay => {
            let mut which = serde_json::Map::new();
            for (name, value) in [("parked_at", &about.parked_at), ("reason", &about.reason)] {
                which.extend(value.as_ref().map(|value| (name.to_owned(), json!(value))));
            }
            let preview = order == Order::PreviewReplay;
            let mut replay = with(json!({"which": which, "preview": preview}));
            if preview {
                replay["by"] = json!(or_a_look(by));
                replay["why"] = json!(or_a_look(why));
            }
            (Function::Sweep, json!({ "replay": replay }))
        }
        Order::Accept => {
            let discrepancy = named(&about.discrepancy, "discrepancy")?;
            let mut which = with(json!({ "discrepancy": discrepancy }));
            match (&about.contact, &about.invoice) {
                (Some(contact), None) => which["contact"] = json!(contact),
                _ => which["invoice"] = json!(named(&about.invoice, "invoice")?),
            }
            if let Some(seen) = &about.seen {
                which["seen"] = json!(seen);
            }
            (Function::Sweep, json!({ "accept": which }))
        }
        Order::Restore => {
            let invoice = named(&about.invoice, "invoice")?;
            let which = with(json!({"invoice": invoice, "payment": payment()?}));
            (Function::Sweep, json!({ "restore": which }))
        }
        Order::PreviewPlan => {
            (Function::Upload, json!({"preview": true, "organisation": organisation}))
        }
        // A queue is that of the whole stack, and of no organisation.
        Order::LookAtDeadLetters => {
            let queue = named(&about.queue, "queue")?;
            let (by, why) = (or_a_look(by), or_a_look(why));
            let look = json!({"queue": queue, "preview": true, "by": by, "why": why});
            (Function::Sweep, json!({ "redrive": look }))
        }
        Order::Redrive => {
            let queue = named(&about.queue, "queue")?;
            (Function::Sweep, json!({"redrive": {"queue": queue, "by": by, "why": why}}))
        }
        Order::Discard => {
            let queue = named(&about.queue, "queue")?;
            let message = named(&about.message, "message")?;
            let which = json!({"queue": queue, "message": message, "by": by, "why": why});
            (Function::Sweep, json!({ "discard": which }))
        }
        Order::AnnounceAgain => {
            let (from, to) = (named(&about.from, "hours")?, named(&about.to, "hours")?);
            let mut again = with(json!({"from": from, "to": to}));
            if let Some(next) = &about.next {
                again["next"] = json!(next);
            }
            (Function::Announce, json!({ "announce_again": again }))
        }
        Order::SignUp => {
            let zone = named(&about.time_zone, "time zone")?;
            (Function::Sweep, json!({ "sign_up": with(json!({"time_zone": zone})) }))
        }
        Order::EnableUploads => (Function::Upload, with(json!({"enable_uploads": true}))),
        Order::Hold
        | Order::Release
        | Order::DoNotSend
        | Order::SamePayment
        | Order::TwoPayments => {
            let order = order.code();
            (Function::Upload, with(json!({"payment": payment()?, "order": order})))
        }
        // The reason itself says what has to be solved.
        Order::OpenAction | Order::Solve => {
            let customer = named(&about.customer, "customer")?;
            let block = order == Order::OpenAction;
            (Function::Upload, with(json!({"customer": customer, "block": block})))
        }
        Order::Rename => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_about_a_payment_names_it() {
        let organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
        let said = Said { by: "Ada".to_owned(), why: "w".to_owned() };
        for order in
            [Order::Hold, Order::Release, Order::DoNotSend, Order::SamePayment, Order::TwoPayments]
        {
            let none = event(order, organisation, &About::default(), &said).unwrap_err();
            assert!(none.to_string().contains("which payment"));
            let about = About { payment: Some("P-1".to_owned()), ..About::default() };
            let (function, event) = event(order, organisation, &about, &said).unwrap().unwrap();
            assert_eq!(function, Function::Upload);
            assert_eq!(
                event,
                json!({"organisation": organisation, "payment": "P-1", "order": order.code(),
                       "by": "Ada", "why": "w"})
            );
        }
    }

    #[test]
    fn an_order_about_a_customer_names_it() {
        // EX-27, EX-28
        let organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
        let said = Said { by: "Ada".to_owned(), why: "two contacts".to_owned() };
        for (order, block) in [(Order::OpenAction, true), (Order::Solve, false)] {
            let none = event(order, organisation, &About::default(), &said).unwrap_err();
            assert!(none.to_string().contains("which customer"));
            let about = About { customer: Some("K-1".to_owned()), ..About::default() };
            let (function, event) = event(order, organisation, &about, &said).unwrap().unwrap();
            assert_eq!(function, Function::Upload);
            assert_eq!(
                event,
                json!({"organisation": organisation, "customer": "K-1", "block": block,
                       "by": "Ada", "why": "two contacts"})
            );
        }
    }

    #[test]
    fn orders_about_dead_letters_and_removed_payments_name_them() {
        let organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
        let said = Said { by: "Ada".to_owned(), why: "w".to_owned() };
        for order in [
            Order::Restore,
            Order::LookAtDeadLetters,
            Order::Redrive,
            Order::Discard,
            Order::AnnounceAgain,
        ] {
            assert!(event(order, organisation, &About::default(), &said).is_err(), "{order}");
        }
        let text = |text: &str| Some(text.to_owned());
        let about = About {
            queue: text("changes"),
            message: text("m-1"),
            invoice: text("10234"),
            payment: text("P-1"),
            ..About::default()
        };
        let asked = |order, said| event(order, organisation, &about, said).unwrap().unwrap().1;
        let nobody = Said::default();
        assert_eq!(
            asked(Order::LookAtDeadLetters, &nobody),
            json!({"redrive": {"queue": "changes", "preview": true, "by": "a look", "why": "a look"}})
        );
        assert_eq!(
            asked(Order::Redrive, &said),
            json!({"redrive": {"queue": "changes", "by": "Ada", "why": "w"}})
        );
        assert_eq!(
            asked(Order::Discard, &said),
            json!({"discard": {"queue": "changes", "message": "m-1", "by": "Ada", "why": "w"}})
        );
        assert_eq!(
            asked(Order::Restore, &said),
            json!({"restore": {"organisation": organisation, "invoice": "10234", "payment": "P-1",
                               "by": "Ada", "why": "w"}})
        );
        assert_eq!(
            asked(Order::PreviewPlan, &nobody),
            json!({"preview": true, "organisation": organisation})
        );
    }
}
