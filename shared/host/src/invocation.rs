//! Lambda's data about the current call.

use lambda_runtime::Context;

/// The call that is being made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invocation {
    /// The function by the name by which it was called: its ARN, with an alias if one was used.
    pub function_arn: String,
    /// The call's id. CloudTrail has it, too, with the identity that made the call.
    pub request_id: String,
}

impl Invocation {
    /// What the runtime hands over with an event.
    pub fn of(context: &Context) -> Self {
        Self {
            function_arn: context.invoked_function_arn.clone(),
            request_id: context.request_id.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_is_known_by_what_lambda_says_of_it() {
        let mut context = Context::default();
        context.invoked_function_arn = "arn:aws:lambda:a:1:function:s-console".to_owned();
        context.request_id = "5e1c".to_owned();
        let invocation = Invocation::of(&context);
        assert_eq!(invocation.function_arn, "arn:aws:lambda:a:1:function:s-console");
        assert_eq!(invocation.request_id, "5e1c");
    }
}
