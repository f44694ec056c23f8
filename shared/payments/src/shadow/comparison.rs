//! What differs between two hands that type the same payments: a pure comparison of what the business has reported with
//! what Xero shows. Each entry is in one pair or in one difference, and never in two.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::ids::{InvoiceNumber, PaymentId, XeroPaymentId};
use crate::money::Money;
use crate::reason::codes;

/// Most days between two entries that are taken for one payment, typed with another day.
pub const OTHER_DAY_MAX: i32 = 14;

codes! {
    /// How two hands differ.
    EntryDifferenceKind {
        /// It was in both, and was deleted in Xero.
        DeletedInXero = "deleted_in_xero",
        /// Xero has it, and the business does not.
        MissingHere = "missing_here",
        /// The business has it, and Xero does not.
        MissingInXero = "missing_in_xero",
        /// Same invoice and day, another amount.
        OtherAmount = "other_amount",
        /// Same invoice and amount, another day.
        OtherDay = "other_day",
        /// Same amount and day, another invoice.
        OtherInvoice = "other_invoice",
        /// The business has it twice, and Xero once.
        TwiceHere = "twice_here",
        /// Xero has it twice, and the business once.
        TwiceInXero = "twice_in_xero",
    }
}

/// A payment, or its part on an invoice, as the business has reported it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalEntry {
    /// On which invoice; `None` if the payment names none.
    pub number: Option<InvoiceNumber>,
    /// Which payment.
    pub payment: PaymentId,
    /// The amount.
    pub amount: Money,
    /// The day.
    pub day: Date,
    /// Whether it has to be in Xero by now: its money was taken.
    pub is_due: bool,
}

/// A payment on an invoice, as Xero shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BooksEntry {
    /// On which invoice, by its local number.
    pub number: InvoiceNumber,
    /// Which payment.
    pub xero: XeroPaymentId,
    /// The amount.
    pub amount: Money,
    /// The day.
    pub day: Date,
    /// Whether Xero has shown it and shows it no longer.
    pub is_gone: bool,
}

/// Something that is not the same in both.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryDifference {
    /// How it differs.
    pub kind: EntryDifferenceKind,
    /// On which invoice; of two, the business's.
    pub number: Option<InvoiceNumber>,
    /// The business's payment.
    pub payment: Option<PaymentId>,
    /// Xero's payment.
    pub xero: Option<XeroPaymentId>,
    /// A sentence with the figures. For tables and pages, never for logs.
    pub why: String,
}

/// The entries of one invoice that have no counterpart yet.
#[derive(Default)]
struct Rest {
    local: Vec<LocalEntry>,
    books: Vec<BooksEntry>,
    gone: Vec<BooksEntry>,
    /// Entries that are in both: a further equal one is there twice.
    pairs: BTreeSet<(String, Date)>,
}

fn key(amount: Money, day: Date) -> (String, Date) {
    (amount.to_string(), day)
}

/// Takes pairs out of two lists, the first of each that fit.
fn take_pairs(
    local: &mut Vec<LocalEntry>,
    books: &mut Vec<BooksEntry>,
    fits: impl Fn(&LocalEntry, &BooksEntry) -> bool,
) -> Vec<(LocalEntry, BooksEntry)> {
    let mut pairs = Vec::new();
    for entry in std::mem::take(local) {
        match books.iter().position(|other| fits(&entry, other)) {
            Some(place) => pairs.push((entry, books.remove(place))),
            None => local.push(entry),
        }
    }
    pairs
}

/// How many entries are in both, and everything that differs, in the order of the invoices' numbers.
pub fn compare_entries(
    mut local: Vec<LocalEntry>,
    mut books: Vec<BooksEntry>,
) -> (u32, Vec<EntryDifference>) {
    local.sort_by(|a, b| (a.day, &a.payment).cmp(&(b.day, &b.payment)));
    books.sort_by_key(|entry| (entry.day, entry.xero));
    let mut on: BTreeMap<Option<InvoiceNumber>, Rest> = BTreeMap::new();
    for entry in local {
        on.entry(entry.number.clone()).or_default().local.push(entry);
    }
    for entry in books {
        let rest = on.entry(Some(entry.number.clone())).or_default();
        if entry.is_gone { rest.gone.push(entry) } else { rest.books.push(entry) }
    }
    let (mut agreeing, mut found) = (0_u32, Vec::new());
    for rest in on.values_mut() {
        let equal = |a: &LocalEntry, b: &BooksEntry| a.amount == b.amount && a.day == b.day;
        for (entry, _) in take_pairs(&mut rest.local, &mut rest.books, equal) {
            agreeing = agreeing.saturating_add(1);
            rest.pairs.insert(key(entry.amount, entry.day));
        }
        for (entry, gone) in take_pairs(&mut rest.local, &mut rest.gone, equal) {
            found.push(both(EntryDifferenceKind::DeletedInXero, entry, gone));
        }
        let near = |a: &LocalEntry, b: &BooksEntry| a.amount == b.amount && is_near(a.day, b.day);
        for (entry, other) in take_pairs(&mut rest.local, &mut rest.books, near) {
            found.push(both(EntryDifferenceKind::OtherDay, entry, other));
        }
    }
    agreeing = agreeing.saturating_add(across_invoices(&mut on, &mut found));
    for rest in on.values_mut() {
        let same_day = |a: &LocalEntry, b: &BooksEntry| {
            a.day == b.day && a.amount.currency() == b.amount.currency()
        };
        for (entry, other) in take_pairs(&mut rest.local, &mut rest.books, same_day) {
            found.push(both(EntryDifferenceKind::OtherAmount, entry, other));
        }
        let (local, books) = (std::mem::take(&mut rest.local), std::mem::take(&mut rest.books));
        found.extend(local.into_iter().filter(|entry| entry.is_due).map(|entry| {
            let is_twice = rest.pairs.contains(&key(entry.amount, entry.day));
            only_here(entry, is_twice)
        }));
        found.extend(books.into_iter().map(|entry| {
            let is_twice = rest.pairs.contains(&key(entry.amount, entry.day));
            only_in_xero(entry, is_twice)
        }));
    }
    found.sort_by(|a, b| (&a.number, &a.payment, a.xero).cmp(&(&b.number, &b.payment, b.xero)));
    (agreeing, found)
}

/// Entries of equal amount and day on different invoices. One that names no invoice may be on any: then both agree.
fn across_invoices(
    on: &mut BTreeMap<Option<InvoiceNumber>, Rest>,
    found: &mut Vec<EntryDifference>,
) -> u32 {
    let mut free: BTreeMap<(String, Date), Vec<BooksEntry>> = BTreeMap::new();
    for entry in on.values_mut().flat_map(|rest| std::mem::take(&mut rest.books)) {
        free.entry(key(entry.amount, entry.day)).or_default().push(entry);
    }
    let mut agreeing = 0_u32;
    // What names its invoice goes first.
    for rest in on.values_mut().rev() {
        for entry in std::mem::take(&mut rest.local) {
            let others = free.get_mut(&key(entry.amount, entry.day));
            match others.filter(|others| !others.is_empty()).map(|others| others.remove(0)) {
                None => rest.local.push(entry),
                Some(_) if entry.number.is_none() => agreeing = agreeing.saturating_add(1),
                Some(other) => found.push(both(EntryDifferenceKind::OtherInvoice, entry, other)),
            }
        }
    }
    for entry in free.into_values().flatten() {
        on.entry(Some(entry.number.clone())).or_default().books.push(entry);
    }
    agreeing
}

fn is_near(a: Date, b: Date) -> bool {
    a.since(b).is_ok_and(|apart| apart.get_days().abs() <= OTHER_DAY_MAX)
}

fn both(kind: EntryDifferenceKind, local: LocalEntry, books: BooksEntry) -> EntryDifference {
    let here = format!("the business has {} of {}", local.amount, local.day);
    let why = match kind {
        EntryDifferenceKind::DeletedInXero => {
            format!("{here}; Xero had it on {}, and it was deleted there", books.number)
        }
        EntryDifferenceKind::OtherInvoice => format!("{here}; Xero has it on {}", books.number),
        _ => format!("{here}; Xero has {} of {}", books.amount, books.day),
    };
    EntryDifference {
        kind,
        number: local.number,
        payment: Some(local.payment),
        xero: Some(books.xero),
        why,
    }
}

fn only_here(entry: LocalEntry, is_twice: bool) -> EntryDifference {
    let (kind, there) = match is_twice {
        true => (EntryDifferenceKind::TwiceHere, "Xero has it once"),
        false => (EntryDifferenceKind::MissingInXero, "Xero does not have it"),
    };
    let why = format!("the business has {} of {}; {there}", entry.amount, entry.day);
    EntryDifference { kind, number: entry.number, payment: Some(entry.payment), xero: None, why }
}

fn only_in_xero(entry: BooksEntry, is_twice: bool) -> EntryDifference {
    let (kind, here) = match is_twice {
        true => (EntryDifferenceKind::TwiceInXero, "the business has it once"),
        false => (EntryDifferenceKind::MissingHere, "the business does not have it"),
    };
    let why = format!("Xero has {} of {}; {here}", entry.amount, entry.day);
    EntryDifference { kind, number: Some(entry.number), payment: None, xero: Some(entry.xero), why }
}
