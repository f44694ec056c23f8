//! What a person may ask of dead-letter queues and of users' grants: the shapes of those events.

use commands::text::validate;
use payments::{GrantId, OrganisationId};
use queue::QueueName;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use url::Url;

use crate::event::{Asked, EventError, said, says};

/// A text that is never shown, not even by `Debug`.
#[derive(Clone, Debug)]
pub(crate) struct Hidden(SecretString);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireRedrive {
    queue: String,
    #[serde(default)]
    preview: bool,
    by: String,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireDiscard {
    queue: String,
    message: String,
    by: String,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireAuthorise {
    /// Without one, the user comes by a link to the function `connect`.
    redirect_uri: Option<String>,
    grant: Option<GrantId>,
    /// The organisation that is to be reached again.
    organisation: Option<OrganisationId>,
    #[serde(default)]
    read_only: bool,
    by: String,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WireConnect {
    code: Hidden,
    state: Hidden,
    by: String,
    why: String,
}

impl WireRedrive {
    pub(crate) fn asked(self) -> Result<Asked, EventError> {
        let queue = queue(&self.queue)?;
        if !self.preview && !queue.takes_messages() {
            return Err(says(
                "`schedules` and `events` can only be looked at (`preview`) or discarded: the next schedule \
                 catches up, and `announce_again` of the function announce sends what was not announced",
            ));
        }
        Ok(Asked::Redrive { queue, preview: self.preview, said: said(&self.by, &self.why)? })
    }
}

impl WireDiscard {
    pub(crate) fn asked(self) -> Result<Asked, EventError> {
        let queue = queue(&self.queue)?;
        let message = validate("message", &self.message).map_err(EventError)?;
        Ok(Asked::Discard { queue, message, said: said(&self.by, &self.why)? })
    }
}

impl WireAuthorise {
    pub(crate) fn asked(self) -> Result<Asked, EventError> {
        // Xero takes http for this machine alone, and compares the address with those of the app.
        let is_usable =
            |url: &Url| url.has_host() && (url.scheme() == "https" || is_this_machine(url));
        let address = |text: &String| {
            let url = Url::parse(text.trim()).ok().filter(is_usable);
            url.ok_or_else(|| says("`redirect_uri` is no address that Xero would send a user to"))
        };
        Ok(Asked::Authorise {
            redirect: self.redirect_uri.as_ref().map(address).transpose()?,
            grant: self.grant,
            organisation: self.organisation,
            read_only: self.read_only,
            said: said(&self.by, &self.why)?,
        })
    }
}

impl WireConnect {
    pub(crate) fn asked(self) -> Result<Asked, EventError> {
        let said = said(&self.by, &self.why)?;
        Ok(Asked::Connect { code: self.code.0, state: self.state.0, said })
    }
}

fn is_this_machine(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("localhost" | "127.0.0.1"))
}

fn queue(name: &str) -> Result<QueueName, EventError> {
    // The name of the dead-letter queue is as good as that of its queue.
    let name = name.strip_suffix("-dlq").unwrap_or(name);
    QueueName::from_code(name).ok_or_else(|| {
        says("`queue` is none of `changes`, `intake`, `uploads`, `schedules` and `events`")
    })
}
