//! What the tests ask the ledger of uploads, and what others do to it.

use payments::upload::{Line, Upload, UploadState};
use queue::UploadTask;
use table::ChangeContext;

use crate::world::{World, now};

impl World {
    /// The ledger's row of a payment.
    pub(crate) async fn upload(&self, payment: &str) -> Option<Upload> {
        self.tables.upload(self.settings.organisation, &payment.parse().unwrap()).await.unwrap()
    }

    /// The state of that row, and why.
    pub(crate) async fn stands(&self, payment: &str) -> (UploadState, String) {
        let upload = self.upload(payment).await.unwrap();
        (upload.state, upload.reason)
    }

    /// A change of that row by another writer.
    pub(crate) async fn moved(&self, payment: &str, change: impl FnOnce(&mut Upload)) {
        let before = self.upload(payment).await.unwrap();
        let mut after = before.clone();
        change(&mut after);
        let because = ChangeContext { cause: "upload", event_at: None, now: now() };
        self.tables.write_uploads(&[(Some(&before), &after)], None, because).await.unwrap();
    }

    /// The payments that stand in a line, in their order.
    pub(crate) async fn line(&self, line: Line) -> Vec<String> {
        let organisation = self.settings.organisation;
        let (uploads, _) = self.tables.line(organisation, line, None, 100).await.unwrap();
        uploads.into_iter().map(|upload| upload.receipt.id.to_string()).collect()
    }

    /// For whom the `upload` function was woken since the last time, in order.
    pub(crate) fn woken_for(&self) -> Vec<String> {
        let tasks = self.uploads.recorded.sent_with_delays();
        self.uploads.recorded.take();
        let organisation = |(task, delay)| match task {
            UploadTask::Direct { organisation } if delay == 0 => organisation.to_string(),
            other => panic!("{other:?} after {delay} seconds"),
        };
        tasks.into_iter().map(organisation).collect()
    }

    /// How often it was woken for the one organisation since the last time.
    pub(crate) fn wakes(&self) -> usize {
        let woken = self.woken_for();
        let ours = self.settings.organisation.to_string();
        assert!(woken.iter().all(|organisation| *organisation == ours), "{woken:?}");
        woken.len()
    }
}
