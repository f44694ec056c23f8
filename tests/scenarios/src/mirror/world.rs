//! From the words of a scenario to the values of the domain.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use payments::{
    Contact, Currency, Figures, InvoiceKind, InvoiceNumber, InvoiceStatus, Kind, LocalInvoice,
    Money, NOTE_IMPORTED, NumberPrefix, OrganisationId, Origin, Payment, PaymentId, PaymentStatus,
    Protection, Settings, Snapshot, State, StoredInvoice, Verdict, XeroInvoiceId, XeroPayment,
    XeroPaymentId, XeroPaymentKind, mirror,
};
use uuid::Uuid;

use super::format::{
    Given, InvoiceText, LocalPaymentText, Locally, SettingsText, Step, XeroPaymentText, XeroText,
};

/// When given payments were entered, unless the scenario says otherwise.
const ENTERED: &str = "2026-03-01T09:00:00Z";
/// The number that is judged in a scenario without a local invoice.
const NUMBER: &str = "10234";

/// Everything that a scenario plays with.
pub struct World {
    pub settings: Settings,
    invoices: BTreeMap<String, StoredInvoice>,
    main: String,
    xero: Option<XeroText>,
}

/// What one step did.
pub struct Played {
    pub before: StoredInvoice,
    pub after: StoredInvoice,
    pub verdict: Verdict,
    pub snapshot: Snapshot,
    pub settled: bool,
    pub now: Timestamp,
}

impl World {
    pub fn given(given: &Given) -> Self {
        let main = given.invoice.as_ref().map_or(NUMBER, |invoice| &invoice.number).to_owned();
        let mut settings = usual_settings();
        choose(&mut settings, &given.settings);
        let mut world = Self { settings, invoices: BTreeMap::new(), main, xero: None };
        world.invoices.insert(world.main.clone(), unknown(&world.main));
        for invoice in given.invoice.iter().chain(&given.other_invoices) {
            world.stored(&invoice.number).local = Some(local_invoice(invoice));
        }
        let payments = given.payments.iter().map(local_payment).collect();
        world.stored(&world.main.clone()).payments = payments;
        world
    }

    /// All invoices as they stand.
    pub fn invoices(&self) -> impl Iterator<Item = &StoredInvoice> {
        self.invoices.values()
    }

    fn stored(&mut self, number: &str) -> &mut StoredInvoice {
        self.invoices.entry(number.to_owned()).or_insert_with(|| unknown(number))
    }

    /// Reads Xero, judges, and carries the verdict out.
    pub fn play(&mut self, step: &Step) -> Played {
        if let Some(settings) = &step.settings {
            choose(&mut self.settings, settings);
        }
        if let Some(locally) = &step.locally {
            self.report(locally);
        }
        let now = instant(&step.now);
        match (&step.xero, &mut self.xero) {
            (Some(xero), known) => *known = Some(xero.clone()),
            (None, Some(known)) => known.read = None,
            (None, None) => panic!("the first step says what Xero shows"),
        }
        let number = step.judged.as_ref().unwrap_or(&self.main).clone();
        let xero = self.xero.get_or_insert_default();
        // The same again bears the same version, unless the scenario says otherwise.
        xero.updated.get_or_insert_with(|| step.now.clone());
        let xero = xero.clone();
        let before = self.stored(&number).clone();
        let snapshot = snapshot(&xero, &before, &self.settings, now);
        let verdict = mirror(&before, &snapshot, &self.settings, now);
        if let Verdict::Changed(change) = &verdict {
            *self.stored(&number) = change.after.clone();
        }
        let after = self.stored(&number).clone();
        let settled = payments::is_settled(&after, &snapshot, &self.settings, now);
        Played { before, after, verdict, snapshot, settled, now }
    }

    fn report(&mut self, locally: &Locally) {
        let invoice = locally.invoice.as_ref().map(local_invoice);
        let main = self.main.clone();
        let stored = self.stored(&main);
        stored.settled = None;
        stored.local = invoice.or(stored.local.take());
        stored.payments.extend(locally.payments.iter().map(local_payment));
        for id in &locally.journaled {
            let id = payment_id(id);
            let payment = stored.payments.iter_mut().find(|payment| payment.id == id).unwrap();
            payment.journaled = true;
            payment.state = State::Protected;
            payment.protection = Some(Protection::Journaled);
        }
        stored.payments.sort_by(|a, b| a.id.cmp(&b.id));
    }
}

fn unknown(number: &str) -> StoredInvoice {
    StoredInvoice::unknown(organisation("ours"), number.parse().unwrap())
}

fn usual_settings() -> Settings {
    Settings {
        forward_days: Some(7),
        mass_change_max: None,
        ..Settings::new(organisation("ours"), TimeZone::get("Australia/Sydney").unwrap())
    }
}

fn choose(settings: &mut Settings, text: &SettingsText) {
    if let Some(mirror) = &text.mirror {
        settings.mirror_enabled = one_of(mirror, &[("on", true), ("off", false)]);
    }
    if let Some(prefix) = &text.prefix {
        settings.prefix = NumberPrefix::new(prefix).unwrap();
    }
    if let Some(zone) = &text.time_zone {
        settings.zone = TimeZone::get(zone).unwrap();
    }
    if let Some(days) = &text.forward_days {
        settings.forward_days = (days != "off").then(|| days.parse().unwrap());
    }
}

fn local_invoice(text: &InvoiceText) -> LocalInvoice {
    LocalInvoice {
        number: text.number.parse::<InvoiceNumber>().unwrap(),
        total: money(&text.total),
        issued_on: date("2026-02-01"),
        due_on: date(text.due.as_deref().unwrap_or("2026-12-31")),
        terms: None,
        contact: Contact { company: text.company.clone(), person: text.person.clone() },
        payment_plan: false,
        revision: 1,
        components: Default::default(),
    }
}

fn local_payment(text: &LocalPaymentText) -> Payment {
    let entered = instant(text.entered.as_deref().unwrap_or(ENTERED));
    let (origin, kind, state) = one_of(
        &text.kind,
        &[
            ("imported", (Origin::Xero, Kind::Imported, State::Applied)),
            ("adopted", (Origin::Local, Kind::Imported, State::Adopted)),
            ("manual", (Origin::Local, Kind::Manual, State::Protected)),
            ("uploaded", (Origin::Local, Kind::Uploaded, State::Uploaded)),
        ],
    );
    let protection = match (text.journaled, text.multi_invoice, kind) {
        (true, _, _) => Some(Protection::Journaled),
        (_, true, _) => Some(Protection::MultiInvoice),
        (_, _, Kind::Manual) => Some(Protection::Manual),
        _ => None,
    };
    let status = text.status.as_deref().unwrap_or("confirmed");
    let copied = origin == Origin::Xero;
    Payment {
        id: payment_id(&text.id),
        amount: money(&text.amount),
        date: date(&text.date),
        reference: text.reference.clone(),
        origin,
        kind,
        status: PaymentStatus::from_code(status).unwrap(),
        method: if copied { "xero".to_owned() } else { "bank_transfer".to_owned() },
        transaction_id: text.xero.clone().unwrap_or_else(|| format!("bank {}", text.id)),
        journaled: text.journaled,
        multi_invoice: text.multi_invoice,
        link: text.xero.as_deref().map(xero_payment_id),
        stamp: None,
        first_match_at: (text.first_matched.as_deref().map(instant))
            .or_else(|| (kind == Kind::Imported).then_some(entered)),
        note: text.note.clone().or_else(|| copied.then(|| NOTE_IMPORTED.to_owned())),
        created_at: entered,
        balance_after: None,
        state: if protection.is_some() { State::Protected } else { state },
        protection,
        revision: u64::from(!copied),
    }
}

fn snapshot(
    text: &XeroText,
    stored: &StoredInvoice,
    settings: &Settings,
    now: Timestamp,
) -> Snapshot {
    let payments: Vec<_> = text.payments.iter().map(xero_payment).collect();
    let counted = payments.iter().filter(|payment| payment.counts()).map(|payment| payment.amount);
    let given = |text: &Option<String>, otherwise: Money| text.as_deref().map_or(otherwise, money);
    let nothing = Money::zero(aud());
    let total = given(&text.total, stored.local.as_ref().map_or(nothing, |local| local.total));
    let paid = given(&text.paid, Money::sum(aud(), counted).unwrap());
    let credited = given(&text.credited, nothing);
    let due = total.minus(paid).unwrap().minus(credited).unwrap();
    let status = text.status.as_deref().unwrap_or("AUTHORISED");
    Snapshot {
        allocations: Vec::new(),
        organisation: organisation(text.organisation.as_deref().unwrap_or("ours")),
        invoice: xero_invoice_id(text.invoice.as_deref().unwrap_or("i1")),
        kind: one_of(
            text.kind.as_deref().unwrap_or("sales"),
            &[("sales", InvoiceKind::Sales), ("bill", InvoiceKind::Bill)],
        ),
        number: text.number.clone().unwrap_or_else(|| settings.prefix.to_xero(&stored.number)),
        status: InvoiceStatus::from_code(status).unwrap(),
        contact_name: text.contact.clone(),
        issued_on: Some(date("2026-02-01")),
        due_on: text.due.as_deref().map(date),
        figures: Figures { total, paid, credited, due },
        payments,
        updated_at: text.updated.as_deref().map_or(now, instant),
        fetched_at: text.read.as_deref().map_or(now, instant),
    }
}

fn xero_payment(text: &XeroPaymentText) -> XeroPayment {
    let kind = text.kind.as_deref().unwrap_or("ACCRECPAYMENT");
    XeroPayment {
        id: xero_payment_id(&text.id),
        date: date(&text.date),
        amount: money(&text.amount),
        reference: text.reference.clone(),
        kind: XeroPaymentKind::from_code(kind).unwrap(),
        deleted: text.deleted,
    }
}

/// `x7` in a file is a PaymentID that ends in 7.
pub fn xero_payment_id(name: &str) -> XeroPaymentId {
    XeroPaymentId::new(numbered(name, "x", 0))
}

fn xero_invoice_id(name: &str) -> XeroInvoiceId {
    XeroInvoiceId::new(numbered(name, "i", 1 << 64))
}

fn numbered(name: &str, letter: &str, base: u128) -> Uuid {
    let number = name.strip_prefix(letter).and_then(|digits| digits.parse::<u32>().ok());
    Uuid::from_u128(base + u128::from(number.unwrap_or_else(|| panic!("{name} is no id here"))))
}

/// `copy of x7` is the copy of that payment; `second copy of x7` the one made when that id was
/// taken; anything else stands for itself.
pub fn payment_id(name: &str) -> PaymentId {
    let copies = [("copy of ", 0), ("second copy of ", 1)];
    let copy = copies.iter().find_map(|(words, n)| Some((name.strip_prefix(words)?, n)));
    match copy {
        Some((xero, n)) => PaymentId::of_copy(xero_payment_id(xero), *n),
        None => name.parse().unwrap(),
    }
}

fn organisation(name: &str) -> OrganisationId {
    OrganisationId::new(Uuid::from_u128(one_of(name, &[("ours", 1), ("another", 2)])))
}

fn aud() -> Currency {
    "AUD".parse().unwrap()
}

pub fn money(text: &str) -> Money {
    Money::parse(text, aud()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub fn instant(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn one_of<T: Copy>(word: &str, known: &[(&str, T)]) -> T {
    let found = known.iter().find(|(name, _)| *name == word);
    found.unwrap_or_else(|| panic!("`{word}` is not one of the words that may stand here")).1
}
