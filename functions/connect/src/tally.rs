//! What came of one request: its log line and its numbers. Neither holds anything of the request.

host::counters! {
    /// The counts of one request.
    pub(crate) struct Tally, logged as "a browser was answered" {
        pub(crate) requests: usize, log requests, metric "BrowserRequests";
        /// Links, states and forms that are not known, used, late or of another site.
        pub(crate) refused: usize, log requests.refused, metric "BrowserRefused";
        /// Requests that were not served, and the fault is ours.
        pub(crate) failed: usize, log requests.failed, metric "ConsoleFailures";
    }
}

impl Tally {
    pub(crate) fn of(status: u16) -> Self {
        let refused = usize::from((400..500).contains(&status));
        Self { requests: 1, refused, failed: usize::from(status >= 500) }
    }
}
