//! Settings. Read once, at the start; every error names the variable and never quotes its value,
//! which may be a secret.

use std::collections::BTreeMap;
use std::env::VarError;
use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;
use url::Url;

/// Where settings come from: the process, or a list that a test or the local stack has made.
///
/// A variable that is set to nothing counts as not set: that is how templates leave one out.
pub struct Environment(Source);

enum Source {
    Process,
    Given(BTreeMap<String, String>),
}

/// A setting is missing or unusable.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("environment variable {name} {problem}")]
pub struct EnvError {
    /// Which one.
    pub name: String,
    /// The reason why it cannot be used.
    pub problem: &'static str,
}

impl EnvError {
    /// A setting that its user finds wrong.
    pub fn new(name: &str, problem: &'static str) -> Self {
        Self { name: name.to_owned(), problem }
    }
}

impl Environment {
    /// The variables of this process.
    pub const fn process() -> Self {
        Self(Source::Process)
    }

    /// These settings, and nothing of the process.
    pub fn given<N: Into<String>, V: Into<String>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let own = |(name, value): (N, V)| (name.into(), value.into());
        Self(Source::Given(variables.into_iter().map(own).collect()))
    }

    /// The value, if there is one that is not blank.
    ///
    /// # Errors
    ///
    /// When the value is not UTF-8.
    pub fn optional(&self, name: &str) -> Result<Option<String>, EnvError> {
        let value = match &self.0 {
            Source::Process => process_variable(name)?,
            Source::Given(variables) => variables.get(name).cloned(),
        };
        Ok(value.filter(|value| !value.trim().is_empty()))
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn required(&self, name: &str) -> Result<String, EnvError> {
        self.optional(name)?.ok_or_else(|| EnvError::new(name, "must be set"))
    }

    /// A secret that stands in the environment itself; on one's own machine, or in a test.
    ///
    /// # Errors
    ///
    /// When the value is not UTF-8.
    pub fn secret(&self, name: &str) -> Result<Option<SecretString>, EnvError> {
        Ok(self.optional(name)?.map(SecretString::from))
    }

    /// Values between commas, without the blank ones; empty if the variable is not set.
    ///
    /// # Errors
    ///
    /// When the value is not UTF-8.
    pub fn list(&self, name: &str) -> Result<Vec<String>, EnvError> {
        let value = self.optional(name)?.unwrap_or_default();
        let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
        Ok(items.map(str::to_owned).collect())
    }

    /// An `http` or `https` URL, or `default` if the variable is not set. Without a default the
    /// variable is required.
    ///
    /// # Errors
    ///
    /// When the value is missing or no such URL.
    pub fn url(&self, name: &str, default: Option<&str>) -> Result<Url, EnvError> {
        let text = match default {
            Some(default) => self.optional(name)?.unwrap_or_else(|| default.to_owned()),
            None => self.required(name)?,
        };
        let web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let url = Url::parse(text.trim()).ok().filter(web);
        url.ok_or_else(|| EnvError::new(name, "must be an http or https URL"))
    }

    /// Any value that is read from text, or `None` if the variable is not set. `problem` says
    /// what it must be, for example "must be a whole number".
    ///
    /// # Errors
    ///
    /// When the value cannot be read.
    pub fn parsed<T: FromStr>(
        &self,
        name: &str,
        problem: &'static str,
    ) -> Result<Option<T>, EnvError> {
        let Some(text) = self.optional(name)? else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| EnvError::new(name, problem))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Process => f.write_str("Environment(of the process)"),
            Source::Given(variables) => f.debug_set().entries(variables.keys()).finish(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that may")]
fn process_variable(name: &str) -> Result<Option<String>, EnvError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(EnvError::new(name, "must be UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment() -> Environment {
        Environment::given([
            ("QUEUE", "http://127.0.0.1:9324/000000000000/changes"),
            ("BLANK", "  "),
            ("KEYS", " one, ,two,"),
            ("NUMBER", "40"),
            ("CANARY", "canary-4711"),
        ])
    }

    #[test]
    fn every_error_names_the_variable_and_none_quotes_the_value() {
        let env = environment();
        let missing = env.required("MISSING").unwrap_err();
        assert_eq!(missing.to_string(), "environment variable MISSING must be set");
        assert_eq!(env.required("BLANK").unwrap_err().name, "BLANK");
        let url = env.url("CANARY", None).unwrap_err();
        assert_eq!(url.to_string(), "environment variable CANARY must be an http or https URL");
        let number = env.parsed::<u32>("CANARY", "must be a whole number").unwrap_err();
        assert_eq!(number.to_string(), "environment variable CANARY must be a whole number");
        assert!(!format!("{env:?} {url:?} {number:?}").contains("4711"));
    }

    #[test]
    fn values_are_read() {
        let env = environment();
        assert_eq!(env.optional("BLANK").unwrap(), None);
        assert_eq!(env.list("KEYS").unwrap(), ["one", "two"]);
        assert_eq!(env.list("MISSING").unwrap(), [""; 0]);
        assert_eq!(env.parsed("NUMBER", "must be a number").unwrap(), Some(40_u32));
        assert_eq!(env.parsed::<u32>("MISSING", "must be a number").unwrap(), None);
        assert_eq!(env.url("QUEUE", None).unwrap().port(), Some(9324));
        assert_eq!(env.url("MISSING", Some("https://a.b")).unwrap().as_str(), "https://a.b/");
        assert!(env.url("MISSING", None).is_err());
        assert!(Environment::given([("U", "file:///etc")]).url("U", None).is_err());
    }

    #[test]
    fn the_process_is_read() {
        assert!(Environment::process().required("PATH").is_ok());
        assert_eq!(Environment::process().optional("PAYMIRROR_NOT_SET").unwrap(), None);
    }
}
