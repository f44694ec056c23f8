//! The business's own system says what became of a notice to a customer (SP-26).

use payments::{NoticeReport, OrganisationId};

use super::members::{Members, member};
use super::problems::Problems;
use super::values;

pub(super) fn notice(
    organisation: Option<OrganisationId>,
    members: &mut Members<'_>,
    problems: &mut Problems,
) -> Option<NoticeReport> {
    let id = member!(members, problems, "notice", values::notice_id);
    let revision = member!(members, problems, "revision", values::revision);
    let mut instant =
        |name| members.optional(name).and_then(|node| values::instant(&node, problems));
    let (sent_at, answered_at) = (instant("sent_at"), instant("answered_at"));
    let answer = members.optional("answer");
    let answer = answer.and_then(|node| values::free_text(&node, problems));
    let satisfied = members.optional("satisfied");
    let satisfied = satisfied.and_then(|node| node.flag(problems));
    if (answer.is_some() || satisfied.is_some()) && answered_at.is_none() {
        problems.note::<()>("", "must have answered_at: there is an answer");
    }
    Some(NoticeReport {
        organisation: organisation?,
        id: id?,
        revision: revision?,
        sent_at,
        answered_at,
        answer,
        satisfied,
    })
}
