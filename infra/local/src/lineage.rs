//! How often a message has gone from a function to a queue and back, for Lambda's detection of endless loops. AWS
//! carries that in the trace header, which the SDK adds to what a function sends; here the same header carries the
//! count from the function to the door of the queues, and the door notes it with the message.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, PoisonError},
};

use aws_sdk_sqs::{
    config::{
        ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextMut,
    },
    error::BoxError,
};

/// The header that AWS uses as well.
pub(crate) const HEADER: &str = "x-amzn-trace-id";
/// What stands before the count in it.
const LINEAGE: &str = "Lineage=local:";

tokio::task_local! {
    /// How often what the function works on has passed.
    static PASSES: u32;
}

/// Of each message that a function has sent and that is not deleted yet, by its id. What this process has not seen
/// being sent has never passed.
static NOTED: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);

/// Carries out what a function does with messages that have passed so often.
pub(crate) async fn of<F: Future>(passes: u32, work: F) -> F::Output {
    PASSES.scope(passes, work).await
}

/// The passes of what was sent with this header; none if no function sent it.
pub(crate) fn in_header(text: &str) -> Option<u32> {
    text.strip_prefix(LINEAGE)?.parse().ok()
}

/// Notes that the message has passed so often.
pub(crate) fn note(message: &str, passes: u32) {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner).insert(message.to_owned(), passes);
}

/// Forgets a message that is deleted.
pub(crate) fn forget(message: &str) {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner).remove(message);
}

/// How often a message has passed.
pub(crate) fn passes(message: &str) -> u32 {
    let noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    noted.get(message).copied().unwrap_or(0)
}

/// Adds the header to what is sent while a function works.
#[derive(Debug)]
pub(crate) struct Traced;

impl Intercept for Traced {
    fn name(&self) -> &'static str {
        "Traced"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Ok(passes) = PASSES.try_with(|passes| passes.saturating_add(1)) {
            context.request_mut().headers_mut().insert(HEADER, format!("{LINEAGE}{passes}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_of_another_kind_says_nothing() {
        assert_eq!(in_header("Lineage=local:3"), Some(3));
        assert_eq!(in_header("Root=1-5759e988-bd862e3fe1be46a994272793"), None);
        assert_eq!(in_header("Lineage=local:x"), None);
    }
}
