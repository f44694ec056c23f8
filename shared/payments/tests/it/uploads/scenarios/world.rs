//! What a scenario plays with, and a night over it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use payments::upload::{
    Books, Caps, Certainty, Customer, FeeAccount, Forecast, Hold, Night, OpenInvoice,
    PaymentCommand, Planner, Route, SendMode, Target, Upload, UploadDecision, UploadSettings,
    UploadState, WriteOutcome, admit, admit_bill, gate, judge_bill, obey,
};
use payments::{
    CustomerId, InvoiceNumber, InvoiceStatus, Money, NumberPrefix, PaymentId, Settings,
    XeroAccountId,
};
use uuid::Uuid;

use super::format::{
    CustomerText, Given, InvoiceText, NightText, PaymentText, ProviderInvoiceText, SettingsText,
    Then,
};
use super::words::{
    contact, customer, each_of, in_words, invoice, provider_invoice, receipt, same, wanted,
};
use crate::uploads::samples::{
    date, instant, night, organisation, payment_id, placed, settings, zone,
};

pub struct World {
    settings: Settings,
    uploading: UploadSettings,
    books: Books,
    customers: BTreeMap<CustomerId, Customer>,
    invoices: Vec<OpenInvoice>,
    payment_plans: BTreeSet<InvoiceNumber>,
    found_in_xero: BTreeSet<PaymentId>,
    rows: BTreeMap<PaymentId, Upload>,
    many: bool,
    caps: Caps,
    tonight: Night,
    now: Timestamp,
    /// What this night has made of the payments, in words.
    became: BTreeMap<PaymentId, String>,
    sent: u32,
}

impl World {
    pub fn given(given: &Given) -> Self {
        let account = XeroAccountId::new(Uuid::from_u128(7));
        let mut uploading = UploadSettings::new("2026-01-01".parse().unwrap(), account);
        uploading.prepayment_account = Some("610".to_owned());
        let currency = "AUD".parse().unwrap();
        let locked_until = given.locked_until.as_deref().map(date);
        let mut world = Self {
            settings: settings(),
            uploading,
            books: Books { currency, locked_until },
            customers: BTreeMap::new(),
            invoices: Vec::new(),
            payment_plans: given.payment_plans.iter().map(|n| n.parse().unwrap()).collect(),
            found_in_xero: BTreeSet::new(),
            rows: BTreeMap::new(),
            many: given.many.is_some(),
            caps: Caps::unused(organisation()),
            tonight: night("2026-01-01"),
            now: instant("2026-03-01T00:00:00Z"),
            became: BTreeMap::new(),
            sent: 0,
        };
        if given.attempts_so_far > 0 {
            let at = world.now;
            let granted = world.caps.reserve(given.attempts_so_far, SendMode::Direct, 200, at);
            world.caps = granted.caps.unwrap();
        }
        world.choose(&given.settings);
        world.know(&given.customers, &given.invoices);
        for payment in &given.payments {
            world.report(payment);
        }
        for invoice in &given.provider_invoices {
            world.report_provider_invoice(invoice);
        }
        for payment in given.many.iter().flat_map(each_of) {
            world.report(&payment);
        }
        world
    }

    fn choose(&mut self, text: &SettingsText) {
        if let Some(start) = &text.start {
            self.uploading.start = start.parse().unwrap();
        }
        if let Some(when) = &text.when {
            self.uploading.when = Certainty::from_code(when).unwrap();
        }
        if let Some(nightly_max) = text.nightly_max {
            self.uploading.nightly_max = nightly_max;
        }
        if let Some(account) = &text.prepayment_account {
            self.uploading.prepayment_account = (account != "none").then(|| account.clone());
        }
        if let Some(name) = &text.merchant_contact {
            self.uploading.merchant_contact = contact(name);
        }
        if let Some(accounts) = &text.fee_accounts {
            let account = |code: &String| FeeAccount { code: code.clone(), id: None, tax: None };
            let accounts =
                accounts.iter().map(|(kind, code)| (kind.parse().unwrap(), account(code)));
            self.uploading.fee_accounts = accounts.collect();
        }
        if let Some(prefix) = &text.prefix {
            self.settings.prefix = NumberPrefix::new(prefix).unwrap();
        }
        if let Some(name) = &text.time_zone {
            self.settings.zone = zone(name);
        }
    }

    fn know(&mut self, customers: &[CustomerText], invoices: &[InvoiceText]) {
        for customer in customers.iter().map(customer) {
            self.customers.insert(customer.id.clone(), customer);
        }
        for text in invoices {
            let known = self.invoices.iter().position(|invoice| invoice.number == text.number);
            let n = u128::try_from(known.unwrap_or(self.invoices.len())).unwrap();
            let invoice = invoice(text, n);
            match known {
                Some(position) => self.invoices[position] = invoice,
                None => self.invoices.push(invoice),
            }
        }
    }

    fn report(&mut self, text: &PaymentText) {
        let id = payment_id(&text.id);
        let known = self.rows.get(&id);
        let mut receipt = receipt(text);
        receipt.revision = known.map_or(1, |known| known.receipt.revision + 1);
        if text.found_in_xero {
            self.found_in_xero.insert(id.clone());
        }
        if let Some(row) = admit(known, &receipt, self.now).upload {
            self.rows.insert(id, *row);
        }
    }

    fn report_provider_invoice(&mut self, text: &ProviderInvoiceText) {
        let mut invoice = provider_invoice(text, 1);
        let known = self.rows.get(&invoice.id);
        invoice.revision = known.map_or(1, |known| known.receipt.revision + 1);
        if let Some(row) = admit_bill(known, &invoice, self.now).unwrap().upload {
            self.rows.insert(invoice.id, *row);
        }
    }

    /// What happens before the night, and the night.
    pub fn play(&mut self, text: &NightText) {
        self.tonight = night(&text.night);
        self.now = self.tonight.due(self.uploading.due_at, &self.settings.zone).unwrap();
        if let Some(settings) = &text.settings {
            self.choose(settings);
        }
        if let Some(locked) = &text.locked_until {
            self.books.locked_until = Some(date(locked));
        }
        self.know(&text.customers, &text.invoices);
        for payment in &text.reported {
            self.report(payment);
        }
        for invoice in &text.provider_invoices {
            self.report_provider_invoice(invoice);
        }
        for order in &text.orders {
            let (order, id) = order.split_once(' ').unwrap();
            let (order, id) = (PaymentCommand::from_code(order).unwrap(), payment_id(id));
            let after = obey(&self.rows[&id], order, "Ana", "says so", self.now).unwrap();
            self.rows.extend(after.map(|after| (id, after)));
        }
        if text.switched_on {
            self.caps = self.caps.on();
        }
        self.became.clear();
        self.sent = 0;
        self.run();
    }

    fn customer(&self, row: &Upload) -> Option<Customer> {
        row.receipt.customer.as_ref().and_then(|id| self.customers.get(id)).cloned()
    }

    /// The oldest first; each sees what the ones before it have taken.
    fn run(&mut self) {
        let judged_anew = |row: &&Upload| {
            row.state == UploadState::Waiting || row.hold().is_some_and(Hold::is_judged_anew)
        };
        let mut rows: Vec<_> = self.rows.values().filter(judged_anew).cloned().collect();
        rows.sort_by_key(Upload::order);
        let prefix = self.settings.prefix.clone();
        let prepayments = self.uploading.prepayment_account.is_some();
        let mut planner =
            Planner::new(self.invoices.clone(), &self.payment_plans, &prefix, prepayments);
        for row in rows {
            let nightly = row.route().is_ok_and(Route::is_nightly);
            let max = self.uploading.nightly_max;
            let full = self.caps.left(self.tonight, max, self.now) == 0;
            if nightly && (full || self.caps.disabled.is_some()) {
                continue;
            }
            if row.bill.is_some() {
                let judgement = judge_bill(&row, &self.books, &self.settings, &self.uploading);
                self.carry_out(row, judgement, false);
                continue;
            }
            let customer = self.customer(&row);
            let gate = gate(&row, customer.as_ref(), &self.books, &self.settings, &self.uploading);
            let judgement = match gate {
                Err(no) => no,
                Ok(_) if self.found_in_xero.contains(&row.receipt.id) => {
                    UploadDecision::Found(Vec::new())
                }
                Ok(_) => planner.plan(&row, customer.as_ref()),
            };
            self.carry_out(row, judgement, nightly);
        }
    }

    fn carry_out(&mut self, mut row: Upload, judgement: UploadDecision, nightly: bool) {
        let (tonight, now) = (self.tonight, self.now);
        match judgement {
            UploadDecision::Skip(skip, why) => row.skip(skip, why, Some(tonight), now),
            UploadDecision::Found(certain) => drop(row.found(&certain, Some(tonight), now)),
            UploadDecision::Suspect(suspicion) => drop(row.suspect(suspicion, Some(tonight), now)),
            UploadDecision::Hold(hold, why) => row.put_on_hold(hold, why, Some(tonight), now),
            UploadDecision::Send(parts) => {
                let sending = if nightly { SendMode::Nightly(tonight) } else { SendMode::Direct };
                if row.route().is_ok_and(Route::is_counted) {
                    let granted = self.caps.reserve(1, sending, self.uploading.nightly_max, now);
                    self.caps = granted.caps.unwrap_or_else(|| self.caps.clone());
                    if granted.count == 0 {
                        return;
                    }
                }
                if row.state == UploadState::Held {
                    row.release_hold(now).unwrap();
                }
                self.put_into_xero(&mut row, parts);
                self.sent += u32::from(nightly);
                let how = if nightly { "send" } else { "at once" };
                let parts: Vec<_> = row.parts.iter().map(in_words).collect();
                self.became.insert(row.receipt.id.clone(), format!("{how} {}", parts.join(", ")));
            }
        }
        self.rows.insert(row.receipt.id.clone(), row);
    }

    /// Xero takes all of it, and would refuse what is more than is due.
    fn put_into_xero(&mut self, row: &mut Upload, parts: Vec<(Target, Money)>) {
        row.reserve(self.tonight, parts, self.now).unwrap();
        let numbers: Vec<_> = row.planned().map(|part| part.number).collect();
        row.send(&numbers, "key", self.now).unwrap();
        for number in numbers {
            row.answer(number, WriteOutcome::Placed(placed(1)), false, self.now).unwrap();
        }
        assert_eq!(row.state, UploadState::Uploaded);
        for part in &row.parts {
            let Target::Invoice { id, .. } = part.target else { continue };
            let invoice = self.invoices.iter_mut().find(|invoice| invoice.id == id).unwrap();
            invoice.due = invoice.due.minus(part.amount).unwrap();
            assert!(invoice.due.amount() >= "0".parse().unwrap(), "more than is due");
            if !invoice.due.is_positive() {
                invoice.status = InvoiceStatus::Paid;
            }
        }
    }

    /// Every difference from what must be so.
    pub fn differences(&self, then: &Then) -> Vec<String> {
        let mut list = Vec::new();
        let bill = |id: &String| PaymentId::of_provider_invoice(id).unwrap();
        let payments = then.payments.iter().map(|then| (payment_id(&then.id), then));
        let bills = then.provider_invoices.iter().map(|then| (bill(&then.id), then));
        let all: Vec<_> = payments.chain(bills).collect();
        for (id, expected) in &all {
            let got = self.what_became_of(id);
            let wanted = wanted(expected);
            if got != wanted {
                list.push(format!("{id}: expected {wanted}, got {got}"));
            }
            let why = &self.rows[id].why;
            if expected.why.as_ref().is_some_and(|words| !why.contains(words)) {
                list.push(format!("{id} is explained otherwise: {why}"));
            }
        }
        let listed: BTreeSet<_> = all.iter().map(|(id, _)| id.clone()).collect();
        for (id, row) in &self.rows {
            let one_of_many = self.many && id.as_str().starts_with("p-");
            let done = row.state == UploadState::Uploaded && !self.became.contains_key(id);
            if !one_of_many && !done && !listed.contains(id) {
                list.push(format!("{id} is not listed: {}", self.what_became_of(id)));
            }
        }
        let carried = self.carried();
        let count = u32::try_from(carried.len()).unwrap();
        same(&mut list, "sent", then.sent, self.sent);
        same(&mut list, "carried", then.carried, count);
        same(&mut list, "carried_ids", then.carried_ids.clone(), carried);
        same(&mut list, "on", then.on, self.caps.disabled.is_none());
        same(&mut list, "attempts", then.attempts, self.caps.attempts(self.now));
        let max = self.uploading.nightly_max;
        let forecast = Forecast::after(&self.caps, self.tonight, self.sent, count, max, self.now);
        same(&mut list, "nights_to_clear", then.nights_to_clear, forecast.nights_to_clear);
        list
    }

    fn carried(&self) -> Vec<String> {
        let waiting = self.rows.values().filter(|row| row.state == UploadState::Waiting);
        waiting.map(|row| row.receipt.id.to_string()).collect()
    }

    fn what_became_of(&self, id: &PaymentId) -> String {
        if let Some(sent) = self.became.get(id) {
            return sent.clone();
        }
        let row = &self.rows[id];
        match row.state {
            UploadState::Waiting => "carried".to_owned(),
            state => format!("{state} {}", row.reason),
        }
    }
}
