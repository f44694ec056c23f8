//! All that can happen between a business, its bookkeeper, Xero and us, in any order.

use proptest::prelude::*;

/// Amounts are few, and some are the sum of others, so that much looks like one payment.
pub const CENTS: [i64; 3] = [50_00, 70_00, 120_00];
/// Customers of each of the two organisations.
pub const CUSTOMERS: usize = 2;
/// The invoices of each customer: few, so that money is left over, and one as large as a payment.
pub const TOTALS: [i64; 3] = [300_00, 400_00, 120_00];
pub const INVOICES: usize = TOTALS.len();

/// How a payment is taken, and which invoices it names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// By card with the Pay Now button of this invoice: posted at once.
    Card(usize),
    /// BPAY that names this invoice.
    Named(usize),
    /// BPAY over this invoice and the next one.
    OverTwo(usize),
    /// BPAY that names none.
    Unnamed,
    /// By a method that goes no way to Xero; it names this invoice.
    Cheque(usize),
}

/// Where a person enters money in Xero.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    Invoice(usize),
    Prepayment,
    Overpayment,
}

/// How a person enters in Xero what the business has reported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry {
    /// As it was reported: each part on its invoice; what names none on this one.
    AsReported(usize),
    /// Only the first part.
    FirstPart,
    /// On another invoice.
    Elsewhere(usize),
    /// As two payments of one day, of 50.00 and the rest.
    InPieces(usize),
    /// As money in advance.
    InAdvance,
}

/// What a person orders about a payment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Word {
    Hold,
    Release,
    DoNotSend,
    Same,
    Two,
}

/// One thing that happens. Positions count round: any number names one of those that there are.
#[derive(Clone, Debug)]
pub enum Deed {
    /// The business reports a payment.
    Report {
        way: Way,
        cents: usize,
        day: i8,
        pending: bool,
    },
    /// It reports another one that is equal, perhaps with the same transaction id.
    Again {
        report: usize,
        twin: bool,
    },
    /// It reports what a person has entered in Xero, so many days later.
    ReportEntered {
        entry: usize,
        way: Way,
        days: i8,
    },
    /// It says something else of a payment: so much, so many days later.
    Change {
        report: usize,
        cents: usize,
        days: i8,
    },
    /// A pending payment is confirmed, or has failed.
    Ends {
        report: usize,
        failed: bool,
    },
    Refund {
        report: usize,
    },
    /// A person enters money in Xero.
    Enter {
        place: Place,
        cents: usize,
        day: i8,
    },
    /// A person enters there what was reported, so many days apart.
    EnterReported {
        report: usize,
        how: Entry,
        days: i8,
    },
    /// A person misses what was reported in Xero, and enters it there.
    EnterMissing {
        report: usize,
    },
    /// A person edits what was entered: another amount or day.
    Edit {
        entry: usize,
        cents: Option<usize>,
        days: i8,
    },
    Delete {
        entry: usize,
    },
    /// A person deletes in Xero what we have put there.
    DeleteOurs {
        ours: usize,
    },
    Order {
        report: usize,
        word: Word,
    },
    /// The mirror works off all of its messages.
    Mirror,
    /// The night of the day.
    Night,
    /// The night, whose first bundle of each kind gets no answer; what it says is done or not.
    NightUnanswered {
        done: bool,
    },
    /// The night, and what a person enters between its plan and its sending.
    NightMeanwhile {
        report: usize,
        days: i8,
    },
    /// What the function has left for itself is done when its time has come.
    Tasks,
    Minutes(i64),
    /// The next calls that write payments, or prepayments, get no answer; what they say is done or not.
    NoAnswer {
        prepayments: bool,
        done: bool,
        times: u32,
    },
}

/// A deed about a customer: `about` counts through those of both organisations.
#[derive(Clone, Debug)]
pub struct Step {
    pub about: usize,
    pub deed: Deed,
}

/// Everything that happens, and what a person answers when asked whether two payments are the same.
#[derive(Clone, Debug)]
pub struct Story {
    pub steps: Vec<Step>,
    pub same: Vec<bool>,
}

fn arb_way() -> impl Strategy<Value = Way> {
    prop_oneof![
        3 => (0..INVOICES).prop_map(Way::Card),
        3 => (0..INVOICES).prop_map(Way::Named),
        3 => (0..INVOICES).prop_map(Way::OverTwo),
        4 => Just(Way::Unnamed),
        1 => (0..INVOICES).prop_map(Way::Cheque),
    ]
}

fn arb_days() -> impl Strategy<Value = i8> {
    prop_oneof![6 => Just(0_i8), 3 => -3_i8..=3, 1 => prop::sample::select(vec![-5_i8, -4, 4, 5])]
}

fn arb_entry() -> impl Strategy<Value = Entry> {
    prop_oneof![
        6 => (0..INVOICES).prop_map(Entry::AsReported),
        2 => Just(Entry::FirstPart),
        2 => (0..INVOICES).prop_map(Entry::Elsewhere),
        2 => (0..INVOICES).prop_map(Entry::InPieces),
        1 => Just(Entry::InAdvance),
    ]
}

fn arb_place() -> impl Strategy<Value = Place> {
    prop_oneof![
        6 => (0..INVOICES).prop_map(Place::Invoice),
        1 => Just(Place::Prepayment),
        1 => Just(Place::Overpayment),
    ]
}

fn arb_word() -> impl Strategy<Value = Word> {
    prop::sample::select(vec![
        Word::Hold,
        Word::Release,
        Word::DoNotSend,
        Word::Same,
        Word::Two,
        Word::Two,
    ])
}

fn arb_deed() -> impl Strategy<Value = Deed> {
    let index = || 0_usize..24;
    let cents = || 0..CENTS.len();
    let day = || 1_i8..=4;
    let reported = prop_oneof![
        8 => (arb_way(), cents(), day(), prop::bool::weighted(0.15))
            .prop_map(|(way, cents, day, pending)| Deed::Report { way, cents, day, pending }),
        3 => (index(), any::<bool>()).prop_map(|(report, twin)| Deed::Again { report, twin }),
        4 => (index(), arb_way(), arb_days())
            .prop_map(|(entry, way, days)| Deed::ReportEntered { entry, way, days }),
        2 => (index(), cents(), arb_days())
            .prop_map(|(report, cents, days)| Deed::Change { report, cents, days }),
        2 => (index(), any::<bool>()).prop_map(|(report, failed)| Deed::Ends { report, failed }),
        2 => index().prop_map(|report| Deed::Refund { report }),
    ];
    let in_xero = prop_oneof![
        3 => (arb_place(), cents(), day())
            .prop_map(|(place, cents, day)| Deed::Enter { place, cents, day }),
        8 => (index(), arb_entry(), arb_days())
            .prop_map(|(report, how, days)| Deed::EnterReported { report, how, days }),
        5 => index().prop_map(|report| Deed::EnterMissing { report }),
        1 => (index(), prop::option::of(cents()), arb_days())
            .prop_map(|(entry, cents, days)| Deed::Edit { entry, cents, days }),
        2 => index().prop_map(|entry| Deed::Delete { entry }),
        1 => index().prop_map(|ours| Deed::DeleteOurs { ours }),
    ];
    let ours = prop_oneof![
        5 => Just(Deed::Mirror),
        3 => Just(Deed::Night),
        5 => prop::bool::weighted(0.3).prop_map(|done| Deed::NightUnanswered { done }),
        2 => (index(), arb_days())
            .prop_map(|(report, days)| Deed::NightMeanwhile { report, days }),
        4 => Just(Deed::Tasks),
        2 => (1_i64..40).prop_map(Deed::Minutes),
        1 => Just(Deed::Minutes(24 * 60)),
        2 => (prop::bool::weighted(0.2), any::<bool>(), prop::sample::select(vec![1_u32, 3, 6]))
            .prop_map(|(prepayments, done, times)| Deed::NoAnswer { prepayments, done, times }),
    ];
    let ordered = (index(), arb_word()).prop_map(|(report, word)| Deed::Order { report, word });
    prop_oneof![7 => reported, 6 => in_xero, 7 => ours, 2 => ordered]
}

pub fn arb_story() -> impl Strategy<Value = Story> {
    let step = (0..2 * CUSTOMERS, arb_deed()).prop_map(|(about, deed)| Step { about, deed });
    let steps = prop::collection::vec(step, 8..48);
    (steps, prop::collection::vec(any::<bool>(), 8)).prop_map(|(steps, same)| Story { steps, same })
}
