//! The body of a delivery and its signature, byte for byte as Xero sends them.
//!
//! The spacing is irregular: a space after some colons and after one comma. A receiver that parses
//! and writes it again before it checks the signature fails, which is why no JSON library writes it.

use std::fmt::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;

/// Capital letters in `entropy` (facts.md 1.3).
pub(crate) const ENTROPY_LENGTH: usize = 20;
/// What `resourceUrl` begins with, wherever the simulator really listens.
const RESOURCE_URL: &str = "https://api.xero.com/api.xro/2.0";

/// Something changed in Xero.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Event {
    pub(crate) resource: Resource,
    pub(crate) id: Uuid,
    pub(crate) tenant: Uuid,
    pub(crate) created: bool,
    pub(crate) at: Timestamp,
}

/// What an event is about.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) enum Resource {
    Invoice,
    Contact,
    /// With the type and the status that its event carries (facts.md 1.3).
    CreditNote {
        kind: String,
        status: String,
    },
}

/// The body of one delivery.
pub(crate) fn body(events: &[Event], first: u32, last: u32, entropy: &str) -> String {
    let mut out = String::from(r#"{"events":["#);
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_event(&mut out, event);
    }
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        r#"],"firstEventSequence": {first},"lastEventSequence": {last}, "entropy": "{entropy}"}}"#
    );
    out
}

fn write_event(out: &mut String, event: &Event) {
    let Event { id, tenant, .. } = event;
    let (path, category) = match event.resource {
        Resource::Invoice => ("Invoices", "INVOICE"),
        Resource::Contact => ("Contacts", "CONTACT"),
        Resource::CreditNote { .. } => ("CreditNotes", "CREDITNOTE"),
    };
    let kind = if event.created { "CREATE" } else { "UPDATE" };
    let at = event.at.strftime("%Y-%m-%dT%H:%M:%S%.3f");
    let _ = write!(
        out,
        concat!(
            r#"{{"resourceUrl": "{url}/{path}/{id}","resourceId": "{id}","tenantId": "{tenant}","#,
            r#""tenantType": "ORGANISATION","eventCategory": "{category}","eventType": "{kind}","#,
            r#""eventDateUtc": "{at}""#,
        ),
        url = RESOURCE_URL,
        path = path,
        id = id,
        tenant = tenant,
        category = category,
        kind = kind,
        at = at,
    );
    if let Resource::CreditNote { kind, status } = &event.resource {
        let _ = write!(out, r#","data": {{"Type": "{kind}","Status": "{status}"}}"#);
    }
    out.push('}');
}

/// The value of `x-xero-signature`: the key's own text is the key, it is not decoded first.
pub(crate) fn sign(key: &str, body: &[u8]) -> String {
    match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
        Ok(mut mac) => {
            mac.update(body);
            STANDARD.encode(mac.finalize().into_bytes())
        }
        // HMAC takes keys of any length.
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const KEY: &str = "ExampleWebhookKeyForTestsOnly0123456789abcdefghijklmnopqrstuvwxyz+/==";

    #[test]
    fn an_intent_to_receive_is_written_and_signed_like_the_vector() {
        let body = body(&[], 0, 0, "QWERTYUIOPASDFGHJKLZ");

        assert_eq!(
            body,
            r#"{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, "entropy": "QWERTYUIOPASDFGHJKLZ"}"#
        );
        assert_eq!(body.len(), 95);
        assert_eq!(sign(KEY, body.as_bytes()), "lz3n6VrAwOiFpeRUrI6WZrDh9OJRmCgEQytwqfxzGBA=");
    }

    #[test]
    fn two_events_are_written_and_signed_like_the_vector() {
        let tenant = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
        let events = [
            Event {
                resource: Resource::Invoice,
                id: "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10".parse().unwrap(),
                tenant,
                created: false,
                at: "2026-10-05T03:41:22.518Z".parse().unwrap(),
            },
            Event {
                resource: Resource::CreditNote {
                    kind: "ACCRECCREDIT".to_owned(),
                    status: "AUTHORISED".to_owned(),
                },
                id: "c2d9e4b1-6a38-47f0-8e15-9f4b7a60d3c2".parse().unwrap(),
                tenant,
                created: true,
                at: "2026-10-05T03:41:23.004Z".parse().unwrap(),
            },
        ];

        let body = body(&events, 4101, 4102, "MNBVCXZLKJHGFDSAPOIU");

        assert_eq!(body, TWO_EVENTS);
        assert_eq!(body.len(), 806);
        assert_eq!(sign(KEY, body.as_bytes()), "dMH47L0TMGHjrJM9VuEzkl5Yd9NeCWEd1ebH2rTmozU=");
    }

    #[test]
    fn compacting_a_body_changes_its_signature() {
        let compact = |body: &str| body.replace("\": ", "\":").replace(", \"", ",\"");
        let itr = compact(&body(&[], 0, 0, "QWERTYUIOPASDFGHJKLZ"));
        let two = compact(TWO_EVENTS);

        assert_eq!((itr.len(), two.len()), (91, 785));
        assert_eq!(sign(KEY, itr.as_bytes()), "YuqVrmf9fJVFeetNmxijX4NHtODGIB/QJ1B6345KwXQ=");
        assert_eq!(sign(KEY, two.as_bytes()), "k662ugP8bZ51SbG3+/uvEFg9DjtG2vPYCh2L5yuPriM=");
    }

    const TWO_EVENTS: &str = r#"{"events":[{"resourceUrl": "https://api.xero.com/api.xro/2.0/Invoices/3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10","resourceId": "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10","tenantId": "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046","tenantType": "ORGANISATION","eventCategory": "INVOICE","eventType": "UPDATE","eventDateUtc": "2026-10-05T03:41:22.518"},{"resourceUrl": "https://api.xero.com/api.xro/2.0/CreditNotes/c2d9e4b1-6a38-47f0-8e15-9f4b7a60d3c2","resourceId": "c2d9e4b1-6a38-47f0-8e15-9f4b7a60d3c2","tenantId": "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046","tenantType": "ORGANISATION","eventCategory": "CREDITNOTE","eventType": "CREATE","eventDateUtc": "2026-10-05T03:41:23.004","data": {"Type": "ACCRECCREDIT","Status": "AUTHORISED"}}],"firstEventSequence": 4101,"lastEventSequence": 4102, "entropy": "MNBVCXZLKJHGFDSAPOIU"}"#;
}
