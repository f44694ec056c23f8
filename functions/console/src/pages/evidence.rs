//! Everything that is known about a discrepancy, gathered by itself (SP-22): payment records, receipts, what the gateway or
//! the bank has reported, what Xero shows, what was decided about uploading, messages, and notices with their answers.

use std::collections::BTreeSet;

use payments::explanations::InvoiceContext;
use payments::{
    Discrepancy, Money, Origin, Payment, PaymentId, Receipt, StoredInvoice, StoredNotice,
};
use table::{DiscrepancyPlace, DiscrepancySubject};

use super::{PageError, Stage};

/// Payments whose reports are read.
const REPORTS_MAX: usize = 20;

/// One thing that is known.
pub(super) struct Evidence {
    /// Where it comes from.
    pub(super) source: &'static str,
    /// What it is about.
    pub(super) about: String,
    /// When it was reported, read or decided.
    pub(super) at: String,
    /// In words.
    pub(super) says: String,
}

/// Gathers the evidence about a discrepancy, which stands on this invoice if it stands on one.
pub(super) async fn gather(
    stage: &Stage<'_>,
    place: &DiscrepancyPlace,
    found: &Discrepancy,
    invoice: Option<(&StoredInvoice, &InvoiceContext)>,
) -> Result<Vec<Evidence>, PageError> {
    let mut all = Vec::new();
    if let Some((stored, context)) = invoice {
        all.extend(of_invoice(stage, stored));
        all.extend(of_context(stage, context));
    }
    let payments = payments_about(stage, place, found, invoice.map(|(stored, _)| stored)).await?;
    for payment in &payments {
        let receipt = stage.tables.receipt(place.organisation, payment).await?;
        stage.count(usize::from(receipt.is_some()));
        all.extend(receipt.iter().flat_map(|receipt| of_report(stage, receipt)));
    }
    all.extend(of_messages(stage, place, &payments).await?);
    if let DiscrepancySubject::Invoice(number) = &place.subject {
        let notices = stage.tables.notices_about(place.organisation, number, &place.key).await?;
        stage.count(notices.len());
        all.extend(notices.iter().flat_map(|notice| of_notice(stage, notice)));
    }
    Ok(all)
}

/// The business's own payments that have to do with it.
async fn payments_about(
    stage: &Stage<'_>,
    place: &DiscrepancyPlace,
    found: &Discrepancy,
    invoice: Option<&StoredInvoice>,
) -> Result<BTreeSet<PaymentId>, PageError> {
    let on_invoice = invoice.into_iter().flat_map(|stored| &stored.payments);
    let own = on_invoice.filter(|payment| payment.origin != Origin::Xero);
    let mut all: BTreeSet<_> = own.map(|payment| payment.id.clone()).take(REPORTS_MAX).collect();
    // The subject of some kinds is a payment, perhaps with more behind it.
    all.extend(found.key.subject.split(' ').next().and_then(|first| first.parse().ok()));
    match &place.subject {
        DiscrepancySubject::Payment(payment) => _ = all.insert(payment.clone()),
        DiscrepancySubject::Order(order) => {
            let order = stage.tables.order(place.organisation, order).await?;
            stage.count(usize::from(order.is_some()));
            let named = order.into_iter().flat_map(|stored| stored.order.payments);
            all.extend(named.take(REPORTS_MAX));
        }
        DiscrepancySubject::Contact(_) | DiscrepancySubject::Invoice(_) => {}
    }
    Ok(all)
}

fn of_invoice(stage: &Stage<'_>, stored: &StoredInvoice) -> Vec<Evidence> {
    let about = format!("invoice {}", stored.number);
    let local = stored.local.as_ref().map(|local| Evidence {
        source: "Invoice record",
        about: about.clone(),
        at: stage.moment_or(stored.reported_at, ""),
        says: format!("{} are asked for, due on {}", local.total, local.due_on),
    });
    let xero = stored.xero.as_ref().map(|xero| Evidence {
        source: "Xero",
        about: about.clone(),
        at: stage.moment(xero.version.fetched_at),
        says: format!(
            "{}, total {}, paid {}, credited {}, due {}",
            xero.status,
            xero.figures.total,
            xero.figures.paid,
            xero.figures.credited,
            xero.figures.due
        ),
    });
    let held = stored.held.iter().map(|held| Evidence {
        source: "Xero",
        about: format!("payment {}", held.payment.id),
        at: stage.moment(held.held_at),
        says: format!(
            "{} of {} has no copy here: {}",
            held.payment.amount, held.payment.date, held.reason
        ),
    });
    let payments = stored.payments.iter().map(|payment| of_payment(stage, payment));
    local.into_iter().chain(xero).chain(payments).chain(held).collect()
}

fn of_payment(stage: &Stage<'_>, payment: &Payment) -> Evidence {
    let source = if payment.origin == Origin::Xero { "Xero" } else { "Payment record" };
    let reference = payment.reference.as_ref().map(|text| format!(", reference {text}"));
    Evidence {
        source,
        about: format!("payment {}", payment.id),
        at: stage.moment(payment.created_at),
        says: format!(
            "{} of {} by {}, {}, {}{}",
            payment.amount,
            payment.date,
            payment.method,
            payment.status,
            payment.state,
            reference.unwrap_or_default()
        ),
    }
}

/// Removed payments, and decisions about uploading.
fn of_context(stage: &Stage<'_>, context: &InvoiceContext) -> Vec<Evidence> {
    let removed = context.removed.iter().map(|row| {
        let gone = &row.tombstone;
        Evidence {
            source: "Removed payment",
            about: format!("payment {}", gone.payment.id),
            at: stage.moment(gone.removed_at),
            says: format!("{} of {}: {}", gone.payment.amount, gone.payment.date, gone.why),
        }
    });
    let uploads = context.uploads.values().map(|upload| Evidence {
        source: "Decision about uploading",
        about: format!("payment {}", upload.receipt.id),
        at: stage.moment(upload.since),
        says: format!("{}: {}", upload.state, upload.why),
    });
    removed.chain(uploads).collect()
}

/// What the gateway or the bank has reported of a payment, and the receipt that the customer has.
fn of_report(stage: &Stage<'_>, receipt: &Receipt) -> Vec<Evidence> {
    let about = format!("payment {}", receipt.id);
    let channel = receipt.channel.map(|channel| format!(", {channel}")).unwrap_or_default();
    let customer = receipt.customer.as_ref().map(|customer| format!(", of customer {customer}"));
    let report = Evidence {
        source: "Gateway or bank",
        about: about.clone(),
        at: stage.moment(receipt.entered_at),
        says: format!(
            "{} by {}{channel}, transaction {}: {}{}",
            receipt.amount,
            receipt.method,
            receipt.transaction_id,
            receipt.status,
            customer.unwrap_or_default()
        ),
    };
    let part = |name: &str, part: Option<Money>| {
        part.map(|part| format!(", {name} {part}")).unwrap_or_default()
    };
    let document = receipt.document.as_ref().map(|document| Evidence {
        source: "Receipt",
        about,
        at: stage.moment(receipt.entered_at),
        says: format!(
            "{}: {}{}{}",
            document.number,
            document.total,
            part("tax", document.parts.tax),
            part("shipping", document.parts.shipping)
        ),
    });
    [Some(report), document].into_iter().flatten().collect()
}

/// Messages that name what it stands on, or one of its payments.
async fn of_messages(
    stage: &Stage<'_>,
    place: &DiscrepancyPlace,
    payments: &BTreeSet<PaymentId>,
) -> Result<Vec<Evidence>, PageError> {
    let names: BTreeSet<String> = payments
        .iter()
        .map(ToString::to_string)
        .chain([match &place.subject {
            DiscrepancySubject::Contact(contact) => contact.to_string(),
            other => other.to_string(),
        }])
        .collect();
    let mut all = Vec::new();
    for of_kind in stage.tables.messages(place.organisation).await? {
        stage.count_read(of_kind.count);
        for row in &of_kind.newest {
            let mut words = row.subject.split([' ', '/', '#', ',']);
            if names.contains(&row.subject) || words.any(|word| names.contains(word)) {
                all.push(Evidence {
                    source: "Message",
                    about: of_kind.kind.clone(),
                    at: stage.clock(&row.raised_at),
                    says: row.why.clone(),
                });
            }
        }
    }
    Ok(all)
}

/// A notice to the customer, and what came back (SP-23, SP-26).
fn of_notice(stage: &Stage<'_>, stored: &StoredNotice) -> Vec<Evidence> {
    let about = format!("notice {}", stored.notice.id);
    let evidence = |source, at, says| Evidence { source, about: about.clone(), at, says };
    let drafted = stage.moment(stored.drafted_at);
    let mut all = vec![evidence("Notice to the customer", drafted, stored.notice.subject.clone())];
    let Some(report) = &stored.report else { return all };
    if let Some(at) = report.sent_at {
        all.push(evidence("Notice to the customer", stage.moment(at), "sent".to_owned()));
    }
    if let Some(at) = report.answered_at {
        let satisfied = match report.satisfied {
            Some(true) => "; the customer is satisfied",
            Some(false) => "; the customer is not satisfied",
            None => "",
        };
        let answer = report.answer.as_deref().unwrap_or("answered");
        let says = format!("{answer}{satisfied}");
        all.push(evidence("Customer's message", stage.moment(at), says));
    }
    all
}
