//! A webhook with a queue in memory, and requests as Lambda hands them over.

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use host::metrics::Metrics;
use host::secrets::SecretError;
use jiff::Timestamp;
use queue::Message;
use queue::fakes::RecordedChanges;
use secrecy::SecretString;
use sha2::Sha256;
use webhook::{Keys, Webhook};
use xero::WebhookKeys;

/// The key of the vectors in facts.md 1.4.
pub const KEY: &str = "ExampleWebhookKeyForTestsOnly0123456789abcdefghijklmnopqrstuvwxyz+/==";
/// Xero's check of the endpoint; its spacing is Xero's.
pub const CHECK: &str = r#"{"events":[],"firstEventSequence": 0,"lastEventSequence": 0, "entropy": "QWERTYUIOPASDFGHJKLZ"}"#;
/// Its signature.
pub const CHECK_SIGNATURE: &str = "lz3n6VrAwOiFpeRUrI6WZrDh9OJRmCgEQytwqfxzGBA=";
/// One invoice and one credit note of one organisation.
pub const TWO_EVENTS: &str = r#"{"events":[{"resourceUrl": "https://api.xero.com/api.xro/2.0/Invoices/3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10","resourceId": "3f1c2a77-5d0e-4b6a-9a41-0c7e5b8d2f10","tenantId": "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046","tenantType": "ORGANISATION","eventCategory": "INVOICE","eventType": "UPDATE","eventDateUtc": "2026-10-05T03:41:22.518"},{"resourceUrl": "https://api.xero.com/api.xro/2.0/CreditNotes/c2d9e4b1-6a38-47f0-8e15-9f4b7a60d3c2","resourceId": "c2d9e4b1-6a38-47f0-8e15-9f4b7a60d3c2","tenantId": "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046","tenantType": "ORGANISATION","eventCategory": "CREDITNOTE","eventType": "CREATE","eventDateUtc": "2026-10-05T03:41:23.004","data": {"Type": "ACCRECCREDIT","Status": "AUTHORISED"}}],"firstEventSequence": 4101,"lastEventSequence": 4102, "entropy": "MNBVCXZLKJHGFDSAPOIU"}"#;
/// Its signature.
pub const TWO_EVENTS_SIGNATURE: &str = "dMH47L0TMGHjrJM9VuEzkl5Yd9NeCWEd1ebH2rTmozU=";

/// The keys in force, and none newer.
pub struct FixedKeys(pub Vec<&'static str>);

impl Keys for FixedKeys {
    async fn current(&self, _: Timestamp) -> Result<WebhookKeys, SecretError> {
        Ok(WebhookKeys::new(self.0.iter().copied().map(SecretString::from).collect()))
    }

    async fn renewed(&self, _: Timestamp) -> Result<Option<WebhookKeys>, SecretError> {
        Ok(None)
    }
}

/// The webhook with the test key, and what it has sent.
#[derive(Default)]
pub struct World {
    pub changes: RecordedChanges,
}

impl World {
    pub async fn post(&self, request: &LambdaFunctionUrlRequest) -> LambdaFunctionUrlResponse {
        self.post_with(FixedKeys(vec![KEY]), request).await
    }

    pub async fn post_with(
        &self,
        keys: impl Keys,
        request: &LambdaFunctionUrlRequest,
    ) -> LambdaFunctionUrlResponse {
        let webhook = Webhook::new(keys, &self.changes, Metrics::off());
        let response = webhook.handle(request, now()).await;
        // X-03, N2: with every answer.
        assert_eq!(response.body.as_deref(), Some(""));
        assert!(response.cookies.is_empty());
        assert!(!response.is_base64_encoded);
        assert!(response.headers.keys().all(|name| name == "allow"), "{:?}", response.headers);
        response
    }

    pub async fn status(&self, request: &LambdaFunctionUrlRequest) -> i64 {
        self.post(request).await.status_code
    }

    /// Answered so, and nothing was sent.
    pub async fn assert_refused(&self, request: &LambdaFunctionUrlRequest, status: i64) {
        assert_eq!(self.status(request).await, status);
        assert_eq!(self.changes.sent(), []);
    }

    /// Answered 200; and what was sent for it.
    pub async fn accept(&self, request: &LambdaFunctionUrlRequest) -> Vec<Message> {
        assert_eq!(self.status(request).await, 200);
        self.changes.take()
    }
}

/// When every request arrives.
pub fn now() -> Timestamp {
    "2026-10-05T03:41:25Z".parse().unwrap()
}

/// Signs as Xero does: the key is text, the result base64 (X-04).
pub fn sign(key: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// A POST of this text, with this signature or none.
pub fn request(body: &str, signature: Option<&str>) -> LambdaFunctionUrlRequest {
    let mut request = LambdaFunctionUrlRequest::default();
    request.request_context.http.method = Some("POST".to_owned());
    request.headers.insert("content-type", "application/json; charset=utf-8".parse().unwrap());
    if let Some(signature) = signature {
        request.headers.insert("x-xero-signature", signature.parse().unwrap());
    }
    request.body = Some(body.to_owned());
    request
}

/// A POST of this text with the right signature.
pub fn signed(body: &str) -> LambdaFunctionUrlRequest {
    request(body, Some(&sign(KEY, body.as_bytes())))
}

/// A POST of these bytes in base64, with the right signature.
pub fn signed_bytes(body: &[u8]) -> LambdaFunctionUrlRequest {
    encoded(body, &sign(KEY, body))
}

/// A POST of these bytes in base64, with this signature.
pub fn encoded(body: &[u8], signature: &str) -> LambdaFunctionUrlRequest {
    let mut request = request(&STANDARD.encode(body), Some(signature));
    request.is_base64_encoded = true;
    request
}

/// An event as Xero writes it.
pub fn event(organisation: u128, category: &str, resource: u128, at: &str) -> String {
    let (organisation, resource) = (uuid(organisation), uuid(resource));
    format!(
        r#"{{"resourceUrl": "https://api.xero.com/api.xro/2.0/Things/{resource}","resourceId": "{resource}","tenantId": "{organisation}","tenantType": "ORGANISATION","eventCategory": "{category}","eventType": "UPDATE","eventDateUtc": "{at}"}}"#
    )
}

/// A delivery of these events.
pub fn delivery(events: &[String]) -> String {
    let events = events.join(",");
    format!(
        r#"{{"events":[{events}],"firstEventSequence": 7,"lastEventSequence": 9, "entropy": "ABCDEFGHIJKLMNOPQRST"}}"#
    )
}

/// A UUID with this number in it.
pub fn uuid(number: u128) -> String {
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// The id with this number.
pub fn id<I: std::str::FromStr<Err: std::fmt::Debug>>(number: u128) -> I {
    uuid(number).parse().unwrap()
}

/// The bytes that were kept of one body, put together again.
pub fn kept(messages: &[Message]) -> Vec<u8> {
    let part = |message: &Message| match message {
        Message::Unreadable(part) => part.bytes.clone(),
        other => panic!("not a part of a body: {other:?}"),
    };
    messages.iter().flat_map(part).collect()
}
