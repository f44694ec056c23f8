//! A feed says how an import went, also an empty one (CC-27).

use payments::OrganisationId;
use payments::feed::{FeedReport, is_source};

use super::members::{Members, Node, member};
use super::problems::Problems;
use super::values;

pub(super) fn feed_report(
    organisation: Option<OrganisationId>,
    members: &mut Members<'_>,
    problems: &mut Problems,
) -> Option<FeedReport> {
    let source = member!(members, problems, "source", source);
    let revision = member!(members, problems, "revision", values::revision);
    let from = member!(members, problems, "from", values::date);
    let to = member!(members, problems, "to", values::date);
    let imported = member!(members, problems, "imported", values::count);
    let errors = members.optional("errors").map(|node| values::count(&node, problems));
    let problem = members.optional("problem");
    let problem = problem.and_then(|node| values::free_text(&node, problems));
    let not_published = members.flag("not_published", problems);
    let reported_at = member!(members, problems, "reported_at", values::instant);
    if let (Some(from), Some(to)) = (from, to)
        && from > to
    {
        problems.note::<()>("/to", "must not be before from");
    }
    if not_published == Some(true) && imported.is_some_and(|imported| imported > 0) {
        problems.note::<()>("/not_published", "must not be true where something was imported");
    }
    Some(FeedReport {
        organisation: organisation?,
        source: source?,
        revision: revision?,
        from: from?,
        to: to?,
        imported: imported?,
        errors: errors.unwrap_or(Some(0))?,
        problem,
        not_published: not_published?,
        reported_at: reported_at?,
    })
}

/// The name of a source: lower-case letters, digits and `-`.
pub(super) fn source(node: &Node<'_>, problems: &mut Problems) -> Option<String> {
    let text = node.text("the name of a feed", problems)?;
    if is_source(text) {
        return Some(text.to_owned());
    }
    problems.note(&node.path, "must be 1 to 60 lower-case letters, digits or -")
}
