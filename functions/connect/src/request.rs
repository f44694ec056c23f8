//! A request of a browser, as far as it is looked at.

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use url::{Url, form_urlencoded};

/// Longest query and longest form. Xero's code, the state and a hundred organisations fit in.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Letters of a link, a state or a cookie: each is two UUIDs. Any other text is known to no table.
const SECRET_CHARS: usize = 64;

/// What a browser asks for.
pub(crate) struct Request {
    pub(crate) is_post: bool,
    pub(crate) path: String,
    /// The pairs of the query, or of the form.
    pairs: Vec<(String, String)>,
    cookies: Vec<String>,
    /// Whether the browser says that another site sends it this request.
    pub(crate) is_foreign: bool,
    /// Our own address, without a path.
    pub(crate) base: Option<Url>,
}

impl Request {
    /// Reads it. Our address is the configured one, or else the one that Lambda says, never one that a browser says.
    pub(crate) fn read(request: &LambdaFunctionUrlRequest, configured: Option<&Url>) -> Self {
        let context = &request.request_context;
        let method = context.http.method.as_deref().unwrap_or_default();
        let is_post = method == "POST";
        let text = if is_post { body(request) } else { request.raw_query_string.clone() };
        let text = text.filter(|text| text.len() <= TEXT_BYTES_MAX).unwrap_or_default();
        let pairs = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        let site = request.headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or("?"));
        let by_lambda = || {
            let name = context.domain_name.as_deref()?;
            Url::parse(&format!("https://{name}/")).ok()
        };
        Self {
            is_post,
            path: request.raw_path.clone().unwrap_or_default(),
            pairs,
            cookies: request.cookies.clone().unwrap_or_default(),
            is_foreign: site.is_some_and(|site| site != "same-origin"),
            base: configured.cloned().or_else(by_lambda),
        }
    }

    /// The value of a pair; an empty one is none.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let mut pairs = self.pairs.iter();
        let found = pairs.find(|(found, value)| found == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }

    /// All values of pairs of this name.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().filter(move |(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The value of a pair that is a secret of ours, if it looks like one.
    pub(crate) fn secret(&self, name: &str) -> Option<SecretString> {
        self.value(name).and_then(secret)
    }

    /// The cookie of this name, if it looks like one of ours.
    pub(crate) fn cookie(&self, name: &str) -> Option<SecretString> {
        let pairs = self.cookies.iter().filter_map(|cookie| cookie.split_once('='));
        pairs.filter(|(found, _)| found.trim() == name).find_map(|(_, value)| secret(value.trim()))
    }
}

fn secret(text: &str) -> Option<SecretString> {
    let is_ours = text.len() == SECRET_CHARS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_ours.then(|| SecretString::from(text.to_owned()))
}

fn body(request: &LambdaFunctionUrlRequest) -> Option<String> {
    let body = request.body.as_deref()?;
    // In base64 a text grows by a third.
    if body.len() > TEXT_BYTES_MAX * 2 {
        return None;
    }
    if !request.is_base64_encoded {
        return Some(body.to_owned());
    }
    String::from_utf8(STANDARD.decode(body).ok()?).ok()
}
