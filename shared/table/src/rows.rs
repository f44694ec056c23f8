//! How the nouns of the domain look as rows.

use payments::close::InvoicePosition;
use payments::sweep::Standing;
use payments::{
    Acceptance, Case, ClockStep, Contact, CustomerId, Decision, Discrepancy, DiscrepancyCause,
    DiscrepancyKey, DiscrepancyKind, Ending, Figures, Held, HeldPayment, InvoiceNumber,
    InvoiceStatus, Kind, LocalInvoice, Money, MovedAway, OrganisationId, Origin, Owner, Payment,
    PaymentStatus, Protection, Reopened, Settled, State, StoredInvoice, TaxAndShipping, Terms,
    Tombstone, Version, XeroFacts, XeroPayment, XeroPaymentKind, figures_of,
};

use crate::allocations;
use crate::attributes::{Item, Reader, Writer, instant};
use payments::balance::balance;

use crate::balances::with_balance;
use crate::error::ReadError;
use crate::schema::{DISCREPANCIES, HELD_PAYMENTS, INVOICES, PAYMENTS, UNSETTLED_IN};

/// The key under which everything about an invoice is found.
pub fn invoice_key(organisation: OrganisationId, number: &InvoiceNumber) -> String {
    format!("{organisation}/{number}")
}

fn start(invoice: &StoredInvoice) -> Writer {
    Writer::default()
        .text("invoice", invoice_key(invoice.organisation, &invoice.number))
        .text("organisation", invoice.organisation)
        .text("invoice_number", &invoice.number)
}

/// The invoice itself, without its payments.
pub(crate) fn invoice_row(invoice: &StoredInvoice, revision: u64) -> Item {
    let state = match (&invoice.local, &invoice.xero, &invoice.settled) {
        (_, _, Some(_)) => "settled",
        (_, None, None) => "waiting_for_xero",
        (_, Some(_), None) => "to_be_mirrored",
    };
    let mut row = Writer::default()
        .text("organisation", invoice.organisation)
        .text("number", &invoice.number)
        .number("revision", revision)
        .text("state", state);
    row = row.instant_if("reported_at", invoice.reported_at);
    if let Some(local) = &invoice.local {
        row = row
            .number("total", local.total.amount())
            .text("currency", local.total.currency())
            .text("issued_on", local.issued_on)
            .text("due_on", local.due_on)
            .text_if("terms", local.terms.map(terms_text))
            .text_if("company", local.contact.company.as_deref())
            .text_if("person", local.contact.person.as_deref())
            .flag("payment_plan", local.payment_plan)
            .number_if("tax", local.components.tax.map(Money::amount))
            .number_if("shipping", local.components.shipping.map(Money::amount))
            .number("local_revision", local.revision);
    }
    row = with_balance(row, invoice).text_if("customer", invoice.customer.as_ref());
    if let Some(customer) = invoice.customer.as_ref().filter(|_| invoice.held_back) {
        row = row.text("waits_for", waits_for(invoice.organisation, customer));
    }
    if let Some(xero) = &invoice.xero {
        row = row
            .text("xero_invoice_id", xero.invoice)
            .text("xero_number", &xero.number)
            .text("xero_status", xero.status)
            .text_if("xero_contact", xero.contact_name.as_deref())
            .text_if("xero_due_on", xero.due_on)
            .text("xero_currency", xero.figures.total.currency())
            .number("xero_total", xero.figures.total.amount())
            .number("amount_paid", xero.figures.paid.amount())
            .number("amount_credited", xero.figures.credited.amount())
            .number("amount_due", xero.figures.due.amount());
        if !xero.allocations.is_empty() {
            row = row.value("allocations", allocations::list(&xero.allocations));
        }
        row = row
            .instant("xero_updated_at", xero.version.updated_at)
            .instant("fetched_at", xero.version.fetched_at);
    }
    if let Some(moved) = &invoice.moved_away {
        row = row
            .text("moved_away_invoice_id", moved.invoice)
            .instant("moved_away_updated_at", moved.version.updated_at)
            .instant("moved_away_fetched_at", moved.version.fetched_at);
    }
    if let Some(settled) = &invoice.settled {
        row = row.text("fingerprint", &settled.fingerprint).text_if("review_on", settled.review_on);
    }
    // Only these stand in the index of what the full sweep looks at each night, and balances are added up from.
    let is_listed = stands_in_index(&Standing::from(invoice), balance(invoice).is_some());
    let unsettled_in = is_listed.then_some(invoice.organisation);
    row.text_if(UNSETTLED_IN, unsettled_in).finish()
}

/// Whether an invoice stands in the index of what is unsettled: something of it may be to be done, or is left.
pub(crate) fn stands_in_index(standing: &Standing, has_balance: bool) -> bool {
    standing.is_unsettled() || has_balance
}

/// By which an invoice is found that waits for an action about its customer.
pub(crate) fn waits_for(organisation: OrganisationId, customer: &CustomerId) -> String {
    format!("{organisation}/{customer}")
}

/// Reads the invoice itself; its payments are not part of the row.
pub(crate) fn read_invoice(
    organisation: OrganisationId,
    item: &Item,
) -> Result<StoredInvoice, ReadError> {
    let row = Reader::new(INVOICES, item);
    let number: InvoiceNumber = row.parsed("number")?;
    let mut invoice = StoredInvoice::unknown(organisation, number.clone());
    invoice.revision = row.number("revision")?;
    invoice.customer = row.parsed_if("customer")?;
    invoice.held_back = row.has("waits_for");
    invoice.reported_at = row.parsed_if("reported_at")?;
    if row.has("local_revision") {
        invoice.local = Some(LocalInvoice {
            number,
            total: row.money("total", row.parsed("currency")?)?,
            issued_on: row.parsed("issued_on")?,
            due_on: row.parsed("due_on")?,
            terms: row
                .text_if("terms")?
                .map(|text| read_terms(text).ok_or_else(|| row.wrong("terms", "cannot be read")))
                .transpose()?,
            contact: Contact {
                company: row.text_if("company")?.map(str::to_owned),
                person: row.text_if("person")?.map(str::to_owned),
            },
            payment_plan: row.flag("payment_plan")?,
            revision: row.number("local_revision")?,
            components: TaxAndShipping {
                tax: row.money_if("tax", row.parsed("currency")?)?,
                shipping: row.money_if("shipping", row.parsed("currency")?)?,
            },
        });
    }
    if row.has("xero_invoice_id") {
        let currency = row.parsed("xero_currency")?;
        invoice.xero = Some(XeroFacts {
            invoice: row.parsed("xero_invoice_id")?,
            number: row.text("xero_number")?.to_owned(),
            status: row.code("xero_status", InvoiceStatus::from_code)?,
            contact_name: row.text_if("xero_contact")?.map(str::to_owned),
            due_on: row.parsed_if("xero_due_on")?,
            figures: Figures {
                total: row.money("xero_total", currency)?,
                paid: row.money("amount_paid", currency)?,
                credited: row.money("amount_credited", currency)?,
                due: row.money("amount_due", currency)?,
            },
            allocations: allocations::read(row, currency)?,
            version: Version {
                updated_at: row.parsed("xero_updated_at")?,
                fetched_at: row.parsed("fetched_at")?,
            },
        });
    }
    if let Some(moved) = row.parsed_if("moved_away_invoice_id")? {
        invoice.moved_away = Some(MovedAway {
            invoice: moved,
            version: Version {
                updated_at: row.parsed("moved_away_updated_at")?,
                fetched_at: row.parsed("moved_away_fetched_at")?,
            },
        });
    }
    if let Some(fingerprint) = row.text_if("fingerprint")? {
        invoice.settled = Some(Settled {
            fingerprint: fingerprint.to_owned(),
            review_on: row.parsed_if("review_on")?,
        });
    }
    Ok(invoice)
}

fn terms_text(terms: Terms) -> String {
    match terms {
        Terms::DaysAfterIssue(days) => format!("{days} days after issue"),
        Terms::DaysAfterMonthEnd(days) => format!("{days} days after month end"),
        Terms::DayOfFollowingMonth(day) => format!("day {day} of following month"),
    }
}

fn read_terms(text: &str) -> Option<Terms> {
    if let Some(days) = text.strip_suffix(" days after issue") {
        return days.parse().ok().map(Terms::DaysAfterIssue);
    }
    if let Some(days) = text.strip_suffix(" days after month end") {
        return days.parse().ok().map(Terms::DaysAfterMonthEnd);
    }
    let day = text.strip_prefix("day ")?.strip_suffix(" of following month")?;
    day.parse().ok().map(Terms::DayOfFollowingMonth)
}

/// How an invoice stands, in a row of the log about it.
pub(crate) fn with_position(row: Writer, position: Option<&InvoicePosition>) -> Writer {
    let Some(position) = position else { return row };
    let open: Vec<_> = position.open.iter().map(|kind| kind.code()).collect();
    row.number("invoice_total", position.total.amount())
        .number("invoice_left", position.left.amount())
        .text("invoice_currency", position.total.currency())
        .text_if("invoice_due_on", position.due_on)
        .text_if("invoice_open", (!open.is_empty()).then(|| open.join(",")))
}

/// The same, as it is read back; `None` from a row that does not say it.
pub(crate) fn read_position(row: Reader<'_>) -> Result<Option<InvoicePosition>, ReadError> {
    let Some(currency) = row.parsed_if("invoice_currency")? else { return Ok(None) };
    let kind = |code| {
        DiscrepancyKind::from_code(code)
            .ok_or_else(|| row.wrong("invoice_open", "is no kind we know"))
    };
    let open = row.text_if("invoice_open")?.into_iter().flat_map(|codes| codes.split(','));
    Ok(Some(InvoicePosition {
        total: row.money("invoice_total", currency)?,
        left: row.money("invoice_left", currency)?,
        due_on: row.parsed_if("invoice_due_on")?,
        in_xero: row.has("xero_invoice_id"),
        open: open.map(kind).collect::<Result<_, _>>()?,
    }))
}

/// Everything a payment is; a removed one keeps all of it.
fn payment_attributes(row: Writer, payment: &Payment) -> Writer {
    let row = match payment.balance_after {
        Some(balance) => row
            .number("balance_after", balance.amount())
            .text("balance_currency", balance.currency()),
        None => row,
    };
    row.text("payment_id", &payment.id)
        .number("amount", payment.amount.amount())
        .text("currency", payment.amount.currency())
        .text("date", payment.date)
        .text_if("reference", payment.reference.as_deref())
        .text("origin", payment.origin)
        .text("kind", payment.kind)
        .text("status", payment.status)
        .text("method", &payment.method)
        .text("transaction_id", &payment.transaction_id)
        .flag("journaled", payment.journaled)
        .flag("multi_invoice", payment.multi_invoice)
        .text_if("xero_payment_id", payment.link)
        .text_if("stamp", payment.stamp.as_ref())
        .instant_if("first_match_at", payment.first_match_at)
        .text_if("note", payment.note.as_deref())
        .instant("created_at", payment.created_at)
        .text("state", payment.state)
        .text_if("reason", payment.protection)
        .number("revision", payment.revision)
}

pub(crate) fn payment_row(invoice: &StoredInvoice, payment: &Payment) -> Item {
    payment_attributes(start(invoice), payment).finish()
}

pub(crate) fn read_payment(item: &Item) -> Result<Payment, ReadError> {
    let row = Reader::new(PAYMENTS, item);
    Ok(Payment {
        id: row.parsed("payment_id")?,
        amount: row.money("amount", row.parsed("currency")?)?,
        date: row.parsed("date")?,
        reference: row.text_if("reference")?.map(str::to_owned),
        origin: row.code("origin", Origin::from_code)?,
        kind: row.code("kind", Kind::from_code)?,
        status: row.code("status", PaymentStatus::from_code)?,
        method: row.text("method")?.to_owned(),
        transaction_id: row.text("transaction_id")?.to_owned(),
        journaled: row.flag("journaled")?,
        multi_invoice: row.flag("multi_invoice")?,
        link: row.parsed_if("xero_payment_id")?,
        stamp: row.parsed_if("stamp")?,
        first_match_at: row.parsed_if("first_match_at")?,
        note: row.text_if("note")?.map(str::to_owned),
        created_at: row.parsed("created_at")?,
        balance_after: match row.parsed_if("balance_currency")? {
            Some(currency) => row.money_if("balance_after", currency)?,
            None => None,
        },
        state: row.code("state", State::from_code)?,
        protection: match row.text_if("reason")? {
            Some(_) => Some(row.code("reason", Protection::from_code)?),
            None => None,
        },
        revision: row.number("revision")?,
    })
}

pub(crate) fn tombstone_row(invoice: &StoredInvoice, tombstone: &Tombstone) -> Item {
    payment_attributes(start(invoice), &tombstone.payment)
        .text("removed", format!("{}#{}", instant(tombstone.removed_at), tombstone.payment.id))
        .instant("removed_at", tombstone.removed_at)
        .text("removed_by", tombstone.removed_by)
        .text("why", &tombstone.why)
        .instant_if("snapshot_updated_at", tombstone.snapshot.map(|s| s.updated_at))
        .instant_if("snapshot_fetched_at", tombstone.snapshot.map(|s| s.fetched_at))
        .finish()
}

pub(crate) fn held_row(invoice: &StoredInvoice, held: &HeldPayment) -> Item {
    start(invoice)
        .text("xero_payment_id", held.payment.id)
        .number("amount", held.payment.amount.amount())
        .text("currency", held.payment.amount.currency())
        .text("date", held.payment.date)
        .text_if("reference", held.payment.reference.as_deref())
        .text("state", "held")
        .text("reason", held.reason)
        .text_if("until", held.until)
        .instant("held_at", held.held_at)
        .finish()
}

pub(crate) fn read_held(item: &Item) -> Result<HeldPayment, ReadError> {
    let row = Reader::new(HELD_PAYMENTS, item);
    Ok(HeldPayment {
        payment: XeroPayment {
            id: row.parsed("xero_payment_id")?,
            date: row.parsed("date")?,
            amount: row.money("amount", row.parsed("currency")?)?,
            reference: row.text_if("reference")?.map(str::to_owned),
            kind: XeroPaymentKind::Received,
            deleted: false,
        },
        reason: row.code("reason", Held::from_code)?,
        until: row.parsed_if("until")?,
        held_at: row.parsed("held_at")?,
    })
}

pub(crate) fn discrepancy_row(invoice: &StoredInvoice, discrepancy: &Discrepancy) -> Item {
    // The pages list, search and add up by these; no decision rests on them.
    let row = start(invoice).text_if("customer", invoice.customer.as_ref());
    let row = match figures_of(invoice, &discrepancy.key).at_stake {
        Some(amount) => with_amount(row, amount),
        None => row,
    };
    discrepancy_attributes(row, invoice.organisation, discrepancy)
}

/// A discrepancy in the row that `row` begins.
pub(crate) fn discrepancy_attributes(
    row: Writer,
    organisation: OrganisationId,
    discrepancy: &Discrepancy,
) -> Item {
    let row = row
        .text("discrepancy", &discrepancy.key)
        .text("kind", discrepancy.key.kind)
        .text("detail", &discrepancy.detail)
        .instant("detected_at", discrepancy.detected_at)
        .instant_if("reopened_at", discrepancy.reopened.map(|reopened| reopened.at))
        .number_if("reopened_count", discrepancy.reopened.map(|reopened| reopened.count))
        .instant("due_at", discrepancy.due_at())
        .instant_if("resolved_at", discrepancy.resolved_at);
    let row = match &discrepancy.accepted {
        Some(accepted) => row
            .instant("accepted_at", accepted.at)
            .text("accepted_by", &accepted.by)
            .text("accepted_why", &accepted.why)
            .text("accepted_facts", &accepted.facts)
            .text("accepted_as", accepted.ending),
        None => row,
    };
    let Case { owner, cause, step, notices, writes } = &discrepancy.case;
    let some = |count: u64| (count > 0).then_some(count);
    let row = row
        .text_if("owner", owner.as_ref().map(|owner| &owner.name))
        .instant_if("owned_since", owner.as_ref().map(|owner| owner.since))
        .text_if("found_cause", *cause)
        .text_if("clock_step", *step)
        .number_if("notices", some((*notices).into()))
        .number_if("writes", some(*writes));
    // Only open ones stand in the index of open discrepancies.
    let row = row.text("state", state_of(discrepancy));
    let open_in = discrepancy.is_open().then_some(organisation);
    row.text_if("open_in", open_in).finish()
}

/// The word for how it stands.
pub(crate) fn state_of(discrepancy: &Discrepancy) -> &'static str {
    match (discrepancy.is_open(), discrepancy.acceptance()) {
        (true, _) => "open",
        (false, Some(accepted)) => accepted.ending.code(),
        (false, None) => "resolved",
    }
}

pub(crate) fn read_discrepancy(item: &Item) -> Result<Discrepancy, ReadError> {
    let row = Reader::new(DISCREPANCIES, item);
    let subject = row.text("discrepancy")?.split_once('#').map_or("", |(_, subject)| subject);
    let reopened = match row.parsed_if("reopened_at")? {
        Some(at) => Some(Reopened { at, count: row.number_if("reopened_count")?.unwrap_or(1) }),
        None => None,
    };
    let accepted = match row.parsed_if("accepted_at")? {
        Some(at) => Some(Acceptance {
            at,
            by: row.text("accepted_by")?.to_owned(),
            why: row.text("accepted_why")?.to_owned(),
            facts: row.text("accepted_facts")?.to_owned(),
            // Rows of earlier versions do not say.
            ending: match row.has("accepted_as") {
                true => row.code("accepted_as", Ending::from_code)?,
                false => Ending::Accepted,
            },
        }),
        None => None,
    };
    Ok(Discrepancy {
        key: DiscrepancyKey {
            kind: row.code("kind", DiscrepancyKind::from_code)?,
            subject: subject.to_owned(),
        },
        detail: row.text("detail")?.to_owned(),
        detected_at: row.parsed("detected_at")?,
        reopened,
        resolved_at: row.parsed_if("resolved_at")?,
        accepted,
        case: read_case(row)?,
    })
}

/// What was done with it; nothing in a row of an earlier version.
fn read_case(row: Reader<'_>) -> Result<Case, ReadError> {
    let owner = match row.text_if("owner")? {
        Some(name) => Some(Owner { name: name.to_owned(), since: row.parsed("owned_since")? }),
        None => None,
    };
    let cause = match row.has("found_cause") {
        true => Some(row.code("found_cause", DiscrepancyCause::from_code)?),
        false => None,
    };
    let step = match row.has("clock_step") {
        true => Some(row.code("clock_step", ClockStep::from_code)?),
        false => None,
    };
    Ok(Case {
        owner,
        cause,
        step,
        notices: row.number_if("notices")?.unwrap_or(0),
        writes: row.number_if("writes")?.unwrap_or(0),
    })
}

/// Adds to a row of the activity log what was decided.
pub(crate) fn decided(row: Writer, decision: &Decision) -> Writer {
    row.logged(decision.action)
        .text("rule", decision.rule)
        .text_if("payment_id", decision.payment.as_ref())
        .text_if("xero_payment_id", decision.xero)
        .text("why", &decision.why)
}

/// An amount as the two attributes `amount` and `currency`.
pub(crate) fn with_amount(row: Writer, amount: Money) -> Writer {
    row.number("amount", amount.amount()).text("currency", amount.currency())
}
