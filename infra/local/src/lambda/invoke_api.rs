//! The part of Lambda's API that calls functions, so that `aws lambda invoke` works.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderName, HeaderValue, Response, StatusCode},
    response::IntoResponse as _,
    routing::{get, post},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Function, Host, PAYLOAD_BYTES_MAX, arn};
use crate::clock_control::TimeTravel;

/// Largest event of an asynchronous invocation.
const EVENT_BYTES_MAX: usize = 1024 * 1024;

const INVOCATION_TYPE: &str = "x-amz-invocation-type";
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// What calls are made with.
#[derive(Clone)]
struct Api {
    host: Host,
    travel: Arc<TimeTravel>,
}

impl Api {
    async fn call(&self, function: Function, event: Bytes) -> Answer {
        self.travel.before(function, &event).await;
        self.host.invoke(function, event).await
    }
}

/// The routes of the Invoke API.
pub(crate) fn router(host: Host, travel: Arc<TimeTravel>) -> Router {
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .route("/2015-03-31/functions", get(list))
        .route("/2015-03-31/functions/", get(list))
        .fallback(unknown_operation)
        .with_state(Api { host, travel })
}

async fn invoke(
    State(api): State<Api>,
    Path(name): Path<String>,
    request: Request,
) -> Response<Body> {
    let mut response = perform(&api, &name, request).await;
    let request_id = HeaderValue::from_str(&Uuid::new_v4().to_string());
    if let Ok(request_id) = request_id {
        response.headers_mut().insert(REQUEST_ID, request_id);
    }
    response
}

async fn perform(api: &Api, name: &str, request: Request) -> Response<Body> {
    let Some(function) = Function::from_name(name) else {
        return error(
            StatusCode::NOT_FOUND,
            "ResourceNotFoundException",
            &format!("Function not found: {}", arn(name)),
        );
    };
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(INVOCATION_TYPE).map(HeaderValue::as_bytes);
    let bytes_max = if kind == Some(b"Event") { EVENT_BYTES_MAX } else { PAYLOAD_BYTES_MAX };
    let Ok(event) = to_bytes(body, bytes_max).await else {
        return error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "RequestTooLargeException",
            &format!(
                "Request must be smaller than {bytes_max} bytes for the InvokeFunction operation"
            ),
        );
    };
    let event = if event.is_empty() { b"{}".as_slice().into() } else { event };
    if let Err(fault) = serde_json::from_slice::<&serde_json::value::RawValue>(&event) {
        return error(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            &format!("Could not parse request body into json: {fault}"),
        );
    }
    match kind {
        None | Some(b"RequestResponse") => match api.call(function, event).await {
            Ok(answer) => answered(answer, false),
            Err(failure) => answered(failure.to_json(), true),
        },
        Some(b"Event") => {
            let api = api.clone();
            // Real Lambda tries a failed event twice more; here it is only logged.
            tokio::spawn(async move { api.call(function, event).await });
            StatusCode::ACCEPTED.into_response()
        }
        Some(b"DryRun") => StatusCode::NO_CONTENT.into_response(),
        Some(_) => error(
            StatusCode::BAD_REQUEST,
            "InvalidParameterValueException",
            "The invocation type is none of RequestResponse, Event, DryRun",
        ),
    }
}

fn answered(payload: Vec<u8>, failed: bool) -> Response<Body> {
    let mut response = Response::new(Body::from(payload));
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert(EXECUTED_VERSION, HeaderValue::from_static("$LATEST"));
    if failed {
        headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
    }
    response
}

fn error(status: StatusCode, kind: &'static str, message: &str) -> Response<Body> {
    // Lambda writes `Message` for some errors and `message` for others; its clients read both.
    let body = json!({ "Type": "User", "Message": message, "message": message });
    (status, [(ERROR_TYPE, kind)], Json(body)).into_response()
}

async fn list() -> Json<Value> {
    let functions = Function::ALL.iter().copied().map(|function| {
        json!({
            "FunctionName": function.name(),
            "FunctionArn": function.arn(),
            "Runtime": "provided.al2023",
            "Handler": "bootstrap",
            "Timeout": function.timeout().as_secs(),
            "Version": "$LATEST",
        })
    });
    Json(json!({ "Functions": functions.collect::<Value>() }))
}

async fn unknown_operation() -> Response<Body> {
    error(
        StatusCode::NOT_FOUND,
        "UnknownOperationException",
        "Only Invoke and ListFunctions exist here",
    )
}

#[cfg(test)]
mod tests {
    use reqwest::{Client, RequestBuilder};

    use xero_simulator::AdvancingClock;

    use super::*;
    use crate::{clock::LocalClock, clock_control::Companion, lambda::host::tests::sample_host};

    /// The Invoke API on a port of its own.
    async fn api() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let clock = LocalClock::open(AdvancingClock::default(), None).expect("there is no file");
        let travel = TimeTravel::new(clock, Companion::Xero);
        let router = router(sample_host().await, Arc::new(travel));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/2015-03-31/functions")
    }

    fn call(api: &str, name: &str, payload: &'static str) -> RequestBuilder {
        Client::new().post(format!("{api}/{name}/invocations")).body(payload)
    }

    async fn answer(request: RequestBuilder) -> (u16, reqwest::header::HeaderMap, String) {
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        (status, headers, response.text().await.expect("a body"))
    }

    #[tokio::test]
    async fn a_call_is_answered_with_what_the_function_says() {
        let api = api().await;

        let (status, headers, body) = answer(call(&api, "mirror", "[1]")).await;

        assert_eq!((status, body.as_str()), (200, r#"{"mirror":[1]}"#));
        assert_eq!(headers["x-amz-executed-version"], "$LATEST");
        assert!(headers.contains_key("x-amzn-requestid"));
        assert!(!headers.contains_key("x-amz-function-error"));
    }

    #[tokio::test]
    async fn no_payload_is_an_empty_object() {
        let api = api().await;

        let (status, _, body) = answer(call(&api, "arn:aws:lambda:a:1:function:intake", "")).await;

        assert_eq!((status, body.as_str()), (200, r#"{"intake":{}}"#));
    }

    #[tokio::test]
    async fn an_error_and_a_panic_are_function_errors() {
        let api = api().await;

        for (payload, expected) in [
            ("\"error\"", r#"{"errorMessage":"on purpose","errorType":"TestError"}"#),
            (
                "\"panic\"",
                r#"{"errorMessage":"Lambda panicked: on purpose","errorType":"Runtime.Panic"}"#,
            ),
        ] {
            let (status, headers, body) = answer(call(&api, "webhook", payload)).await;

            assert_eq!((status, body.as_str()), (200, expected));
            assert_eq!(headers["x-amz-function-error"], "Unhandled");
        }
    }

    #[tokio::test]
    async fn event_and_dry_run_have_no_answer() {
        let api = api().await;

        for (kind, expected) in [("Event", 202), ("DryRun", 204)] {
            let request = call(&api, "mirror", "\"panic\"").header(INVOCATION_TYPE, kind);
            let (status, _, body) = answer(request).await;

            assert_eq!((status, body.as_str()), (expected, ""), "{kind}");
        }
    }

    #[tokio::test]
    async fn unknown_names_and_broken_json_are_the_callers_mistakes() {
        let api = api().await;

        let (status, headers, body) = answer(call(&api, "absent", "{}")).await;
        assert_eq!(
            (status, &headers["x-amzn-errortype"] == "ResourceNotFoundException"),
            (404, true)
        );
        assert!(
            body.contains(
                "Function not found: arn:aws:lambda:us-east-1:000000000000:function:absent"
            )
        );

        let (status, headers, _) = answer(call(&api, "mirror", "{")).await;
        assert_eq!(
            (status, &headers["x-amzn-errortype"] == "InvalidRequestContentException"),
            (400, true)
        );
    }

    #[tokio::test]
    async fn the_functions_can_be_listed() {
        let (status, _, body) = answer(Client::new().get(format!("{}/", api().await))).await;

        assert_eq!(status, 200);
        for function in Function::ALL.iter().copied() {
            assert!(body.contains(&format!("\"FunctionName\":\"{}\"", function.name())), "{body}");
        }
    }
}
