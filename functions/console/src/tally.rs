//! What one invocation did: its log line and its metrics.

use crate::answer::Outcome;

/// What one invocation did.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rows_read: usize,
    pub(crate) order: Option<&'static str>,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) failed: bool,
}

host::counters! {
    /// The numbers of one invocation. Its log line holds words as well.
    pub(crate) struct Numbers {
        pages: u32, metric "ConsolePages";
        rows_read: usize, metric "ConsoleRowsRead";
        orders: u32, metric "ConsoleOrders";
        refusals: u32, metric "ConsoleRefusals";
        failures: u32, metric "ConsoleFailures";
    }
}

impl Tally {
    /// The same in numbers.
    pub(crate) fn numbers(&self) -> Numbers {
        let refused = self.outcome == Some(Outcome::Refused);
        let failed = self.failed || self.outcome == Some(Outcome::Failed);
        Numbers {
            pages: 1,
            rows_read: self.rows_read,
            orders: u32::from(self.order.is_some() && !refused),
            refusals: u32::from(refused),
            failures: u32::from(failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use host::counters::Counters as _;

    use super::*;
    use crate::roles::Role;

    #[test]
    fn the_catalogue_lists_what_is_written() {
        for role in [Role::Viewer, Role::Operator, Role::Admin] {
            harness::catalogue::assert_lists(role.function(), &Numbers::catalogue());
        }
    }
}
