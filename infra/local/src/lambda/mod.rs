//! A thin Lambda: what calls the functions, and how their answers are understood.
//!
//! Every call goes through [`Host::invoke`] with the event as JSON text, as on Lambda, so an event
//! that would not survive the wire does not survive here either.

mod batch;
pub mod function_url;
pub(crate) mod host;
pub mod invoke_api;
pub mod poller;
mod scheduler;
pub mod service;
pub(crate) mod stream;

use std::time::Duration;

use axum::body::Bytes;
use jiff::Timestamp;
use payments::codes;
use queue::recursion::RecursiveLoop;
use serde::Serialize;
use uuid::Uuid;

use crate::engines::queues::{ACCOUNT, REGION};

pub use host::{Host, Worker};

/// Largest event and largest answer of a synchronous invocation.
pub const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;

codes! {
    /// The functions of the product.
    Function {
        /// Receives the deliveries from Xero.
        Webhook = "webhook",
        /// Reads Xero and writes the tables.
        Mirror = "mirror",
        /// Takes in what the business's own system sends.
        Intake = "intake",
        /// Puts the business's own payments into Xero.
        Upload = "upload",
        /// Finds what changed in Xero, whether or not it was announced.
        Sweep = "sweep",
        /// Announces decisions.
        Announce = "announce",
        /// Executes what operators order.
        Operations = "operations",
        /// Derives how far each order is paid.
        Reconcile = "reconcile",
        /// Seals the activity log.
        Report = "report",
        /// Shows the operators' pages to those who look.
        Console = "console",
        /// The same to operators.
        Operate = "operate",
        /// The same to administrators.
        Administer = "administer",
    }
}

impl Function {
    /// Its name, as deployed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.code()
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(self) -> String {
        arn(self.name())
    }

    /// The function called `name`: a plain name, a partial ARN or a full ARN, with or without a
    /// version, as the Invoke API takes them.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.rsplit_once("function:").map_or(name, |(_, name)| name);
        let name = name.split_once(':').map_or(name, |(name, _)| name);
        Self::ALL.iter().copied().find(|function| function.name() == name)
    }

    /// What Lambda does if it sends to its own trigger for ever, as in the template.
    #[must_use]
    pub const fn recursion(self) -> RecursiveLoop {
        match self {
            Self::Mirror | Self::Upload | Self::Sweep => RecursiveLoop::Allow,
            _ => RecursiveLoop::Terminate,
        }
    }

    /// Its time-out, as in the template.
    #[must_use]
    pub const fn timeout(self) -> Duration {
        match self {
            Self::Webhook => Duration::from_secs(5),
            Self::Mirror => Duration::from_secs(120),
            Self::Intake | Self::Announce => Duration::from_secs(60),
            Self::Reconcile | Self::Report | Self::Upload => Duration::from_secs(900),
            Self::Sweep | Self::Operations => Duration::from_secs(300),
            Self::Console | Self::Operate | Self::Administer => Duration::from_secs(30),
        }
    }
}

/// The ARN of a function of that name, which may be one already.
pub(crate) fn arn(name: &str) -> String {
    if name.starts_with("arn:") {
        name.to_owned()
    } else {
        format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
    }
}

/// One call of a function.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which function.
    pub function: Function,
    /// The event, as JSON text.
    pub event: Bytes,
    /// When it is cut off.
    pub deadline: Timestamp,
    /// Its id.
    pub request_id: Uuid,
}

/// A failed invocation, in the words of Lambda's error JSON.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What went wrong, for a person.
    pub error_message: String,
    /// What kind of error it was.
    pub error_type: String,
}

impl Failure {
    /// A failure of the kind `error_type`.
    #[must_use]
    pub fn new(error_type: impl Into<String>, error_message: impl Into<String>) -> Self {
        Self { error_message: error_message.into(), error_type: error_type.into() }
    }

    /// The error JSON that a caller of the Invoke API gets.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What a function answers: JSON text, or why not.
pub type Answer = Result<Vec<u8>, Failure>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_may_call_itself_where_the_template_says_so() {
        let template = include_str!("../../../../template.yaml");
        for function in Function::ALL.iter().copied() {
            let name = function.name();
            let name = name[..1].to_uppercase() + &name[1..];
            assert_eq!(function.recursion(), RecursiveLoop::of(template, &name), "{name}");
        }
    }

    #[test]
    fn a_function_is_found_by_name_and_by_arn() {
        for name in [
            "mirror",
            "mirror:$LATEST",
            "000000000000:function:mirror",
            "arn:aws:lambda:us-east-1:000000000000:function:mirror",
            "arn:aws:lambda:us-east-1:000000000000:function:mirror:7",
        ] {
            assert_eq!(Function::from_name(name), Some(Function::Mirror), "{name}");
        }
        assert_eq!(Function::from_name("mirrors"), None);
    }
}
