//! Answers to a browser. Each of them forbids to be kept, framed or sniffed, or to show another site where it was read.

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlResponse;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// How long the cookie lives: as long as a visit and the choice after it.
const COOKIE_SECONDS: u32 = 40 * 60;

/// The name of the cookie. With this prefix a browser takes it from this host alone, over https alone, and for no part
/// of a path.
const COOKIE: &str = "__Host-paymirror";
/// Its name on a machine of one's own, without https.
const COOKIE_HERE: &str = "paymirror";

/// An answer.
pub(crate) struct Response {
    status: u16,
    kind: &'static str,
    body: String,
    location: Option<String>,
    cookie: Option<String>,
    /// Where a form of this page may lead.
    form_action: String,
}

impl Response {
    /// A page.
    pub(crate) fn page(status: u16, html: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", html)
    }

    /// The style of the pages.
    pub(crate) fn style(css: &str) -> Self {
        Self::new(200, "text/css; charset=utf-8", css.to_owned())
    }

    /// The browser goes on by GET: to a path of ours, or to Xero.
    pub(crate) fn redirect(status: u16, to: impl Into<String>) -> Self {
        Self {
            location: Some(to.into()),
            ..Self::new(status, "text/plain; charset=utf-8", String::new())
        }
    }

    fn new(status: u16, kind: &'static str, body: String) -> Self {
        let form_action = "'self'".to_owned();
        Self { status, kind, body, location: None, cookie: None, form_action }
    }

    /// The same for a page whose form leads on to this address: browsers judge a redirect by the page's policy, too.
    pub(crate) fn leading_to(self, url: &Url) -> Self {
        let form_action = format!("'self' {}", url.origin().ascii_serialization());
        Self { form_action, ..self }
    }

    /// The same with the cookie by which this browser is known again.
    pub(crate) fn with_cookie(self, base: &Url, secret: &SecretString) -> Self {
        let (name, value) = (cookie_name(base), secret.expose_secret());
        let secure = if is_https(base) { "; Secure" } else { "" };
        // Lax: it comes along when Xero sends the browser back, and with no form of another site.
        let cookie = format!(
            "{name}={value}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}"
        );
        Self { cookie: Some(cookie), ..self }
    }

    /// The status; a redirect to a page of refusal counts as a redirect.
    pub(crate) const fn status(&self) -> u16 {
        self.status
    }

    pub(crate) fn finish(self, base: Option<&Url>) -> LambdaFunctionUrlResponse {
        let policy = format!(
            "default-src 'none'; style-src 'self'; img-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
             form-action {}",
            self.form_action
        );
        let mut response = LambdaFunctionUrlResponse::default();
        response.status_code = i64::from(self.status);
        response.body = Some(self.body);
        response.cookies = self.cookie.into_iter().collect();
        let always = [
            ("content-type", self.kind),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-robots-tag", "noindex, nofollow"),
            ("content-security-policy", policy.as_str()),
        ];
        let https = [("strict-transport-security", "max-age=31536000")];
        let https = base.is_some_and(is_https).then_some(https).into_iter().flatten();
        let location = self.location.as_deref().map(|to| ("location", to));
        for (name, value) in always.into_iter().chain(https).chain(location) {
            if let Ok(value) = value.parse() {
                response.headers.insert(name, value);
            }
        }
        response
    }
}

/// The name under which the cookie is set and found.
pub(crate) fn cookie_name(base: &Url) -> &'static str {
    if is_https(base) { COOKIE } else { COOKIE_HERE }
}

fn is_https(base: &Url) -> bool {
    base.scheme() == "https"
}
