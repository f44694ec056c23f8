//! How a write of several elements is booked, which `/Payments` and `/BankTransactions` share.

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{lists, request::Call};
use crate::{faults::Manner, options::Batches, reply::Reply, wire::Unbooked, world::World};

/// The errors of an element, in Xero's words where they are known.
pub(super) type Objections = Vec<String>;

/// The result of an element.
#[derive(Debug)]
pub(super) enum Booked {
    /// It is in the books, with this id.
    As(Uuid),
    /// It is not, for these reasons; none when another element was to blame.
    Refused(Objections),
    /// A fault left it out without a word.
    Dropped,
}

/// How this batch is to be booked and answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    summarised: bool,
    booked_max: Option<usize>,
}

impl Batch {
    /// The default of `summarizeErrors` is in facts.md 3.6.
    pub(super) fn of(call: &Call, manner: &Manner) -> Self {
        let summarised = call.query.switch("summarizeErrors", true);
        Self { summarised, booked_max: manner.booked_max() }
    }

    /// Where the switch is not known.
    pub(super) fn summarised(self) -> Self {
        Self { summarised: true, ..self }
    }

    /// Books the elements that were found good, as far as this batch lets them be booked.
    pub(super) fn book<D>(
        self,
        world: &mut World,
        checked: Vec<Result<D, Objections>>,
        mut record: impl FnMut(&mut World, D) -> Result<Uuid, Objections>,
    ) -> Vec<Booked> {
        let looked_at = self.booked_max.unwrap_or(usize::MAX);
        let any_bad = checked.iter().take(looked_at).any(Result::is_err);
        let books_the_good =
            !(self.summarised && any_bad && world.batches == Batches::AllOrNothing);
        let mut booked = Vec::new();
        for (index, checked) in checked.into_iter().enumerate() {
            booked.push(match checked {
                _ if index >= looked_at => Booked::Dropped,
                Ok(draft) if books_the_good => match record(world, draft) {
                    Ok(id) => Booked::As(id),
                    Err(objections) => Booked::Refused(objections),
                },
                Ok(_) => Booked::Refused(Vec::new()),
                Err(objections) => Booked::Refused(objections),
            });
        }
        booked
    }

    /// The answer's elements, in the order of `sent`: `written` shows a record that was made, and
    /// `echo` an element that was not. A flag says to both whether an element has its own result.
    ///
    /// # Errors
    ///
    /// The 400 that a summarised batch is answered with when an element was refused.
    pub(super) fn elements<S, E: Serialize>(
        self,
        sent: &[S],
        booked: &[Booked],
        written: impl Fn(Uuid, bool) -> Result<Box<RawValue>, Reply>,
        echo: impl Fn(&S, Unbooked<'_>, bool) -> E,
    ) -> Result<Vec<Box<RawValue>>, Reply> {
        let refused = |booked: &Booked| matches!(booked, Booked::Refused(why) if !why.is_empty());
        if self.summarised && booked.iter().any(refused) {
            let elements = sent.iter().zip(booked).map(|(sent, booked)| match booked {
                Booked::Refused(why) => echo(sent, Unbooked::Refused(why), false),
                Booked::As(_) => echo(sent, Unbooked::Refused(&[]), false),
                Booked::Dropped => echo(sent, Unbooked::Dropped, false),
            });
            return Err(Reply::invalid(elements.collect()));
        }
        let own_result = !self.summarised;
        let elements = sent.iter().zip(booked).map(|(sent, booked)| match booked {
            Booked::As(id) => written(*id, own_result),
            Booked::Refused(why) => lists::raw(&echo(sent, Unbooked::Refused(why), true)),
            // What seems to be a result must seem to be a good one.
            Booked::Dropped => lists::raw(&echo(sent, Unbooked::Dropped, own_result)),
        });
        elements.collect()
    }
}
