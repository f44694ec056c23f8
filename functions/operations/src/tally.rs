//! What one invocation did, in numbers. Its log line holds words as well.

use commands::Reply;

use crate::ExecutionError;

host::counters! {
    /// The numbers of one invocation.
    pub(crate) struct Tally {
        executed: u32, metric "CommandsExecuted";
        failed: u32, metric "CommandsFailed";
        /// Events that are on the bus again.
        sent: usize, metric "EventsSent";
    }
}

impl Tally {
    pub(crate) fn of(executed: &Result<Reply, ExecutionError>) -> Self {
        let sent = match executed {
            Ok(Reply::AnnounceAgain(reply)) => reply.announce_again.announced,
            _ => 0,
        };
        let failed = u32::from(executed.is_err());
        Self { executed: 1 - failed, failed, sent }
    }
}

#[cfg(test)]
mod tests {
    use host::counters::Counters as _;

    use super::*;

    #[test]
    fn the_catalogue_lists_what_is_written() {
        harness::catalogue::assert_lists("operations", &Tally::catalogue());
    }
}
