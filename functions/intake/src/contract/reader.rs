//! A body in, a report or all its problems out.

use std::collections::BTreeSet;

use jiff::Timestamp;
use payments::feed::FeedReport;
use payments::upload::{ContactSync, Customer, ProviderInvoice};
use payments::{
    Allocation, Contact, Currency, CustomerId, InvoiceNumber, LocalInvoice, Money, NoticeReport,
    Order, OrganisationId, PaymentId, PaymentStatus, Receipt, TaxAndShipping,
};

use super::feed::{feed_report, source};
use super::json::Json;
use super::members::{Members, Node, member};
use super::notice::notice;
use super::order::{document, order, tax_and_shipping};
use super::problems::{Invalid, Problem, Problems};
use super::provider_invoice::{provider_credit, provider_invoice};
use super::values;

/// The version of the contract that is read here.
pub const VERSION: u64 = 1;
/// Largest body, in bytes: what SQS took in all regions when the contract was made.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Most invoices that one payment is spread over.
pub const ALLOCATIONS_MAX: usize = 200;

/// What a message says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Report {
    /// An invoice as it is now.
    Invoice(InvoiceReport),
    /// A payment as it is now.
    Payment(Receipt),
    /// A copy that we made has been journaled, or is no longer.
    Journaling(Journaling),
    /// A customer as it is now.
    Customer(Customer),
    /// An invoice of the payment provider as it is now.
    ProviderInvoice(ProviderInvoice),
    /// A credit invoice of the payment provider as it is now.
    ProviderCredit(ProviderInvoice),
    /// An order as it is now.
    Order(Order),
    /// The fate of a notice to a customer, as it is now.
    Notice(NoticeReport),
    /// The import of a feed (CC-27).
    Feed(FeedReport),
}

/// An invoice, and whose it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvoiceReport {
    /// Whose books.
    pub organisation: OrganisationId,
    /// The invoice.
    pub invoice: LocalInvoice,
    /// Whose customer owes it, if that is said.
    pub customer: Option<CustomerId>,
}

/// A copy of a Xero payment has been journaled, or is no longer (CM-27).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Journaling {
    /// Whose books.
    pub organisation: OrganisationId,
    /// The invoice that the copy is on.
    pub invoice: InvoiceNumber,
    /// The copy.
    pub payment: PaymentId,
    /// Counts the sender's reports about this copy, from 1.
    pub revision: u64,
    /// Whether it is journaled now.
    pub journaled: bool,
}

impl Report {
    /// Whose books.
    pub const fn organisation(&self) -> OrganisationId {
        match self {
            Self::Invoice(report) => report.organisation,
            Self::Payment(receipt) => receipt.organisation,
            Self::Journaling(journaling) => journaling.organisation,
            Self::Customer(customer) => customer.organisation,
            Self::ProviderInvoice(invoice) | Self::ProviderCredit(invoice) => invoice.organisation,
            Self::Order(order) => order.organisation,
            Self::Notice(report) => report.organisation,
            Self::Feed(report) => report.organisation,
        }
    }

    /// In which order the messages of a batch are best handled: customers and invoices before what
    /// is paid by the ones and on the others, and earlier revisions before later ones. Any other
    /// order leads to the same, only by a longer way.
    pub(crate) const fn place(&self) -> (u8, u64) {
        match self {
            Self::Customer(customer) => (0, customer.revision),
            Self::Invoice(report) => (1, report.invoice.revision),
            Self::Payment(receipt) => (2, receipt.revision),
            Self::Journaling(journaling) => (3, journaling.revision),
            // Before the invoice on which it may be a line (EX-15b).
            Self::ProviderCredit(credit) => (4, credit.revision),
            Self::ProviderInvoice(invoice) => (5, invoice.revision),
            Self::Order(order) => (6, order.revision),
            Self::Notice(report) => (7, report.revision),
            Self::Feed(report) => (8, report.revision),
        }
    }
}

/// A report, and when what it says has happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// What it says.
    pub report: Report,
    /// The time of the event at the gateway, or wherever it happened; `None` if the message does not say (SP-09).
    pub event_at: Option<Timestamp>,
    /// The feed that has brought it; `None` if the message does not say (CC-27).
    pub source: Option<String>,
}

/// Reads what the body of a message reports.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(body: &str) -> Result<Report, Invalid> {
    read_message(body).map(|message| message.report)
}

/// Reads the body of a message.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_message(body: &str) -> Result<Message, Invalid> {
    if body.len() > BODY_BYTES_MAX {
        let what = format!("has {} bytes, and {BODY_BYTES_MAX} are the limit", body.len());
        return Err(as_a_whole(what));
    }
    let json = Json::parse(body).map_err(|error| as_a_whole(format!("is not JSON: {error}")))?;
    let mut problems = Problems::default();
    let (organisation, message) = message(&Node::root(&json), &mut problems);
    match message {
        Some(message) if problems.0.is_empty() => Ok(message),
        _ => Err(Invalid { organisation, problems: problems.0 }),
    }
}

fn as_a_whole(what: String) -> Invalid {
    Invalid { organisation: None, problems: vec![Problem { path: String::new(), what }] }
}

type Read = (Option<OrganisationId>, Option<Message>);

fn message(root: &Node<'_>, problems: &mut Problems) -> Read {
    let Some(mut members) = Members::of(root, problems) else { return (None, None) };
    let organisation = members.required("organisation", problems);
    let organisation = organisation.and_then(|node| values::organisation(&node, problems));
    if !is_our_version(&mut members, problems) {
        // Nothing is known of the other members of another version.
        return (organisation, None);
    }
    let Some(kind) = members.required("type", problems) else { return (organisation, None) };
    let report = match kind.json {
        Json::Text(kind) if kind == "invoice" => invoice(organisation, &mut members, problems),
        Json::Text(kind) if kind == "payment" => payment(organisation, &mut members, problems),
        Json::Text(kind) if kind == "journaling" => {
            journaling(organisation, &mut members, problems)
        }
        Json::Text(kind) if kind == "customer" => customer(organisation, &mut members, problems),
        Json::Text(kind) if kind == "provider_invoice" => {
            provider_invoice(organisation, &mut members, problems).map(Report::ProviderInvoice)
        }
        Json::Text(kind) if kind == "provider_credit" => {
            provider_credit(organisation, &mut members, problems).map(Report::ProviderCredit)
        }
        Json::Text(kind) if kind == "order" => {
            order(organisation, &mut members, problems).map(Report::Order)
        }
        Json::Text(kind) if kind == "notice" => {
            notice(organisation, &mut members, problems).map(Report::Notice)
        }
        Json::Text(kind) if kind == "feed_report" => {
            feed_report(organisation, &mut members, problems).map(Report::Feed)
        }
        _ => {
            let what = "must be invoice, payment, journaling, customer, provider_invoice, provider_credit, order, \
                        notice or feed_report";
            problems.note::<()>(&kind.path, what);
            return (organisation, None);
        }
    };
    let event_at = members.optional("event_at");
    let event_at = event_at.and_then(|node| values::instant(&node, problems));
    let source = match kind.json {
        Json::Text(kind) if kind == "payment" => members.optional("source"),
        _ => None,
    }
    .and_then(|node| self::source(&node, problems));
    members.finish(problems);
    (organisation, report.map(|report| Message { report, event_at, source }))
}

fn is_our_version(members: &mut Members<'_>, problems: &mut Problems) -> bool {
    let Some(node) = members.required("version", problems) else { return false };
    let ours = *node.json == Json::Whole(VERSION.into());
    if !ours {
        problems.note::<()>(&node.path, format_args!("must be the number {VERSION}"));
    }
    ours
}

fn invoice(
    organisation: Option<OrganisationId>,
    members: &mut Members<'_>,
    problems: &mut Problems,
) -> Option<Report> {
    let number = member!(members, problems, "number", values::invoice_number);
    let revision = member!(members, problems, "revision", values::revision);
    let total = member!(members, problems, "total", |node: &Node<'_>, problems: &mut _| {
        values::money(node, false, problems)
    });
    let contact = member!(members, problems, "contact", contact);
    let issued_on = member!(members, problems, "issued_on", values::date);
    let (due_on, terms) = match (members.optional("due_on"), members.optional("terms")) {
        (Some(node), None) => (values::date(&node, problems), None),
        (None, Some(node)) => {
            let terms = values::terms(&node, problems);
            let due_on = terms
                .zip(issued_on)
                .and_then(|(terms, issued_on)| problems.value(&node.path, terms.due_on(issued_on)));
            (due_on, terms)
        }
        _ => {
            problems.note::<()>("", "must have either due_on or terms, and not both");
            (None, None)
        }
    };
    let payment_plan = members.flag("payment_plan", problems);
    let customer = members.optional("customer");
    let customer = customer.and_then(|node| values::customer_id(&node, problems));
    let components = match members.optional("components") {
        Some(node) => tax_and_shipping(&node, total, problems),
        None => Some(TaxAndShipping::default()),
    };
    Some(Report::Invoice(InvoiceReport {
        organisation: organisation?,
        customer,
        invoice: LocalInvoice {
            number: number?,
            total: total?,
            issued_on: issued_on?,
            due_on: due_on?,
            terms,
            contact: contact?,
            payment_plan: payment_plan?,
            revision: revision?,
            components: components?,
        },
    }))
}

fn contact(node: &Node<'_>, problems: &mut Problems) -> Option<Contact> {
    let mut members = Members::of(node, problems)?;
    let mut name =
        |name| members.optional(name).and_then(|node| values::free_text(&node, problems));
    let contact = Contact { company: name("company"), person: name("person") };
    members.finish(problems);
    if contact == Contact::default() {
        return problems.note(&node.path, "must have a company or a person with a name");
    }
    Some(contact)
}

fn payment(
    organisation: Option<OrganisationId>,
    members: &mut Members<'_>,
    problems: &mut Problems,
) -> Option<Report> {
    let id = member!(members, problems, "id", values::payment_id);
    let revision = member!(members, problems, "revision", values::revision);
    let amount = member!(members, problems, "amount", |node: &Node<'_>, problems: &mut _| {
        values::money(node, true, problems)
    });
    let date = member!(members, problems, "date", values::date);
    let method = member!(members, problems, "method", values::method);
    let transaction_id = member!(members, problems, "transaction_id", values::transaction_id);
    let status = member!(members, problems, "status", values::status);
    let entered_at = member!(members, problems, "entered_at", values::instant);
    let allocations =
        member!(members, problems, "allocations", |node: &Node<'_>, problems: &mut _| {
            allocations(node, amount, problems)
        });
    let journaled = members.flag("journaled", problems);
    let approved = members.flag("approved", problems);
    let settled = members.flag("settled", problems);
    how_far_the_money_is(status, approved, settled, problems);
    let mut optional = |name| members.optional(name);
    let reference = optional("reference").and_then(|node| values::free_text(&node, problems));
    let channel = optional("channel").and_then(|node| values::channel(&node, problems));
    let customer = optional("customer").and_then(|node| values::customer_id(&node, problems));
    let document = match members.optional("document") {
        Some(node) => document(&node, amount, problems).map(Some),
        None => Some(None),
    };
    Some(Report::Payment(Receipt {
        organisation: organisation?,
        id: id?,
        revision: revision?,
        amount: amount?,
        date: date?,
        reference,
        method: method?,
        channel,
        customer,
        transaction_id: transaction_id?,
        status: status?,
        approved: approved?,
        settled: settled?,
        journaled: journaled?,
        allocations: allocations?,
        entered_at: entered_at?,
        document: document?,
    }))
}

/// Notes flags that contradict the status. Those that only say less than it are no contradiction:
/// what is confirmed was approved before.
fn how_far_the_money_is(
    status: Option<PaymentStatus>,
    approved: Option<bool>,
    settled: Option<bool>,
    problems: &mut Problems,
) {
    use PaymentStatus::{Failed, Pending};
    let Some(status) = status else { return };
    for (path, set, against) in
        [("/approved", approved, &[Failed][..]), ("/settled", settled, &[Pending, Failed][..])]
    {
        if set == Some(true) && against.contains(&status) {
            problems
                .note::<()>(path, format_args!("must not be true for a payment that is {status}"));
        }
    }
}

/// The parts of a payment, in the order of their invoices, so that the same parts in another
/// order are the same.
fn allocations(
    node: &Node<'_>,
    whole: Option<Money>,
    problems: &mut Problems,
) -> Option<Vec<Allocation>> {
    let elements = node.elements(problems)?;
    if elements.len() > ALLOCATIONS_MAX {
        let what = format_args!("must have at most {ALLOCATIONS_MAX} elements");
        return problems.note(&node.path, what);
    }
    let currency = whole.map(Money::currency);
    let mut seen = BTreeSet::new();
    let mut parts = Vec::with_capacity(elements.len());
    for element in &elements {
        parts.push(allocation(element, currency, &mut seen, problems));
    }
    let mut parts: Vec<Allocation> = parts.into_iter().collect::<Option<_>>()?;
    let whole = whole?;
    match Money::sum(whole.currency(), parts.iter().map(|part| part.amount)) {
        Ok(sum) if sum.amount() <= whole.amount() => {}
        Ok(sum) => {
            let what = format_args!("add up to {sum}, and the payment is only {whole}");
            return problems.note(&node.path, what);
        }
        Err(error) => return problems.note(&node.path, error),
    }
    parts.sort_by(|a, b| a.invoice.cmp(&b.invoice));
    Some(parts)
}

fn allocation(
    node: &Node<'_>,
    currency: Option<Currency>,
    seen: &mut BTreeSet<InvoiceNumber>,
    problems: &mut Problems,
) -> Option<Allocation> {
    let mut members = Members::of(node, problems)?;
    let invoice = member!(members, problems, "invoice", |node: &Node<'_>, problems: &mut _| {
        let number = values::invoice_number(node, problems)?;
        if seen.insert(number.clone()) {
            Some(number)
        } else {
            problems.note(&node.path, "names an invoice that is in the list already")
        }
    });
    let amount = member!(members, problems, "amount", |node: &Node<'_>, problems: &mut _| {
        values::amount(node, currency, true, problems)
    });
    members.finish(problems);
    Some(Allocation { invoice: invoice?, amount: amount? })
}

fn journaling(
    organisation: Option<OrganisationId>,
    members: &mut Members<'_>,
    problems: &mut Problems,
) -> Option<Report> {
    let invoice = member!(members, problems, "invoice", values::invoice_number);
    let payment = member!(members, problems, "payment", values::copy_id);
    let revision = member!(members, problems, "revision", values::revision);
    let journaled =
        member!(members, problems, "journaled", |node: &Node<'_>, problems: &mut _| node
            .flag(problems));
    Some(Report::Journaling(Journaling {
        organisation: organisation?,
        invoice: invoice?,
        payment: payment?,
        revision: revision?,
        journaled: journaled?,
    }))
}

fn customer(
    organisation: Option<OrganisationId>,
    members: &mut Members<'_>,
    problems: &mut Problems,
) -> Option<Report> {
    let id = member!(members, problems, "customer", values::customer_id);
    let revision = member!(members, problems, "revision", values::revision);
    let name = members.optional("name").and_then(|node| values::free_text(&node, problems));
    let email = members.optional("email").and_then(|node| values::free_text(&node, problems));
    let contact = members.optional("xero_contact_id");
    let contact = contact.and_then(|node| values::contact_id(&node, problems));
    Some(Report::Customer(Customer {
        organisation: organisation?,
        id: id?,
        revision: revision?,
        name,
        contact,
        // Our own fields are not reported.
        blocked: None,
        blocked_at: None,
        merged: None,
        unusable_contact: None,
        email,
        // What a report changes, the customer sync looks at.
        sync: ContactSync { is_due: true, ..ContactSync::default() },
    }))
}
