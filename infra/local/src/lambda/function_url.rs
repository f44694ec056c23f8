//! Lambda's function URL: an HTTP request becomes an event of payload format 2.0, and the
//! function's answer becomes the HTTP response.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header, request::Parts},
    response::IntoResponse as _,
    routing::any,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use host::clock;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use super::{Function, Host, PAYLOAD_BYTES_MAX};
use crate::engines::queues::REGION;

/// What the host part of a deployed function URL begins with.
const URL_ID: &str = "local";

/// The routes of the function URLs.
pub fn router(host: Host) -> Router {
    Router::new().route("/webhook", any(webhook)).fallback(nothing_here).with_state(host)
}

async fn nothing_here() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "Nothing here. Xero's deliveries go to POST /webhook.\n")
}

async fn webhook(
    State(host): State<Host>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    // Lambda's limit is for the whole event, so a body that is larger alone is too large as well.
    let Ok(body) = to_bytes(body, PAYLOAD_BYTES_MAX).await else { return too_large() };
    let event = event(&parts, &body, caller, clock::now()).to_string();
    if event.len() > PAYLOAD_BYTES_MAX {
        return too_large();
    }
    match host.invoke(Function::Webhook, Bytes::from(event)).await {
        Ok(answer) => response(&answer),
        Err(_) => bad_gateway(),
    }
}

fn too_large() -> Response<Body> {
    (StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large").into_response()
}

fn bad_gateway() -> Response<Body> {
    (StatusCode::BAD_GATEWAY, "Internal Server Error").into_response()
}

/// The event for a request, as Lambda builds it.
pub(crate) fn event(parts: &Parts, body: &Bytes, caller: SocketAddr, now: Timestamp) -> Value {
    let path = parts.uri.path();
    let query = parts.uri.query().unwrap_or_default();
    let headers = headers(&parts.headers);
    let user_agent = headers.get("user-agent").cloned();
    let mut event = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": URL_ID,
            "domainName": format!("{URL_ID}.lambda-url.{REGION}.on.aws"),
            "domainPrefix": URL_ID,
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": format!("{:?}", parts.version),
                "sourceIp": caller.ip().to_string(),
                "userAgent": user_agent,
            },
            "requestId": Uuid::new_v4().to_string(),
            "routeKey": "$default",
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = Value::Object(query_parameters(query));
    }
    if !body.is_empty() {
        match text(&parts.headers, body) {
            Some(text) => event["body"] = json!(text),
            None => {
                event["body"] = json!(STANDARD.encode(body));
                event["isBase64Encoded"] = json!(true);
            }
        }
    }
    event
}

/// The headers with lower-case names, several of one name joined by commas; cookies apart.
fn headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in headers {
        if *name == header::COOKIE {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|before| {
                before.push(',');
                before.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    joined
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .map(|cookie| cookie.trim().to_owned())
        .collect()
}

fn query_parameters(query: &str) -> Map<String, Value> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        parameters
            .entry(name.into_owned())
            .and_modify(|before| {
                before.push(',');
                before.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    parameters.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

/// The body as text, when its content type is one that Lambda hands over as text. Everything else,
/// forms and bodies without a type included, is handed over as base64.
fn text<'a>(headers: &HeaderMap, body: &'a Bytes) -> Option<&'a str> {
    let kind = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let textual = kind.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"]
            .contains(&kind.as_str())
        || kind.ends_with("+json")
        || kind.ends_with("+xml");
    if textual { std::str::from_utf8(body).ok() } else { None }
}

/// A function's answer in the shape that says which status and headers it wants.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shaped {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    #[serde(default)]
    cookies: Vec<String>,
}

/// The HTTP response for a function's answer. An answer without `statusCode` is the body of a 200;
/// one that makes no HTTP response is a 502, as on Lambda.
pub(crate) fn response(answer: &[u8]) -> Response<Body> {
    let Ok(value) = serde_json::from_slice::<Value>(answer) else { return bad_gateway() };
    if value.get("statusCode").is_none() {
        let json = HeaderValue::from_static("application/json");
        return ([(header::CONTENT_TYPE, json)], answer.to_vec()).into_response();
    }
    let shaped = serde_json::from_slice(answer).ok();
    shaped.and_then(Shaped::into_http).unwrap_or_else(bad_gateway)
}

impl Shaped {
    fn into_http(self) -> Option<Response<Body>> {
        let text = self.body.unwrap_or_default();
        let body = if self.is_base64_encoded {
            Body::from(STANDARD.decode(text).ok()?)
        } else {
            Body::from(text)
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status_code).ok()?;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in self.headers {
            headers.insert(HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?);
        }
        for cookie in self.cookies {
            headers.append(header::SET_COOKIE, HeaderValue::try_from(cookie).ok()?);
        }
        Some(response)
    }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
    use axum::http::Method;

    use super::*;
    use crate::lambda::host::tests::sample_host;

    fn sample_event(content_type: Option<&str>, body: &'static [u8]) -> Value {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/webhook?a=1&b=two%20words&a=2")
            .header("X-Xero-Signature", "abc=")
            .header("X-Twice", "1")
            .header("X-Twice", "2")
            .header("Cookie", "x=1; y=2")
            .header("User-Agent", "test");
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", content_type);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let now = "2026-10-05T03:41:22.518Z".parse().expect("an instant");
        let caller = "127.0.0.1:5000".parse().expect("an address");
        event(&parts, &Bytes::from_static(body), caller, now)
    }

    #[test]
    fn json_arrives_as_text_with_every_byte_in_its_place() {
        let body = br#"{"events":[],"firstEventSequence": 0, "entropy": "A\u00e9"}"#;

        let event = sample_event(Some("application/json; charset=utf-8"), body);

        assert_eq!(event["body"].as_str().map(str::as_bytes), Some(body.as_slice()));
        assert_eq!(event["isBase64Encoded"], false);
    }

    #[test]
    fn other_types_no_type_and_broken_text_arrive_as_base64() {
        let json = Some("application/json");
        let form = Some("application/x-www-form-urlencoded");
        for (kind, body) in [(form, b"{}".as_slice()), (None, b"{}"), (json, b"\xff\xfe")] {
            let event = sample_event(kind, body);

            assert_eq!(event["isBase64Encoded"], true, "{kind:?}");
            assert_eq!(event["body"], STANDARD.encode(body), "{kind:?}");
        }
    }

    #[test]
    fn the_event_is_of_payload_format_2() {
        let event = sample_event(Some("application/json"), b"{}");

        assert_eq!(event["version"], "2.0");
        assert_eq!(event["rawPath"], "/webhook");
        assert_eq!(event["rawQueryString"], "a=1&b=two%20words&a=2");
        assert_eq!(event["queryStringParameters"], json!({ "a": "1,2", "b": "two words" }));
        assert_eq!(event["cookies"], json!(["x=1", "y=2"]));
        assert_eq!(event["headers"]["x-xero-signature"], "abc=");
        assert_eq!(event["headers"]["x-twice"], "1,2");
        let context = &event["requestContext"];
        assert_eq!(context["http"]["method"], "POST");
        assert_eq!(context["http"]["protocol"], "HTTP/1.1");
        assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
        assert_eq!(context["time"], "05/Oct/2026:03:41:22 +0000");
        assert_eq!(context["timeEpoch"], 1_791_171_682_518_i64);
    }

    #[test]
    fn the_event_is_what_aws_own_type_reads() {
        let event = sample_event(Some("application/json"), b"{\"a\":1}");

        let read: LambdaFunctionUrlRequest =
            serde_json::from_str(&event.to_string()).expect("the same shape");

        assert_eq!(read.body.as_deref(), Some("{\"a\":1}"));
        assert_eq!(read.headers["x-xero-signature"], "abc=");
    }

    #[test]
    fn answers_become_responses_and_nonsense_becomes_502() {
        let good = response(br#"{"statusCode":401,"headers":{"x-a":"b"},"body":null}"#);
        assert_eq!(good.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(good.headers()["x-a"], "b");
        assert_eq!(response(br#"{"hello":1}"#).status(), StatusCode::OK);
        assert_eq!(response(br#"{"statusCode":"no"}"#).status(), StatusCode::BAD_GATEWAY);
        assert_eq!(response(b"not json").status(), StatusCode::BAD_GATEWAY);
    }

    #[tokio::test]
    async fn a_body_that_is_too_large_is_refused_before_the_function_is_called() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let service = router(sample_host().await);
        let service = service.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let http = reqwest::Client::new();
        let post = |bytes: usize| {
            let request = http.post(format!("http://{address}/webhook")).body("x".repeat(bytes));
            async move { request.send().await.expect("an answer").status() }
        };

        assert_eq!(post(1024).await, StatusCode::OK);
        assert_eq!(post(PAYLOAD_BYTES_MAX + 1).await, StatusCode::PAYLOAD_TOO_LARGE);
        // In base64 it grows by a third, and the event must stay below the limit.
        assert_eq!(post(PAYLOAD_BYTES_MAX / 8 * 7).await, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
