//! Who may ask: a browser on this machine, from our own page.
//!
//! The pages listen on the loopback address only. That does not keep other web sites out which the same
//! browser has open: they may send requests here, and may even get at the answers, by a name of their own that
//! they let point to this machine (DNS rebinding). So the request has to be made to this machine by name, and
//! a request that does something has to come from our own page.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, Response, StatusCode, header},
    middleware::Next,
    response::IntoResponse as _,
};

/// Lets a request through that is made to this machine, from our own page or by hand.
pub(super) async fn only_from_here(request: Request, next: Next) -> Response<Body> {
    if may(request.method(), request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "Only for pages on this machine.\n").into_response()
}

fn may(method: &Method, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let Some(host) = text(header::HOST) else { return false };
    if !is_this_machine(host) {
        return false;
    }
    let ours = text(header::ORIGIN).map(|origin| origin.strip_prefix("http://") == Some(host));
    match *method {
        Method::GET => ours.unwrap_or(true),
        // A form of another site cannot send this type, and a script of it sends its origin.
        _ => {
            ours == Some(true)
                && text(header::CONTENT_TYPE)
                    .is_some_and(|kind| kind.starts_with("application/json"))
        }
    }
}

/// Whether a host is one that no other party can let point here.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    ["127.0.0.1", "localhost", "[::1]"].contains(&name)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(host: &str, origin: Option<&str>, kind: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let all =
            [(header::HOST, Some(host)), (header::ORIGIN, origin), (header::CONTENT_TYPE, kind)];
        for (name, value) in all {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_str(value).expect("a header"));
            }
        }
        headers
    }

    #[test]
    fn a_name_that_somebody_lets_point_here_is_refused() {
        for host in ["127.0.0.1:9000", "localhost:9000", "[::1]:9000", "localhost"] {
            assert!(may(&Method::GET, &headers(host, None, None)), "{host}");
        }
        for host in [
            "evil.example:9000",
            "127.0.0.1.evil.example",
            "localhost.evil.example:80",
            "0.0.0.0:9000",
            "",
        ] {
            assert!(!may(&Method::GET, &headers(host, None, None)), "{host}");
        }
        assert!(!may(&Method::GET, &HeaderMap::new()));
    }

    #[test]
    fn another_site_neither_reads_nor_does_anything() {
        let here = "127.0.0.1:9000";
        let json = Some("application/json");
        assert!(may(&Method::POST, &headers(here, Some("http://127.0.0.1:9000"), json)));
        for origin in [
            None,
            Some("null"),
            Some("https://evil.example"),
            Some("http://127.0.0.1:9400"),
            Some("https://127.0.0.1:9000"),
        ] {
            assert!(!may(&Method::POST, &headers(here, origin, json)), "{origin:?}");
        }
        assert!(!may(&Method::GET, &headers(here, Some("https://evil.example"), None)));
        let form = Some("application/x-www-form-urlencoded");
        assert!(!may(&Method::POST, &headers(here, Some("http://127.0.0.1:9000"), form)));
    }
}
