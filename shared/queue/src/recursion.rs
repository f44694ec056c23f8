//! Lambda's detection of endless loops, for what stands in for Lambda: the local stack, and tests.

/// So often a message goes from a function to a queue and back before Lambda takes it for an endless loop
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html>).
pub const PASSES_MAX: u32 = 16;

/// What Lambda does with a function that sends to its own trigger, directly or by way of another function. AWS
/// counts in the trace header that the SDK adds to what is sent while a message is worked on; of a batch, the
/// message that has passed most often is taken here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecursiveLoop {
    /// It is called as often as there are messages.
    Allow,
    /// The usual: what has passed [`PASSES_MAX`] times goes to the dead-letter queue instead.
    Terminate,
}

impl RecursiveLoop {
    /// What the text of the template says of a function, which is its name there without `Function`.
    pub fn of(template: &str, function: &str) -> Self {
        let head = format!("  {function}Function:");
        let properties = template.lines().skip_while(|line| *line != head).skip(1);
        let mut properties =
            properties.take_while(|line| line.is_empty() || line.starts_with("   "));
        let allows = properties.any(|line| line.trim() == "RecursiveLoop: Allow");
        if allows { Self::Allow } else { Self::Terminate }
    }

    /// Whether the function is called for a message that has passed so often.
    pub fn delivers(self, passes: u32) -> bool {
        self == Self::Allow || passes < PASSES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_it_of_each_function() {
        let template = "Resources:\n  MirrorFunction:\n    Properties:\n      RecursiveLoop: Allow\n\n  \
                        MirrorRole:\n    Type: x\n\n  IntakeFunction:\n    Properties:\n      Timeout: 5\n\n  \
                        UploadFunction:\n      RecursiveLoop: Allow\n";
        assert_eq!(RecursiveLoop::of(template, "Mirror"), RecursiveLoop::Allow);
        assert_eq!(RecursiveLoop::of(template, "Intake"), RecursiveLoop::Terminate);
        assert_eq!(RecursiveLoop::of(template, "Sweep"), RecursiveLoop::Terminate);
    }

    #[test]
    fn the_sixteenth_pass_is_the_last() {
        assert!(RecursiveLoop::Terminate.delivers(15));
        assert!(!RecursiveLoop::Terminate.delivers(16));
        assert!(RecursiveLoop::Allow.delivers(5_000));
    }
}
