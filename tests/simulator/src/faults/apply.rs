//! What a fault does to one call.

use std::{borrow::Cow, time::Duration};

use axum::{body::Body, http::Response};
use uuid::Uuid;

use super::Effect;
use crate::{
    books::{BankTransaction, CreditDocument, Invoice, Organisation, Payment},
    connection::Scissors,
    limits::LimitProblem,
    reply::Reply,
};

/// Roughly the bytes of an answer's headers, so that a cut falls into the body.
const HEADERS_BYTES: usize = 300;

/// How an answer ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ending {
    /// As it should.
    Whole,
    /// The connection closes after so many bytes.
    CutAfter(usize),
    /// Nothing is ever sent.
    Never,
}

/// An answer, and how it is to be handed over.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) reply: Reply,
    ending: Ending,
    /// Whether the API itself answered, and not something in front of it.
    pub(crate) from_the_api: bool,
}

impl Outcome {
    /// An answer that nothing happens to.
    pub(crate) fn plain(reply: Reply) -> Self {
        Self { reply, ending: Ending::Whole, from_the_api: true }
    }

    /// Hands the answer over, or carries out the ending that replaces it.
    pub(crate) async fn finish(self, scissors: &Scissors) -> Response<Body> {
        match self.ending {
            Ending::Whole => {}
            Ending::CutAfter(bytes) => scissors.cut_after(bytes),
            Ending::Never => std::future::pending().await,
        }
        self.reply.into_response()
    }
}

/// Does what a call asks for, with everything that is to go wrong before, instead and after.
pub(crate) async fn carry_out(effects: &[Effect], act: impl FnOnce() -> Reply) -> Outcome {
    for effect in effects {
        if let Effect::Delay { millis } = effect {
            tokio::time::sleep(Duration::from_millis(*millis)).await;
        }
    }
    if let Some((reply, ending)) = effects.iter().find_map(instead) {
        return Outcome { reply, ending, from_the_api: false };
    }
    let reply = act();
    for effect in effects {
        if let Effect::LateAnswer { millis } = effect {
            tokio::time::sleep(Duration::from_millis(*millis)).await;
        }
    }
    let spoil = |(reply, ending), effect| spoil(effect, reply, ending);
    let (reply, ending) = effects.iter().fold((reply, Ending::Whole), spoil);
    Outcome { reply, ending, from_the_api: true }
}

/// The answer that a fault gives in place of doing anything.
fn instead(effect: &Effect) -> Option<(Reply, Ending)> {
    match effect {
        Effect::Status { status, headers, body } => {
            Some((with_headers(*status, headers, body), Ending::Whole))
        }
        Effect::HtmlPage { status } => Some((Reply::html(*status), Ending::Whole)),
        Effect::RateLimit { problem, retry_after } => {
            Some((rate_limited(*problem, *retry_after), Ending::Whole))
        }
        Effect::Cut | Effect::AppliedLater { .. } => {
            Some((Reply::text(500, ""), Ending::CutAfter(0)))
        }
        Effect::Hang => Some((Reply::text(500, ""), Ending::Never)),
        _ => None,
    }
}

/// How much later the call is to be carried out, if that is what happens in place of doing it now.
pub(crate) fn postponement(effects: &[Effect]) -> Option<u64> {
    match effects.iter().find(|effect| instead(effect).is_some()) {
        Some(Effect::AppliedLater { millis }) => Some(*millis),
        _ => None,
    }
}

/// What a fault makes of an answer after everything was done.
fn spoil(effect: &Effect, reply: Reply, ending: Ending) -> (Reply, Ending) {
    match effect {
        Effect::DoneButStatus { status, headers, body } => {
            (with_headers(*status, headers, body), ending)
        }
        Effect::LostAnswer => (reply, Ending::CutAfter(0)),
        Effect::CutMidAnswer => {
            let kept = HEADERS_BYTES + reply.body.len() / 2;
            (reply, Ending::CutAfter(kept))
        }
        Effect::TruncatedJson => {
            let kept = reply.body.len() / 2;
            let body = reply.body.chars().take(kept).collect();
            (Reply { body, ..reply }, ending)
        }
        _ => (reply, ending),
    }
}

/// A 429. Its body is empty (facts.md 4.9), all that it says is in the headers.
pub(crate) fn rate_limited(problem: LimitProblem, retry_after: Option<i64>) -> Reply {
    let mut reply = Reply::text(429, "");
    let mut say = |name: &str, value: String| reply.headers.push((name.to_owned(), value));
    say("X-Rate-Limit-Problem", problem.as_str().to_owned());
    if let Some(seconds) = retry_after {
        say("Retry-After", seconds.to_string());
    }
    reply
}

fn with_headers(status: u16, headers: &[(String, String)], body: &str) -> Reply {
    let mut reply = Reply::text(status, body);
    reply.headers = headers.to_vec();
    reply
}

/// How an endpoint is to be wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    stale: bool,
    left_out: Vec<Uuid>,
    booked_max: Option<usize>,
}

impl Manner {
    pub(crate) fn of(effects: &[Effect]) -> Self {
        let left_out = effects.iter().filter_map(|effect| match effect {
            Effect::LeaveOut { invoice } => Some(*invoice),
            _ => None,
        });
        let booked_max = effects.iter().filter_map(|effect| match effect {
            Effect::OnlyFirst { count } => Some(*count),
            _ => None,
        });
        Self {
            stale: effects.contains(&Effect::StaleRead),
            left_out: left_out.collect(),
            booked_max: booked_max.min(),
        }
    }

    /// Elements of a batch that are looked at; all when there is no number.
    pub(crate) fn booked_max(&self) -> Option<usize> {
        self.booked_max
    }

    pub(crate) fn leaves_out(&self, invoice: Uuid) -> bool {
        self.left_out.contains(&invoice)
    }

    /// The invoice as a read is to see it; `None` when it is not there to be seen.
    pub(crate) fn invoice<'a>(
        &self,
        organisation: &Organisation,
        invoice: &'a Invoice,
    ) -> Option<Cow<'a, Invoice>> {
        if self.stale {
            return organisation.invoice_before(invoice).map(Cow::Owned);
        }
        Some(Cow::Borrowed(invoice))
    }

    /// The payment as a read is to see it; `None` when it is not there to be seen.
    pub(crate) fn payment<'a>(
        &self,
        organisation: &Organisation,
        payment: &'a Payment,
    ) -> Option<Cow<'a, Payment>> {
        if self.stale {
            return organisation.payment_before(payment).map(Cow::Owned);
        }
        Some(Cow::Borrowed(payment))
    }

    /// The document of credit as a read is to see it; `None` when it is not there to be seen.
    pub(crate) fn credit<'a>(
        &self,
        organisation: &Organisation,
        credit: &'a CreditDocument,
    ) -> Option<Cow<'a, CreditDocument>> {
        if self.stale {
            return organisation.credit_before(credit).map(Cow::Owned);
        }
        Some(Cow::Borrowed(credit))
    }

    /// The bank transaction as a read is to see it; `None` when it is not there to be seen.
    pub(crate) fn bank_transaction<'a>(
        &self,
        transaction: &'a BankTransaction,
    ) -> Option<Cow<'a, BankTransaction>> {
        if self.stale {
            return transaction.before().map(Cow::Owned);
        }
        Some(Cow::Borrowed(transaction))
    }
}
