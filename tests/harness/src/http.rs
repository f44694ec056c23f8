//! HTTP of a test process: one client for proxies, one for all AWS clients, and servers on ports of their own. Nothing
//! here speaks TLS, so that no client reads the machine's root certificates: that was a third of the tests' time.

use std::sync::LazyLock;

use aws_sdk_dynamodb::config::{Credentials, Region, SharedHttpClient};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};

/// The client of proxies and of tests that call a server themselves.
pub fn client() -> reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> =
        LazyLock::new(|| reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap());
    CLIENT.clone()
}

/// The HTTP client of every AWS client.
pub fn aws() -> SharedHttpClient {
    static CLIENT: LazyLock<SharedHttpClient> =
        LazyLock::new(|| aws_smithy_http_client::Builder::new().build_http());
    CLIENT.clone()
}

/// Of an account that is none.
pub fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "test")
}

/// A region, of no meaning.
pub fn region() -> Region {
    Region::new("ap-southeast-2")
}

/// A listener on a free port, and its address.
pub async fn listener() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

/// Serves every request with this, and returns the address.
pub async fn serve<A, F>(answer: A) -> String
where
    A: Fn(Request) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let (listener, url) = listener().await;
    let app = Router::new().fallback(answer);
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// The headers of a request that is passed on.
pub(crate) fn forwarded(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove("host");
    headers
}

/// An answer with the status and the headers of one that was received, and this body.
pub(crate) fn answer_like(received: &reqwest::Response) -> axum::http::response::Builder {
    let mut response = Response::builder().status(received.status());
    for (name, value) in received.headers() {
        if name != "transfer-encoding" && name != "content-length" {
            response = response.header(name, value);
        }
    }
    response
}
