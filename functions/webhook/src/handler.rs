//! One request: size, then signature over the exact bytes, then content, then the queue, then the
//! answer. Nothing is parsed before it is proven, and nothing is accepted before it is queued.

use std::borrow::Cow;
use std::time::Duration;

use aws_lambda_events::lambda_function_urls::{
    LambdaFunctionUrlRequest, LambdaFunctionUrlResponse,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use host::secrets::SecretError;
use jiff::Timestamp;
use queue::{Changes, SendError};
use xero::{SIGNATURE_HEADER, Verified};

use crate::keys::Keys;
use crate::plan::{Counts, plan, plan_for_unreadable};

/// Largest body that is read, decoded: some 2,600 events. Lambda itself takes 6 MB.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// The same in base64, with its padding.
const ENCODED_BYTES_MAX: usize = BODY_BYTES_MAX.div_ceil(3) * 4;

/// The status of the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Response {
    /// 200: every event is queued or kept, or there was none.
    Accepted,
    /// 401: there is no signature, or it does not belong to these bytes. For nothing else.
    NotSigned,
    /// 405: not a POST, and so not from Xero.
    NotPost,
    /// 413: larger than [`BODY_BYTES_MAX`].
    TooLarge,
    /// 503: something of ours is in trouble. Xero will send the delivery again.
    Unavailable,
}

impl Response {
    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::Accepted => 200,
            Self::NotSigned => 401,
            Self::NotPost => 405,
            Self::TooLarge => 413,
            Self::Unavailable => 503,
        }
    }

    /// The whole response: Xero wants neither a body nor a cookie in it.
    pub fn response(self) -> LambdaFunctionUrlResponse {
        let mut response = LambdaFunctionUrlResponse::default();
        response.status_code = i64::from(self.status());
        response.body = Some(String::new());
        if self == Self::NotPost
            && let Ok(post) = "POST".parse()
        {
            // A 405 has to say what is allowed (RFC 9110, 15.5.6).
            response.headers.insert("allow", post);
        }
        response
    }
}

/// Why the answer is 503.
#[derive(Debug, thiserror::Error)]
pub enum Unavailability {
    /// The keys cannot be had, so that no signature can be judged.
    #[error("the signing keys cannot be had")]
    Keys(#[source] SecretError),
    /// The list of keys is empty: the secret of this deployment has not been filled in.
    #[error("there are no signing keys")]
    NoKeys,
    /// The front door says that the body is in base64, and it is not.
    #[error("the body was to be base64 and is not")]
    Encoding,
    /// Not every message was accepted.
    #[error("not everything could be queued")]
    Queue(#[source] SendError),
    /// The answer would have come too late for Xero.
    #[error("not done in time")]
    Late,
}

/// The answer, and what it is about.
#[derive(Debug)]
pub struct Handled {
    /// The status of the answer.
    pub answer: Response,
    /// What the delivery held; all zero if it was not read.
    pub counts: Counts,
    /// How many messages were to be sent.
    pub messages: usize,
    /// Size of the body, if it was looked at.
    pub body_bytes: usize,
    /// Why the answer is 503.
    pub trouble: Option<Unavailability>,
}

impl Handled {
    fn with(answer: Response, body_bytes: usize) -> Self {
        Self { answer, counts: Counts::default(), messages: 0, body_bytes, trouble: None }
    }

    pub(crate) fn trouble(trouble: Unavailability, body_bytes: usize) -> Self {
        Self { trouble: Some(trouble), ..Self::with(Response::Unavailable, body_bytes) }
    }
}

/// Handles one request.
pub async fn handle(
    request: &LambdaFunctionUrlRequest,
    keys: &impl Keys,
    changes: &impl Changes,
    now: Timestamp,
) -> Handled {
    let method = request.request_context.http.method.as_deref();
    if method != Some("POST") {
        return Handled::with(Response::NotPost, 0);
    }
    let body = match body(request) {
        Ok(body) => body,
        Err(reason) => return reason.into(),
    };
    let bytes = body.len();
    let Some(signature) = signature(request) else {
        return Handled::with(Response::NotSigned, bytes);
    };
    let verified = match verify(&body, signature, keys, now).await {
        Ok(Some(verified)) => verified,
        Ok(None) => return Handled::with(Response::NotSigned, bytes),
        Err(trouble) => return Handled::trouble(trouble, bytes),
    };
    let plan = match verified.delivery() {
        Ok(delivery) => plan(&delivery, verified.body(), now),
        Err(error) => plan_for_unreadable(error, verified.body(), now),
    };
    let messages = plan.messages.len();
    // No message, no call: Xero's check whether we listen must not depend on the queue.
    let sent = match messages {
        0 => Ok(()),
        _ => changes.send(&plan.messages, Duration::ZERO).await,
    };
    let handled = match sent {
        Ok(()) => Handled::with(Response::Accepted, bytes),
        Err(error) => Handled::trouble(Unavailability::Queue(error), bytes),
    };
    Handled { counts: plan.counts, messages, ..handled }
}

/// A body that is not looked at, with its size.
enum NoBody {
    TooLarge(usize),
    NotBase64(usize),
}

impl From<NoBody> for Handled {
    fn from(reason: NoBody) -> Self {
        match reason {
            NoBody::TooLarge(bytes) => Self::with(Response::TooLarge, bytes),
            // Only the front door encodes, so this says nothing about the signature.
            NoBody::NotBase64(bytes) => Self::trouble(Unavailability::Encoding, bytes),
        }
    }
}

/// The bytes as Xero sent them.
fn body(request: &LambdaFunctionUrlRequest) -> Result<Cow<'_, [u8]>, NoBody> {
    let text = request.body.as_deref().unwrap_or_default();
    let body = if request.is_base64_encoded {
        // Before decoding, so that no more memory is taken than a body may have.
        if text.len() > ENCODED_BYTES_MAX {
            return Err(NoBody::TooLarge(text.len() / 4 * 3));
        }
        Cow::Owned(STANDARD.decode(text).map_err(|_| NoBody::NotBase64(text.len()))?)
    } else {
        Cow::Borrowed(text.as_bytes())
    };
    if body.len() > BODY_BYTES_MAX { Err(NoBody::TooLarge(body.len())) } else { Ok(body) }
}

/// The signature, if there is exactly one. Names of headers have no case. Two headers may also
/// come as one value with a comma, which is no signature of anything.
fn signature(request: &LambdaFunctionUrlRequest) -> Option<&str> {
    let mut values = request.headers.get_all(SIGNATURE_HEADER).iter();
    let (first, second) = (values.next()?, values.next());
    if second.is_some() {
        return None;
    }
    first.to_str().ok()
}

/// The body, if it is signed with a key in force; `None` if it is not. A signature that fits no
/// key we know may be made with a newer one, so the keys are read again, as often as that is
/// allowed, before it is called wrong.
async fn verify<'b>(
    body: &'b [u8],
    signature: &str,
    keys: &impl Keys,
    now: Timestamp,
) -> Result<Option<Verified<'b>>, Unavailability> {
    let mut active = keys.current(now).await.map_err(Unavailability::Keys)?;
    if let Ok(verified) = active.verify(body, Some(signature)) {
        return Ok(Some(verified));
    }
    if let Some(newer) = keys.renewed(now).await.map_err(Unavailability::Keys)? {
        active = newer;
        if let Ok(verified) = active.verify(body, Some(signature)) {
            return Ok(Some(verified));
        }
    }
    if active.is_empty() { Err(Unavailability::NoKeys) } else { Ok(None) }
}
