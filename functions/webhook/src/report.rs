//! The log line and the record of metrics of a delivery. Never the body, the signature or a key.

use host::metrics::Metric;
use host::telemetry;

use crate::handler::{Handled, Response};
use crate::refusals::Refused;

/// Most organisations named in a line. Beyond that the number says enough.
const ORGANISATIONS_MAX: usize = 20;

pub(crate) fn log(handled: &Handled, refused: Refused) {
    let Handled { answer, counts, messages, body_bytes, trouble } = handled;
    let status = answer.status();
    match answer {
        Response::Accepted => {
            let organisations = organisations(handled);
            tracing::info!(
                answer.status = status,
                delivery.body_bytes = body_bytes,
                delivery.events = counts.events,
                delivery.invoice_events = counts.invoice_events,
                delivery.invoices = counts.invoices,
                delivery.not_mirrored = counts.not_mirrored,
                delivery.unknown_category = counts.unknown_category,
                delivery.foreign_url = counts.foreign_url,
                delivery.malformed = counts.malformed,
                delivery.unreadable_bodies = counts.unreadable_bodies,
                delivery.messages = messages,
                delivery.first_sequence = counts.first_sequence,
                delivery.last_sequence = counts.last_sequence,
                delivery.organisations = organisations,
                "delivery accepted"
            );
        }
        Response::NotSigned | Response::NotPost | Response::TooLarge => tracing::info!(
            answer.status = status,
            delivery.body_bytes = body_bytes,
            refused = refused.all(),
            "request refused: {answer:?}"
        ),
        Response::Unavailable => tracing::error!(
            answer.status = status,
            delivery.body_bytes = body_bytes,
            delivery.events = counts.events,
            delivery.messages = messages,
            delivery.first_sequence = counts.first_sequence,
            delivery.last_sequence = counts.last_sequence,
            delivery.organisations = organisations(handled),
            error = trouble.as_ref().map(|trouble| telemetry::chain(trouble)),
            "delivery not accepted; Xero will send it again"
        ),
    }
}

/// Every number of [`Handled`], and the refusals since the line before.
pub(crate) fn metrics(handled: &Handled, refused: Refused) -> Vec<Metric> {
    let Handled { answer, counts, messages, .. } = handled;
    let answered = |this: Response| u32::from(*answer == this);
    // A delivery that was not accepted comes again, and is counted then.
    let accepted = |count: usize| if *answer == Response::Accepted { count } else { 0 };
    vec![
        Metric::count("DeliveriesAccepted", answered(Response::Accepted)),
        Metric::count("RefusedNotSigned", refused.not_signed),
        Metric::count("RefusedNotPost", refused.not_post),
        Metric::count("RefusedTooLarge", refused.too_large),
        Metric::count("DeliveriesUnavailable", answered(Response::Unavailable)),
        Metric::count("Events", accepted(counts.events)),
        Metric::count("InvoiceEvents", accepted(counts.invoice_events)),
        Metric::count("Invoices", accepted(counts.invoices)),
        Metric::count("EventsNotMirrored", accepted(counts.not_mirrored)),
        Metric::count("EventsUnknownCategory", accepted(counts.unknown_category)),
        Metric::count("EventsForeignUrl", accepted(counts.foreign_url)),
        Metric::count("EventsMalformed", accepted(counts.malformed)),
        Metric::count("BodiesUnreadable", accepted(counts.unreadable_bodies)),
        Metric::count("Messages", accepted(*messages)),
    ]
}

fn organisations(handled: &Handled) -> String {
    let all = &handled.counts.organisations;
    let mut named: Vec<String> =
        all.iter().take(ORGANISATIONS_MAX).map(ToString::to_string).collect();
    if all.len() > ORGANISATIONS_MAX {
        named.push(format!("and {} more", all.len() - ORGANISATIONS_MAX));
    }
    named.join(" ")
}
