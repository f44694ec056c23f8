//! How Xero is reached.

use std::time::Duration;

use payments::permission::{self, Feature};
use url::Url;

/// Most invoices that one call may be configured to ask for. No ceiling is documented; at 52 ids
/// Xero answered 404 (XeroAPI/Xero-OpenAPI#534), which fits a query of 2,048 characters.
pub const IDS_MAX_LIMIT: usize = 50;

/// How Xero is reached.
#[derive(Clone, Debug)]
pub struct Config {
    /// The Accounting API, without `/api.xro/2.0`. Must be https unless it is on this machine.
    pub api_url: Url,
    /// The identity service, without `/connect/token`. Likewise.
    pub identity_url: Url,
    /// How long a call may take from the start to the last byte of the answer.
    pub timeout: Duration,
    /// How many invoices one call asks for; 1 to [`IDS_MAX_LIMIT`].
    pub ids_max: usize,
    /// The permissions that are asked for, separated by spaces. Empty: all that the app has.
    pub scopes: String,
}

impl Default for Config {
    fn default() -> Self {
        let address = |text: &str| Url::parse(text).expect("the constant is an address");
        Self {
            api_url: address("https://api.xero.com"),
            identity_url: address("https://identity.xero.com"),
            timeout: Duration::from_secs(20),
            ids_max: 40,
            scopes: permission::scopes(&[Feature::Mirror].into()),
        }
    }
}

impl Config {
    /// The same for a process that writes: with the permissions of all features.
    pub fn uploading() -> Self {
        Self { scopes: permission::scopes(&Feature::ALL.into()), ..Self::default() }
    }
}

/// Why no client can be made of a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Secrets and other people's books do not travel in the clear.
    #[error("{what} must begin with https:// (http:// only on this machine)")]
    NotHttps {
        /// Which address.
        what: &'static str,
    },
    /// An address that paths cannot be added to.
    #[error("{what} cannot be used as an address")]
    NotAnAddress {
        /// Which address.
        what: &'static str,
    },
    /// Too many or too few.
    #[error("a call can ask for 1 to {max} invoices", max = IDS_MAX_LIMIT)]
    IdsMax,
    /// The HTTP client could not be built, for example because there are no root certificates.
    #[error("the HTTP client cannot be built")]
    Http(#[source] reqwest::Error),
}

/// Checks a base address and adds a path to it.
pub(crate) fn below(base: &Url, path: &[&str], what: &'static str) -> Result<Url, ConfigError> {
    let is_here = match base.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if base.scheme() != "https" && !(base.scheme() == "http" && is_here) {
        return Err(ConfigError::NotHttps { what });
    }
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.path_segments_mut()
        .map_err(|()| ConfigError::NotAnAddress { what })?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}
