//! A shop's day: orders of every kind, most of them as they should be, and what is planted among them.

use jiff::civil::Date;
use serde_json::{Value, json};

/// The business day.
pub(super) const DAY: &str = "2026-03-10";

/// What becomes of an order.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    Card,
    BankTransfer,
    PayPal,
    TwoParts,
    RefundedAndPaidAgain,
    FailedAndPaidAgain,
    WaitsForItsNight,
    TransferNotInXeroYet,
    WrongTax,
    WrongShipping,
    WrongCustomer,
    WrongTotal,
    Duplicate,
    PaidTooMuch,
    PaidTooLittle,
    FailedOnly,
    FailedWithoutInvoice,
    NamesNothing,
    NothingPaid,
    RefundedHereOnly,
}

/// Those among which nothing is wrong, in the order in which they come; most are paid by card.
const CLEAN: [Kind; 16] = [
    Kind::Card,
    Kind::Card,
    Kind::PayPal,
    Kind::Card,
    Kind::BankTransfer,
    Kind::Card,
    Kind::TwoParts,
    Kind::Card,
    Kind::PayPal,
    Kind::FailedAndPaidAgain,
    Kind::Card,
    Kind::WaitsForItsNight,
    Kind::BankTransfer,
    Kind::RefundedAndPaidAgain,
    Kind::Card,
    Kind::TransferNotInXeroYet,
];

/// Those that are planted: one in ten orders.
const PLANTED: [Kind; 12] = [
    Kind::WrongTax,
    Kind::WrongShipping,
    Kind::WrongCustomer,
    Kind::WrongTotal,
    Kind::Duplicate,
    Kind::PaidTooMuch,
    Kind::PaidTooLittle,
    Kind::FailedOnly,
    Kind::FailedWithoutInvoice,
    Kind::NamesNothing,
    Kind::NothingPaid,
    Kind::RefundedHereOnly,
];

/// One order with all that is reported about it, and what Xero has of it.
pub(super) struct Order {
    pub(super) kind: Kind,
    number: usize,
}

/// A payment in Xero.
pub(super) struct InXero {
    pub(super) cents: i64,
    pub(super) date: Date,
}

/// The orders of a day.
pub(super) fn orders(count: usize) -> Vec<Order> {
    let kind = |number: usize| match number % 10 {
        7 => PLANTED[number / 10 % PLANTED.len()],
        _ => CLEAN[number % CLEAN.len()],
    };
    (0..count).map(|number| Order { kind: kind(number), number }).collect()
}

fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

impl Order {
    pub(super) fn invoice(&self) -> String {
        format!("{}", 10_000 + self.number)
    }

    pub(super) fn company(&self) -> String {
        format!("Customer {} Pty Ltd", self.number)
    }

    /// Goods, tax and shipping: no two orders next to each other cost the same.
    fn parts(&self) -> (i64, i64, i64) {
        let goods = 5_000 + 37 * i64::try_from(self.number).unwrap();
        (goods, goods / 10, 1_000)
    }

    fn total(&self) -> i64 {
        let (goods, tax, shipping) = self.parts();
        goods + tax + shipping
    }

    /// When its invoice is due: those that nothing is paid of were due the day before.
    pub(super) fn due_on(&self) -> &'static str {
        if self.kind == Kind::NothingPaid { "2026-03-09" } else { "2026-04-09" }
    }

    /// Its total in Xero.
    pub(super) fn cents_in_xero(&self) -> i64 {
        self.total() + if self.kind == Kind::WrongTotal { 100 } else { 0 }
    }

    /// Money entered in Xero, by the bank or a bookkeeper.
    pub(super) fn in_xero(&self) -> Vec<InXero> {
        let paid = |cents: i64, date: &str| InXero { cents, date: date.parse().unwrap() };
        let total = self.total();
        match self.kind {
            Kind::WaitsForItsNight
            | Kind::TransferNotInXeroYet
            | Kind::FailedOnly
            | Kind::FailedWithoutInvoice
            | Kind::NamesNothing
            | Kind::NothingPaid => Vec::new(),
            Kind::TwoParts => vec![paid(2_000, DAY), paid(total - 2_000, DAY)],
            Kind::PaidTooLittle => vec![paid(total - 500, DAY)],
            Kind::Duplicate => vec![paid(total, "2026-03-08")],
            _ => vec![paid(total, DAY)],
        }
    }

    /// What the business's own system reports.
    pub(super) fn reports(&self) -> Vec<Value> {
        let (goods, tax, shipping) = self.parts();
        let total = self.total();
        let (customer, invoice) = (format!("C-{}", self.number), self.invoice());
        let (more_tax, more_shipping) = match self.kind {
            Kind::WrongTax => (7, 0),
            Kind::WrongShipping => (0, 9),
            _ => (0, 0),
        };
        let order = json!({
            "type": "order", "id": format!("O-{}", self.number), "revision": 1, "customer": customer,
            "placed_at": "2026-03-10T09:00:00+11:00",
            "components": {
                "currency": "AUD", "goods": money(goods), "tax": money(tax),
                "shipping": money(shipping), "total": money(total),
            },
            "invoices": [invoice],
        });
        let invoiced = json!({
            "type": "invoice", "number": invoice, "revision": 1, "customer": customer,
            "total": {"amount": money(total), "currency": "AUD"},
            "contact": {"company": self.company()}, "issued_on": "2026-03-09", "due_on": self.due_on(),
            "components": {"tax": money(tax + more_tax), "shipping": money(shipping + more_shipping)},
        });
        let mut all = vec![order, invoiced];
        all.extend(self.payments());
        all
    }

    fn payments(&self) -> Vec<Value> {
        let total = self.total();
        let one =
            |n: u32, cents: i64, method: &str, status: &str| self.payment(n, cents, method, status);
        match self.kind {
            Kind::Card
            | Kind::WrongTax
            | Kind::WrongShipping
            | Kind::WrongTotal
            | Kind::RefundedHereOnly => {
                vec![one(1, total, "card", "confirmed")]
            }
            Kind::BankTransfer | Kind::TransferNotInXeroYet | Kind::Duplicate => {
                vec![one(1, total, "bank_transfer", "confirmed")]
            }
            Kind::PayPal => vec![one(1, total, "paypal", "confirmed")],
            Kind::TwoParts => vec![
                one(1, 2_000, "bank_transfer", "confirmed"),
                one(2, total - 2_000, "bank_transfer", "confirmed"),
            ],
            Kind::RefundedAndPaidAgain => vec![
                one(1, 1_500, "card", "confirmed"),
                with(one(1, 1_500, "card", "refunded"), "revision", json!(2)),
                one(2, total, "card", "confirmed"),
            ],
            Kind::FailedAndPaidAgain => {
                vec![one(1, total, "card", "failed"), one(2, total, "card", "confirmed")]
            }
            Kind::WaitsForItsNight => vec![one(1, total, "bpay", "confirmed")],
            Kind::WrongCustomer => {
                vec![with(one(1, total, "card", "confirmed"), "customer", json!("C-other"))]
            }
            Kind::PaidTooMuch => {
                vec![one(1, total, "card", "confirmed"), one(2, 700, "bank_transfer", "confirmed")]
            }
            Kind::PaidTooLittle => vec![one(1, total - 500, "card", "confirmed")],
            Kind::FailedOnly => vec![one(1, total, "card", "failed")],
            Kind::FailedWithoutInvoice => {
                vec![with(one(1, total, "card", "failed"), "allocations", json!([]))]
            }
            Kind::NamesNothing => {
                vec![with(one(1, total, "bank_transfer", "confirmed"), "allocations", json!([]))]
            }
            Kind::NothingPaid => Vec::new(),
        }
    }

    /// What it reports when Xero has been read.
    pub(super) fn later_reports(&self) -> Vec<Value> {
        match self.kind {
            Kind::RefundedHereOnly => {
                let refunded = self.payment(1, self.total(), "card", "refunded");
                vec![with(refunded, "revision", json!(2))]
            }
            _ => Vec::new(),
        }
    }

    fn payment(&self, n: u32, cents: i64, method: &str, status: &str) -> Value {
        let id = self.payment_id(n);
        json!({
            "type": "payment", "id": id, "revision": 1, "customer": format!("C-{}", self.number),
            "amount": {"amount": money(cents), "currency": "AUD"}, "date": DAY, "method": method,
            "transaction_id": format!("T-{id}"), "status": status,
            "entered_at": "2026-03-10T12:00:00+11:00",
            "allocations": [{"invoice": self.invoice(), "amount": money(cents)}],
        })
    }

    fn payment_id(&self, n: u32) -> String {
        format!("P-{}-{n}", self.number)
    }

    /// What the close is to find, with the cause: nothing of an order that is as it should be.
    pub(super) fn expected(&self) -> Vec<(String, &'static str)> {
        let invoice = format!("invoice/{}", self.invoice());
        let payment = format!("payment/{}", self.payment_id(1));
        let order = format!("order/O-{}", self.number);
        match self.kind {
            Kind::WrongTax | Kind::WrongShipping => vec![(order, "MISMATCH")],
            Kind::WrongCustomer => vec![(invoice, "MISMATCH"), (payment, "MISMATCH")],
            Kind::WrongTotal => vec![(invoice, "MISMATCH")],
            Kind::Duplicate => vec![(invoice, "DUPLICATE, OVERPAYMENT")],
            Kind::PaidTooMuch => vec![(invoice, "OVERPAYMENT")],
            Kind::PaidTooLittle => vec![(invoice, "PART_PAYMENT")],
            Kind::FailedOnly => vec![(invoice, "FAILED_PAYMENT")],
            Kind::FailedWithoutInvoice => vec![(payment, "FAILED_PAYMENT")],
            Kind::NamesNothing => vec![(payment, "UNLINKED")],
            Kind::NothingPaid => vec![(invoice, "MISSING_PAYMENT")],
            Kind::RefundedHereOnly => vec![(invoice, "REFUND")],
            _ => Vec::new(),
        }
    }
}

fn with(mut message: Value, name: &str, value: Value) -> Value {
    message[name] = value;
    message
}
