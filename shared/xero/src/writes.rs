//! One call that writes, and what is known afterwards.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::budget::CallBudget;
use payments::grant::{Grants, Pairs};
use payments::upload::{Stamp, WriteOutcome};
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;

use crate::bundle::{Bundle, StampedKind};
use crate::client::{Attempts, Client, Meter};
use crate::error::{Outage, ReadError};
use crate::failed_answer::{refusal, token_is_bad};
use crate::refusal::RefusalKind;
use crate::write_results;

/// Longest `Idempotency-Key`, in characters.
pub const KEY_CHARS_MAX: usize = 128;

/// Why a call was turned away before anything could happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TurnedAway {
    /// A call limit is used up (429).
    Limited {
        /// Until when; `None` if Xero does not say.
        until: Option<Timestamp>,
    },
    /// Xero does not let us in (401 even with a fresh token, or 403), or gives us no token.
    NotAuthorised,
    /// It was not sent: there was no token to be had at the moment, or the key cannot be sent.
    NotSent,
}

/// The knowledge of each element of a bundle after its call: a [`WriteOutcome`] for every stamp, after every
/// outcome.
#[derive(Clone)]
pub struct Answers {
    by_stamp: BTreeMap<Stamp, WriteOutcome>,
    call: Call,
}

/// What became of the call as a whole.
#[derive(Clone, Copy, Debug)]
enum Call {
    /// Xero has answered element by element.
    Answered,
    TurnedAway(TurnedAway, Option<ReadError>),
    /// Xero has refused it as a whole, so that nothing of it is stored.
    Refused(ReadError, Option<RefusalKind>),
    Unclear(ReadError, Option<RefusalKind>),
}

impl<B: CallBudget, G: Grants + Pairs> Client<B, G> {
    /// Creates what a bundle is made of, in ONE call: nothing is ever sent again here,
    /// not even when the connection fails. Only a call that was answered 401, which is to say turned
    /// away at the door, is repeated with a new token.
    ///
    /// `key` is the `Idempotency-Key`: 1 to [`KEY_CHARS_MAX`] visible ASCII characters. Xero remembers
    /// it for about six minutes together with its answer, be that an error (facts.md 4.10). A caller that
    /// sends the bundle again must know what that means.
    pub async fn put(&self, organisation: OrganisationId, bundle: &Bundle, key: &str) -> Answers {
        let mut meter = self.meter();
        let (call, by_stamp) = self.try_put(organisation, bundle, key, &mut meter).await;
        let answers = match (by_stamp, call) {
            (Some(by_stamp), _) => by_stamp,
            (None, Call::TurnedAway(..)) => all(bundle, &WriteOutcome::TurnedAway),
            (None, _) => all(bundle, &WriteOutcome::Unclear),
        };
        let answers = Answers { by_stamp: answers, call };
        tracing::debug!(
            xero.organisation_id = %organisation,
            bundle = %bundle.digest(),
            calls = meter.calls,
            outcome = ?answers,
            "wrote to Xero"
        );
        answers
    }

    async fn try_put(
        &self,
        organisation: OrganisationId,
        bundle: &Bundle,
        key: &str,
        meter: &mut Meter,
    ) -> (Call, Option<BTreeMap<Stamp, WriteOutcome>>) {
        if !is_sendable(key) {
            return (Call::TurnedAway(TurnedAway::NotSent, None), None);
        }
        let scope = match bundle.kind() {
            StampedKind::Payments => "accounting.payments",
            StampedKind::Prepayments => "accounting.banktransactions",
            StampedKind::Bills | StampedKind::CreditNotes | StampedKind::Allocations => {
                "accounting.invoices"
            }
        };
        let token = match self.tokens.current(&self.http, organisation).await {
            Ok(token) => token,
            Err(error) => return (self.turned_away(error), None),
        };
        let once = Attempts::Once;
        let mut answer =
            self.call(organisation, self.put_request(bundle, key), &token, once, meter).await;
        if answer.as_ref().is_ok_and(token_is_bad) {
            let token = match self.tokens.instead_of(&self.http, organisation, &token).await {
                Ok(token) => token,
                Err(error) => return (self.turned_away(error), None),
            };
            answer =
                self.call(organisation, self.put_request(bundle, key), &token, once, meter).await;
        }
        let answer = match answer {
            Ok(answer) => answer,
            // The budget has denied the call. Without an answer, Xero cannot have said so.
            Err(error @ ReadError::Limited { .. }) => return (self.turned_away(error), None),
            Err(error) => return (Call::Unclear(error, None), None),
        };
        match answer.status {
            200 => match write_results::read(bundle, &answer.body) {
                Some(by_stamp) => (Call::Answered, Some(by_stamp)),
                None => (Call::Unclear(Outage::Unreadable.into(), None), None),
            },
            401 | 403 | 429 => (self.turned_away(refusal(&answer, scope)), None),
            status => {
                let (error, said) =
                    (refusal(&answer, scope), write_results::whole_refusal(&answer.body));
                let refused = match status {
                    400 => write_results::refused_whole(bundle, &answer.body),
                    _ => None,
                };
                match refused {
                    Some(by_stamp) => (Call::Refused(error, said), Some(by_stamp)),
                    None => (Call::Unclear(error, said), None),
                }
            }
        }
    }

    fn put_request(&self, bundle: &Bundle, key: &str) -> RequestBuilder {
        let path = bundle.path();
        let mut url = self.url(&path.iter().map(String::as_str).collect::<Vec<_>>());
        url.set_query(Some("summarizeErrors=false"));
        self.http
            .client()
            .put(url)
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", key)
            .body(bundle.bytes().to_vec())
    }

    /// Nothing of the bundle can have had an effect: either nothing was sent at all, or Xero's door
    /// has turned it away.
    fn turned_away(&self, error: ReadError) -> Call {
        let why = match error {
            ReadError::Limited { after, .. } => TurnedAway::Limited {
                until: after.and_then(|after| {
                    self.http.now().checked_add(SignedDuration::try_from(after).ok()?).ok()
                }),
            },
            ReadError::NotAuthorised(_) => TurnedAway::NotAuthorised,
            _ => TurnedAway::NotSent,
        };
        Call::TurnedAway(why, Some(error))
    }
}

fn is_sendable(key: &str) -> bool {
    (1..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn all(bundle: &Bundle, answer: &WriteOutcome) -> BTreeMap<Stamp, WriteOutcome> {
    bundle.stamps().map(|stamp| (stamp.clone(), answer.clone())).collect()
}

impl Answers {
    /// The answers to a bundle that was not sent.
    pub fn not_sent(bundle: &Bundle) -> Self {
        let call = Call::TurnedAway(TurnedAway::NotSent, None);
        Self { by_stamp: all(bundle, &WriteOutcome::TurnedAway), call }
    }

    /// The answer for this stamp; `Unclear` if the bundle had none.
    pub fn of(&self, stamp: &Stamp) -> WriteOutcome {
        self.by_stamp.get(stamp).cloned().unwrap_or(WriteOutcome::Unclear)
    }

    /// The answers for all stamps.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Stamp, &WriteOutcome)> {
        self.by_stamp.iter()
    }

    /// Whether, and why, the call was turned away before anything could happen. Then every answer is
    /// `TurnedAway`. So are those of a call that was refused as a whole, but for the elements that are named as
    /// its cause: they can be sent in another call.
    pub fn turned_away(&self) -> Option<&TurnedAway> {
        match &self.call {
            Call::TurnedAway(why, _) => Some(why),
            Call::Answered | Call::Refused(..) | Call::Unclear(..) => None,
        }
    }

    /// Whether nothing is known because there was no answer that Xero itself stands for: silence, a
    /// cut connection, a status of 500 and above, a page that cannot be read. Within the life of the
    /// key, the same bytes with the same key may bring the answer; the refusals of that one are then
    /// no proof. A refusal of the whole call (4xx) would only be repeated.
    pub fn is_silence(&self) -> bool {
        matches!(self.call, Call::Unclear(ReadError::Unavailable { .. } | ReadError::TooLong, _))
    }

    /// The error of the call as a whole, for logs and for how it is shown.
    pub fn error(&self) -> Option<ReadError> {
        match self.call {
            Call::Answered => None,
            Call::TurnedAway(_, error) => error,
            Call::Refused(error, _) | Call::Unclear(error, _) => Some(error),
        }
    }

    /// What the refusal of a whole call seems to be about. If the same key was sent before, it is no proof that
    /// nothing happened: it may be the echo of an error that Xero remembers with the key (FAULT-25).
    pub fn whole_refusal(&self) -> Option<RefusalKind> {
        match self.call {
            Call::Refused(_, said) | Call::Unclear(_, said) => said,
            Call::Answered | Call::TurnedAway(..) => None,
        }
    }
}

/// Counts only. A refusal's text may hold a name or an amount and is for the tables (N9).
impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count =
            |is: fn(&WriteOutcome) -> bool| self.by_stamp.values().filter(|a| is(a)).count();
        f.debug_struct("Answers")
            .field("call", &self.call)
            .field("placed", &count(|answer| matches!(answer, WriteOutcome::Placed(_))))
            .field("refused", &count(|answer| matches!(answer, WriteOutcome::Refused(_))))
            .field("turned_away", &count(|answer| matches!(answer, WriteOutcome::TurnedAway)))
            .field("unclear", &count(|answer| matches!(answer, WriteOutcome::Unclear)))
            .finish()
    }
}
