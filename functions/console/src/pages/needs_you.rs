//! One queue of the work that waits for a person: discrepancies, refused and unconfirmed payments, those on hold,
//! customers that wait for an answer, rejected messages, and what stands in the way of everything (SP-18, EX-27).

use askama::Template;

use super::work::{Task, Work};
use super::{PageError, Stage, filled};
use crate::view::Frame;

#[derive(Template)]
#[template(path = "needs_you.html")]
struct NeedsYou {
    frame: Frame,
    tasks: Vec<Task>,
    is_more: bool,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    let work = Work::read(stage).await?;
    filled(&NeedsYou { frame: stage.frame(), tasks: work.tasks, is_more: work.is_more })
}
