//! The log line and the record of metrics of a delivery. Never the body, the signature or a key.

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
                delivery.contact_events = counts.contact_events,
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

host::counters! {
    /// The numbers of a request, and the refusals since the line before. Its log line is another one for each answer.
    pub(crate) struct Numbers {
        accepted: u32, metric "DeliveriesAccepted";
        not_signed: u32, metric "RefusedNotSigned";
        not_post: u32, metric "RefusedNotPost";
        too_large: u32, metric "RefusedTooLarge";
        unavailable: u32, metric "DeliveriesUnavailable";
        events: usize, metric "Events";
        invoice_events: usize, metric "InvoiceEvents";
        invoices: usize, metric "Invoices";
        not_mirrored: usize, metric "EventsNotMirrored";
        unknown_category: usize, metric "EventsUnknownCategory";
        foreign_url: usize, metric "EventsForeignUrl";
        malformed: usize, metric "EventsMalformed";
        unreadable_bodies: usize, metric "BodiesUnreadable";
        messages: usize, metric "Messages";
    }
}

/// Every number of [`Handled`], and the refusals since the line before.
pub(crate) fn numbers(handled: &Handled, refused: Refused) -> Numbers {
    let Handled { answer, counts, messages, .. } = handled;
    let Refused { not_signed, not_post, too_large } = refused;
    let refusals = Numbers { not_signed, not_post, too_large, ..Numbers::default() };
    match answer {
        Response::NotSigned | Response::NotPost | Response::TooLarge => refusals,
        // It comes again, and is counted then.
        Response::Unavailable => Numbers { unavailable: 1, ..refusals },
        Response::Accepted => Numbers {
            accepted: 1,
            events: counts.events,
            invoice_events: counts.invoice_events,
            invoices: counts.invoices,
            not_mirrored: counts.not_mirrored,
            unknown_category: counts.unknown_category,
            foreign_url: counts.foreign_url,
            malformed: counts.malformed,
            unreadable_bodies: counts.unreadable_bodies,
            messages: *messages,
            ..refusals
        },
    }
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

#[cfg(test)]
mod tests {
    use host::counters::Counters as _;

    use super::*;

    #[test]
    fn the_catalogue_lists_what_is_written() {
        harness::catalogue::assert_lists("webhook", &Numbers::catalogue());
    }
}
