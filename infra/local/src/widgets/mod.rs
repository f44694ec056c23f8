//! The operators' pages at `/console`, as CloudWatch shows custom widgets: frames of usual sizes, and a script
//! of ours that does what CloudWatch does with `cwdb-action`. Each page comes from the real function, asked
//! with a real `widgetContext`.

mod guard;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
    middleware,
    response::IntoResponse as _,
    routing::{get, post},
};
use console::{pages::Page, roles::Role};

use crate::lambda::{Function, Host};

/// Largest event of a button: forms, and what the button carries.
const EVENT_BYTES_MAX: usize = 64 * 1024;

const INDEX: &str = include_str!("index.html");
const SCRIPT: &str = include_str!("widgets.js");
const STYLE: &str = include_str!("widgets.css");

/// Only our own script runs, on every page; widgets bring their style with them.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The routes of the pages.
pub(crate) fn router(host: Host) -> Router {
    Router::new()
        .route("/console", get(index))
        .route("/console/widgets.js", get(|| text("text/javascript", SCRIPT)))
        .route("/console/widgets.css", get(|| text("text/css", STYLE)))
        .route("/console/call/{function}", post(call))
        .layer(middleware::from_fn(guard::only_from_here))
        .with_state(host)
}

async fn index() -> Response<Body> {
    let pages = Page::ALL.iter();
    let pages = pages.map(|page| format!("<option value=\"{page}\">{}</option>", page.title()));
    let pages: Vec<_> = pages.collect();
    let roles = Role::ALL.iter().copied().map(|role| {
        let arn = function(role).arn();
        format!("<option value=\"{arn}\">{role}</option>")
    });
    let html = INDEX.replace("<!-- pages -->", &pages.concat());
    text("text/html", html.replace("<!-- roles -->", &roles.collect::<String>())).await
}

async fn text(kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    let kind = HeaderValue::from_str(&format!("{kind}; charset=utf-8"));
    if let Ok(kind) = kind {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    let safe = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in safe {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

const fn function(role: Role) -> Function {
    match role {
        Role::Viewer => Function::Console,
        Role::Operator => Function::Operate,
        Role::Admin => Function::Administer,
    }
}

/// Calls one of the console's functions, by its ARN, with the event of a widget.
async fn call(
    State(host): State<Host>,
    Path(name): Path<String>,
    request: Request,
) -> Response<Body> {
    let of_console = |called: &Function| Role::ALL.iter().any(|role| function(*role) == *called);
    let Some(function) = Function::from_name(&name).filter(of_console) else {
        return (StatusCode::NOT_FOUND, "No widget calls that function.\n").into_response();
    };
    let Ok(event) = to_bytes(request.into_body(), EVENT_BYTES_MAX).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "That is too much for a widget.\n").into_response();
    };
    match host.invoke(function, event).await {
        Ok(answer) => text("application/json", answer).await,
        Err(failure) => {
            let mut response = text("application/json", failure.to_json()).await;
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::host::tests::sample_host;

    async fn serve() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = router(sample_host().await);
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn the_index_offers_every_page_in_every_role_and_runs_no_script_but_ours() {
        let answer = reqwest::get(format!("{}/console", serve().await)).await.expect("an answer");
        let policy = answer.headers()["content-security-policy"].clone();
        assert!(policy.to_str().expect("text").contains("script-src 'self';"));
        let html = answer.text().await.expect("a body");
        for page in Page::ALL {
            assert!(html.contains(&format!("value=\"{page}\"")), "{page}");
        }
        for role in Role::ALL.iter().copied() {
            assert!(html.contains(&function(role).arn()), "{role}");
        }
        assert!(!html.contains("<script>") && !html.contains("onclick"), "{html}");
    }

    #[tokio::test]
    async fn only_the_consoles_functions_are_called() {
        let url = serve().await;
        let call = |name: &str| {
            let request = reqwest::Client::new().post(format!("{url}/console/call/{name}"));
            let request = request.header("origin", &url).header("content-type", "application/json");
            async move { request.body("[1]").send().await.expect("an answer") }
        };
        let shown = call(&Function::Operate.arn()).await;
        assert_eq!(shown.text().await.expect("a body"), r#"{"operate":[1]}"#);
        for name in ["upload", "sweep", "nobody"] {
            assert_eq!(call(name).await.status(), 404, "{name}");
        }
    }
}
