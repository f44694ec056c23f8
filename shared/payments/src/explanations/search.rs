//! The text that an operator typed, and everything that it may mean. No text is an error: the answer
//! may be that nothing was found, and then it says what was looked for.

use std::fmt;

use rust_decimal::Decimal;
use uuid::Uuid;

use super::amount::amount;
use super::state::State;
use crate::ids::{COPY_PREFIX, InvoiceNumber, PaymentId, XeroInvoiceId, XeroPaymentId};
use crate::money::Currency;
use crate::number::NumberPrefix;
use crate::reason::Ignored;

/// So many characters of what was typed are looked at: an address of Xero's has fewer.
pub const SEARCH_CHARS_MAX: usize = 300;

/// Digits that a number has at least, to be found behind a prefix that is not the organisation's.
const DIGITS_MIN: usize = 3;

/// Characters that a UUID has with its hyphens.
const UUID_CHARS: usize = 36;

/// One thing that the text may mean.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SearchTerm {
    /// An invoice, by its local number.
    Invoice(InvoiceNumber),
    /// A payment, or a provider's invoice, by the business's own id, or by that of a copy.
    Payment(PaymentId),
    /// A payment, by Xero's `PaymentID`.
    XeroPayment(XeroPaymentId),
    /// An invoice, by Xero's `InvoiceID`.
    XeroInvoice(XeroInvoiceId),
    /// Payments of an amount, in any currency unless one was named.
    Amount(Decimal, Option<Currency>),
}

impl fmt::Display for SearchTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invoice(number) => write!(f, "invoice {number}"),
            Self::Payment(id) => write!(f, "payment {id}"),
            Self::XeroPayment(id) => write!(f, "Xero's PaymentID {id}"),
            Self::XeroInvoice(id) => write!(f, "Xero's InvoiceID {id}"),
            Self::Amount(amount, None) => write!(f, "payments of {amount}"),
            Self::Amount(amount, Some(currency)) => write!(f, "payments of {amount} {currency}"),
        }
    }
}

/// The typed text, and what it may mean, the most likely first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Search {
    /// The typed text, without what surrounds it and without control characters.
    pub typed: String,
    /// What it may mean; nothing if nothing was typed.
    pub wanted: Vec<SearchTerm>,
    /// Why the mirror leaves the invoice alone, if what was typed is its number in Xero (CM-05).
    pub ignored: Option<Ignored>,
}

impl Search {
    /// Reads what was typed.
    pub fn read(typed: &str, prefix: &NumberPrefix) -> Self {
        let seen: String =
            typed.chars().filter(|c| !c.is_control()).take(SEARCH_CHARS_MAX).collect();
        let text = seen.trim();
        let mut wanted = Vec::new();
        let mut want = |one: SearchTerm| {
            if !wanted.contains(&one) {
                wanted.push(one);
            }
        };
        if let Some(id) = uuid_in(text) {
            want(SearchTerm::XeroPayment(XeroPaymentId::new(id)));
            want(SearchTerm::XeroInvoice(XeroInvoiceId::new(id)));
        }
        for number in numbers(text, prefix) {
            want(SearchTerm::Invoice(number));
        }
        // An address is no id, but for the id that is in it.
        let ids = if text.contains("://") { None } else { text.parse::<PaymentId>().ok() };
        if let Some(id) = ids {
            let bill = PaymentId::of_provider_invoice(text).ok();
            let bill = bill.filter(|_| !id.is_provider_invoice() && !id.is_copy());
            want(SearchTerm::Payment(id));
            bill.into_iter().for_each(|bill| want(SearchTerm::Payment(bill)));
        }
        if let Some((amount, currency)) = amount(text) {
            want(SearchTerm::Amount(amount, currency));
        }
        // Last, since it is a guess: the number behind another prefix, such as `INV 10003`.
        if let Some(number) = number_at_the_end(text) {
            want(SearchTerm::Invoice(number));
        }
        // An id of Xero is not taken for a number.
        let is_number = !text.is_empty() && !wanted.iter().any(is_id_of_xero);
        let ignored = prefix.to_local(text).err().filter(|_| is_number);
        Self { typed: text.to_owned(), wanted, ignored }
    }

    /// The sentence for a search without a result.
    pub fn nothing_found(&self) -> String {
        if self.wanted.is_empty() {
            return "Nothing was typed that could be looked for.".to_owned();
        }
        let wanted: Vec<_> = self.wanted.iter().map(ToString::to_string).collect();
        let said =
            format!("Nothing found for {:?}. Looked for: {}.", self.typed, wanted.join("; "));
        match self.ignored {
            None => said,
            Some(ignored) => {
                let why = State::Ignored(ignored).words().says;
                format!("{said} If that is an invoice's number in Xero: {why}")
            }
        }
    }
}

fn is_id_of_xero(wanted: &SearchTerm) -> bool {
    matches!(wanted, SearchTerm::XeroPayment(_) | SearchTerm::XeroInvoice(_))
}

/// The first UUID in a text: alone, behind `xero-`, or in an address of Xero's.
fn uuid_in(text: &str) -> Option<Uuid> {
    if let Ok(id) = Uuid::try_parse(text.strip_prefix(COPY_PREFIX).unwrap_or(text)) {
        return Some(id);
    }
    let starts = text.char_indices().map(|(at, _)| at);
    starts.filter_map(|at| text.get(at..at.checked_add(UUID_CHARS)?)).find_map(|piece| {
        Uuid::try_parse(piece).ok().filter(|id| id.to_string().eq_ignore_ascii_case(piece))
    })
}

/// The local numbers that a text may be: without the prefix, and as it is. The mirror wants the prefix
/// exactly (CM-05); who searches may write it small.
fn numbers(text: &str, prefix: &NumberPrefix) -> Vec<InvoiceNumber> {
    if text.contains("://") {
        return Vec::new();
    }
    let prefix = prefix.to_string();
    let head = text.get(..prefix.len());
    let without = head
        .filter(|head| !prefix.is_empty() && head.eq_ignore_ascii_case(&prefix))
        .and_then(|_| text.get(prefix.len()..));
    let plain = text.strip_prefix('#').unwrap_or(text);
    without.into_iter().chain([plain]).filter_map(|text| text.trim().parse().ok()).collect()
}

/// The digits at the end of a text that begins with letters, if they are as many as a number of an invoice has.
fn number_at_the_end(text: &str) -> Option<InvoiceNumber> {
    let head = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = text.get(head.len()..)?;
    let word = head.trim_end_matches([' ', '-', '/', '#', ':', '.']);
    let is_prefix = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphabetic());
    (is_prefix && digits.len() >= DIGITS_MIN).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046";

    fn wanted(typed: &str) -> Vec<String> {
        let search = Search::read(typed, &NumberPrefix::default());
        search.wanted.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_number_is_looked_for_with_and_without_its_prefix() {
        // CM-06, CM-16, CM-48
        for typed in ["10234", "#10234"] {
            assert_eq!(wanted(typed)[0], "invoice 10234", "{typed}");
        }
        for typed in ["CM-10234", " CM-10234\n", "cm-10234", "CM- 10234"] {
            assert_eq!(wanted(typed)[0], "invoice 10234", "{typed:?}");
        }
        let acme = Search::read("ACME/7", &NumberPrefix::new("ACME/").unwrap());
        assert_eq!(acme.wanted[0], SearchTerm::Invoice("7".parse().unwrap()));
        // Another prefix than the organisation's: the number as it is.
        assert_eq!(wanted("INV-9")[0], "invoice INV-9");
    }

    #[test]
    fn a_number_is_found_behind_any_prefix() {
        // CM-16, CM-48
        for typed in ["INV 10003", "inv-10003", "Invoice #10003", "Rechnung10003"] {
            assert_eq!(wanted(typed).last().unwrap(), "invoice 10003", "{typed}");
        }
        for typed in ["P-9", "46.00", "10003", "B-10004-145"] {
            let last = wanted(typed).pop().unwrap();
            assert!(!["invoice 9", "invoice 145"].contains(&last.as_str()), "{typed}: {last}");
        }
    }

    #[test]
    fn an_id_of_xero_may_be_that_of_a_payment_or_of_an_invoice() {
        let both = [format!("Xero's PaymentID {ID}"), format!("Xero's InvoiceID {ID}")];
        let simple = ID.replace('-', "").to_uppercase();
        let address = format!("https://go.xero.com/AccountsReceivable/View.aspx?InvoiceID={ID}");
        for typed in [ID, &ID.to_uppercase(), &simple, &format!("xero-{ID}"), &address] {
            assert_eq!(wanted(typed)[..2], both, "{typed}");
        }
        assert_eq!(wanted(&address).len(), 2);
        assert!(wanted(&format!("xero-{ID}-1")).contains(&both[0]));
        assert!(wanted(&format!("xero-{ID}")).contains(&format!("payment xero-{ID}")));
    }

    #[test]
    fn an_amount_may_be_written_as_people_do() {
        for (typed, amount) in [
            ("46", "46"),
            ("46.00", "46"),
            ("$46.00", "46"),
            ("$ 46", "46"),
            ("1,234.50", "1234.5"),
            ("1 234.50", "1234.5"),
            ("1.234,50", "1234.5"),
            ("1'234", "1234"),
            ("1,234", "1234"),
            ("46,50", "46.5"),
            ("1,234,567.89", "1234567.89"),
            ("46.00 AUD", "46 AUD"),
            ("aud 46", "46 AUD"),
            ("46aud", "46 AUD"),
            ("0.05", "0.05"),
        ] {
            let found = format!("payments of {amount}");
            assert_eq!(wanted(typed).last(), Some(&found), "{typed}");
        }
    }

    #[test]
    fn what_is_no_amount_is_not_looked_for_as_one() {
        for typed in ["1,23,4", "46.", ".5", "-46", "1e5", "46.00.00.", "P-1", "1,,000", "٤٦"] {
            assert!(!wanted(typed).iter().any(|one| one.starts_with("payments of")), "{typed}");
        }
        assert!(!wanted(&"9".repeat(40)).iter().any(|one| one.starts_with("payments of")));
    }

    #[test]
    fn any_text_may_be_an_id_of_the_business() {
        assert_eq!(wanted("P-1"), ["invoice P-1", "payment P-1", "payment provider-invoice-P-1"]);
        assert_eq!(
            wanted("provider-invoice-F-1"),
            ["invoice provider-invoice-F-1", "payment provider-invoice-F-1"]
        );
    }

    #[test]
    fn the_number_of_an_invoice_that_the_mirror_leaves_alone_says_why() {
        // CM-05, V14, AMB-25
        let read = |typed| Search::read(typed, &NumberPrefix::default());
        for typed in ["INV-9", "cm-9"] {
            assert_eq!(read(typed).ignored, Some(Ignored::NotCmPrefix), "{typed}");
        }
        assert_eq!(read("CM-").ignored, Some(Ignored::EmptyNumber));
        for typed in ["CM-9", "", ID] {
            assert_eq!(read(typed).ignored, None, "{typed}");
        }
    }

    #[test]
    fn odd_input_is_no_error_but_says_what_was_looked_for() {
        let read = |typed: &str| Search::read(typed, &NumberPrefix::default()).nothing_found();
        assert_eq!(read(" \u{0}\n"), "Nothing was typed that could be looked for.");
        assert_eq!(
            read("P-1"),
            "Nothing found for \"P-1\". Looked for: invoice P-1; payment P-1; payment \
             provider-invoice-P-1. If that is an invoice's number in Xero: The number of its invoice \
             in Xero does not begin with the organisation's prefix, upper and lower case included."
        );
        // Longer than any id: nothing that it could be.
        assert!(Search::read(&"x".repeat(5_000), &NumberPrefix::default()).wanted.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn law_nothing_that_is_typed_is_an_error(typed in "(?s).{0,400}") {
            let search = Search::read(&typed, &NumberPrefix::default());
            proptest::prop_assert!(search.typed.chars().count() <= SEARCH_CHARS_MAX);
            proptest::prop_assert!(!search.nothing_found().is_empty());
        }

        #[test]
        fn law_every_amount_is_read_as_it_is_written(cents in 0_i64..1_000_000_000_000) {
            let amount = Decimal::new(cents, 2);
            let search = Search::read(&amount.to_string(), &NumberPrefix::default());
            proptest::prop_assert!(search.wanted.contains(&SearchTerm::Amount(amount.normalize(), None)));
        }
    }
}
