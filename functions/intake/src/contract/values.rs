//! The values that messages are made of.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use payments::upload::{Channel, FEE_KIND_CHARS_MAX, FeeKind};
use payments::{
    COPY_PREFIX, CREDIT_ALLOCATION_PREFIX, Currency, CustomerId, IdError, InvoiceNumber, Money,
    OrderId, OrganisationId, PROVIDER_CREDIT_ID_CHARS_MAX, PROVIDER_CREDIT_PREFIX,
    PROVIDER_INVOICE_ID_CHARS_MAX, PROVIDER_INVOICE_PREFIX, PaymentId, PaymentStatus,
    TERM_DAYS_MAX, TEXT_ID_CHARS_MAX, Terms, XeroContactId,
};

use super::json::Json;
use super::members::{Members, Node};
use super::problems::{Problems, short};

/// Most receipts of an import.
const COUNT_MAX: u32 = 1_000_000;
/// Largest revision: what every reader of JSON keeps exactly (RFC 8259, section 6).
const REVISION_MAX: i128 = (1 << 53) - 1;
/// Longest amount, in characters: 29 digits, which are more than are kept exactly, the point, and leading zeros.
const AMOUNT_CHARS_MAX: usize = 32;
/// Longest free text, in characters: what Xero takes for a reference or a name.
const TEXT_CHARS_MAX: usize = 255;
/// An invoice's number, a kind, what it is about, and a number.
const NOTICE_ID_CHARS_MAX: usize = 500;
/// Longest name of a method of payment, in characters.
const METHOD_CHARS_MAX: usize = 40;
/// Years that a date of business can lie in. What lies outside is a slip of the pen.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2199;
const UUID_CHARS: usize = 36;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn organisation(node: &Node<'_>, problems: &mut Problems) -> Option<OrganisationId> {
    xero_id(node, "the id of a Xero organisation, a UUID with hyphens", problems)
}

pub(super) fn contact_id(node: &Node<'_>, problems: &mut Problems) -> Option<XeroContactId> {
    xero_id(node, "the id of a Xero contact, a UUID with hyphens", problems)
}

fn xero_id<T: FromStr>(node: &Node<'_>, expected: &str, problems: &mut Problems) -> Option<T> {
    let text = node.text(expected, problems)?;
    let id = text.parse().ok().filter(|_| text.len() == UUID_CHARS);
    id.or_else(|| problems.note(&node.path, format_args!("must be {expected}")))
}

pub(super) fn revision(node: &Node<'_>, problems: &mut Problems) -> Option<u64> {
    let number = match node.json {
        Json::Whole(number @ 1..=REVISION_MAX) => u64::try_from(*number).ok(),
        _ => None,
    };
    let expected = format_args!("must be a whole number from 1 to {REVISION_MAX}");
    number.or_else(|| problems.note(&node.path, expected))
}

/// How many, also none.
pub(super) fn count(node: &Node<'_>, problems: &mut Problems) -> Option<u32> {
    let number = match node.json {
        Json::Whole(number) => u32::try_from(*number).ok().filter(|number| *number <= COUNT_MAX),
        _ => None,
    };
    let expected = format_args!("must be a whole number from 0 to {COUNT_MAX}");
    number.or_else(|| problems.note(&node.path, expected))
}

pub(super) fn invoice_number(node: &Node<'_>, problems: &mut Problems) -> Option<InvoiceNumber> {
    id(node, problems)
}

pub(super) fn order_id(node: &Node<'_>, problems: &mut Problems) -> Option<OrderId> {
    id(node, problems)
}

pub(super) fn customer_id(node: &Node<'_>, problems: &mut Problems) -> Option<CustomerId> {
    id(node, problems)
}

/// An id of the business's own system; ours begin with a prefix of their own.
pub(super) fn payment_id(node: &Node<'_>, problems: &mut Problems) -> Option<PaymentId> {
    let id: PaymentId = id(node, problems)?;
    let given_by_us = [
        (id.is_copy(), COPY_PREFIX),
        (id.is_provider_invoice(), PROVIDER_INVOICE_PREFIX),
        (id.is_provider_credit(), PROVIDER_CREDIT_PREFIX),
        (id.is_credit_allocation(), CREDIT_ALLOCATION_PREFIX),
    ];
    if let Some((_, prefix)) = given_by_us.iter().find(|(is, _)| *is) {
        let what = format_args!("must not begin with `{prefix}`: such ids are given by us");
        return problems.note(&node.path, what);
    }
    Some(id)
}

/// The id of a provider's invoice, as the name that it has in the ledger of uploads.
pub(super) fn provider_invoice_id(node: &Node<'_>, problems: &mut Problems) -> Option<PaymentId> {
    let text = identifier(node, PROVIDER_INVOICE_ID_CHARS_MAX, problems)?;
    problems.value(&node.path, PaymentId::of_provider_invoice(&text))
}

/// The id of a provider's credit invoice, likewise.
pub(super) fn provider_credit_id(node: &Node<'_>, problems: &mut Problems) -> Option<PaymentId> {
    let text = identifier(node, PROVIDER_CREDIT_ID_CHARS_MAX, problems)?;
    problems.value(&node.path, PaymentId::of_provider_credit(&text))
}

/// The provider's number of an invoice or a credit invoice.
pub(super) fn provider_number(node: &Node<'_>, problems: &mut Problems) -> Option<String> {
    identifier(node, TEXT_ID_CHARS_MAX, problems)
}

/// The number of a receipt.
pub(super) fn document_number(node: &Node<'_>, problems: &mut Problems) -> Option<String> {
    identifier(node, TEXT_ID_CHARS_MAX, problems)
}

pub(super) fn fee_kind(node: &Node<'_>, problems: &mut Problems) -> Option<FeeKind> {
    let expected = "a lower-case name such as chargeback";
    let text = node.text(expected, problems)?;
    let what = format_args!("must be {expected}, with at most {FEE_KIND_CHARS_MAX} letters");
    text.parse().ok().or_else(|| problems.note(&node.path, what))
}

/// The id of a copy that we made.
pub(super) fn copy_id(node: &Node<'_>, problems: &mut Problems) -> Option<PaymentId> {
    let id: PaymentId = id(node, problems)?;
    if !id.is_copy() {
        let why = "must begin with `xero-`: of other payments, `journaled` is part of the payment";
        return problems.note(&node.path, why);
    }
    Some(id)
}

fn id<T: TryFrom<String, Error = IdError>>(node: &Node<'_>, problems: &mut Problems) -> Option<T> {
    let text = identifier(node, TEXT_ID_CHARS_MAX, problems)?;
    problems.value(&node.path, T::try_from(text))
}

/// The bank's or gateway's id of a transaction (SP-04, SP-06).
pub(super) fn transaction_id(node: &Node<'_>, problems: &mut Problems) -> Option<String> {
    identifier(node, TEXT_CHARS_MAX, problems)
}

/// The id of a notice, as it was announced.
pub(super) fn notice_id(node: &Node<'_>, problems: &mut Problems) -> Option<String> {
    identifier(node, NOTICE_ID_CHARS_MAX, problems)
}

/// A text that distinguishes two things: nothing in it may be invisible.
fn identifier(node: &Node<'_>, chars_max: usize, problems: &mut Problems) -> Option<String> {
    let text = node.text("a string", problems)?;
    let chars = text.chars().count();
    let fits = (1..=chars_max).contains(&chars)
        && text.trim() == text
        && !text.chars().any(char::is_control);
    if !fits {
        let expected = format_args!(
            "must have 1 to {chars_max} characters, none of them a control character, and no space \
             at either end"
        );
        return problems.note(&node.path, expected);
    }
    Some(text.to_owned())
}

/// Free text; a blank one counts as none.
pub(super) fn free_text(node: &Node<'_>, problems: &mut Problems) -> Option<String> {
    let text = node.text("a string", problems)?;
    if text.chars().count() > TEXT_CHARS_MAX {
        let expected = format_args!("must have at most {TEXT_CHARS_MAX} characters");
        return problems.note(&node.path, expected);
    }
    (!text.trim().is_empty()).then(|| text.to_owned())
}

pub(super) fn method(node: &Node<'_>, problems: &mut Problems) -> Option<String> {
    let expected = "a lower-case name such as bank_transfer";
    let text = node.text(expected, problems)?;
    let fits = text.len() <= METHOD_CHARS_MAX
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !fits {
        let expected = format_args!("must be {expected}, with at most {METHOD_CHARS_MAX} letters");
        return problems.note(&node.path, expected);
    }
    Some(text.to_owned())
}

pub(super) fn status(node: &Node<'_>, problems: &mut Problems) -> Option<PaymentStatus> {
    let expected = "pending, confirmed, failed or refunded";
    let text = node.text(expected, problems)?;
    PaymentStatus::from_code(text)
        .or_else(|| problems.note(&node.path, format_args!("must be {expected}")))
}

pub(super) fn channel(node: &Node<'_>, problems: &mut Problems) -> Option<Channel> {
    let expected = "pay_now or virtual_terminal";
    let text = node.text(expected, problems)?;
    Channel::from_code(text)
        .or_else(|| problems.note(&node.path, format_args!("must be {expected}")))
}

/// An amount with its currency. `positive` refuses nothing at all, too.
pub(super) fn money(node: &Node<'_>, positive: bool, problems: &mut Problems) -> Option<Money> {
    let mut members = Members::of(node, problems)?;
    let currency =
        members.required("currency", problems).and_then(|node| currency(&node, problems));
    let amount = members.required("amount", problems);
    let amount = amount.and_then(|node| self::amount(&node, currency, positive, problems));
    members.finish(problems);
    amount
}

pub(super) fn currency(node: &Node<'_>, problems: &mut Problems) -> Option<Currency> {
    let text = node.text("the three letters of a currency, such as AUD", problems)?;
    problems.value(&node.path, text.parse())
}

/// A figure. Without a currency that is known there is no amount, but what can be checked is.
pub(super) fn amount(
    node: &Node<'_>,
    currency: Option<Currency>,
    positive: bool,
    problems: &mut Problems,
) -> Option<Money> {
    let expected = "a string such as \"110.00\"";
    let text = node.text(expected, problems)?;
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || text.len() > AMOUNT_CHARS_MAX {
        let what = format!("must be {expected}, in plain digits and without a sign");
        return problems.note(&node.path, what);
    }
    if positive && !text.bytes().any(|byte| matches!(byte, b'1'..=b'9')) {
        return problems.note(&node.path, "must be more than nothing");
    }
    problems.value(&node.path, Money::parse(text, currency?))
}

pub(super) fn date(node: &Node<'_>, problems: &mut Problems) -> Option<Date> {
    let expected = "a date such as \"2026-03-02\"";
    let text = node.text(expected, problems)?;
    let Some((year, month, day)) = year_month_day(text) else {
        return problems.note(&node.path, format_args!("must be {expected}"));
    };
    problems.value(&node.path, existing_date(year, month, day))
}

/// The three numbers of a text that has the shape of a date and nothing more.
fn year_month_day(text: &str) -> Option<(i16, i8, i8)> {
    if !has_shape(text, "0000-00-00") {
        return None;
    }
    Some((text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?))
}

fn existing_date(year: i16, month: i8, day: i8) -> Result<Date, String> {
    if !YEARS.contains(&year) {
        return Err(format!("{year} is no year from {} to {}", YEARS.start(), YEARS.end()));
    }
    let name = usize::try_from(month).ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
    let Some(name) = name else { return Err(format!("there is no month {month}")) };
    Date::new(year, month, day).map_err(|_| format!("{day} {name} {year} does not exist"))
}

/// An instant, with its offset from UTC. Microseconds are kept, as in the tables: what is stored
/// and what comes again must be equal.
pub(super) fn instant(node: &Node<'_>, problems: &mut Problems) -> Option<Timestamp> {
    let expected = "a time with its offset, such as \"2026-03-02T09:30:00+11:00\"";
    let text = node.text(expected, problems)?;
    if !has_shape_of_instant(text) {
        return problems.note(&node.path, format_args!("must be {expected}"));
    }
    let real = year_month_day(&text[..10])
        .is_some_and(|(year, month, day)| existing_date(year, month, day).is_ok());
    let at: Option<Timestamp> = text.parse().ok().filter(|_| real);
    at.and_then(|at| Timestamp::from_microsecond(at.as_microsecond()).ok())
        .or_else(|| problems.note(&node.path, format_args!("{} does not exist", short(text))))
}

fn has_shape_of_instant(text: &str) -> bool {
    let Some((start, rest)) = text.split_at_checked(19) else { return false };
    let offset = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if !(1..=9).contains(&(fraction.len() - offset.len())) {
                return false;
            }
            offset
        }
    };
    has_shape(start, "0000-00-00T00:00:00")
        // A leap second has no place in our tables.
        && &start[17..] < "60"
        && (offset == "Z" || has_shape(offset, "+00:00") || has_shape(offset, "-00:00"))
}

/// Whether a text has a digit wherever the pattern has a zero, and its very characters elsewhere.
fn has_shape(text: &str, pattern: &str) -> bool {
    let same = |(byte, wanted): (u8, u8)| {
        if wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted }
    };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(same)
}

pub(super) fn terms(node: &Node<'_>, problems: &mut Problems) -> Option<Terms> {
    let mut members = Members::of(node, problems)?;
    let after_issue = members.optional("days_after_issue");
    let after_month_end = members.optional("days_after_month_end");
    let day_of_following = members.optional("day_of_following_month");
    members.finish(problems);
    match (after_issue, after_month_end, day_of_following) {
        (Some(node), None, None) => {
            whole(&node, 0, TERM_DAYS_MAX, problems).map(Terms::DaysAfterIssue)
        }
        (None, Some(node), None) => {
            whole(&node, 0, TERM_DAYS_MAX, problems).map(Terms::DaysAfterMonthEnd)
        }
        (None, None, Some(node)) => {
            let day = whole(&node, 1, 31, problems)?;
            u8::try_from(day).ok().map(Terms::DayOfFollowingMonth)
        }
        _ => problems.note(
            &node.path,
            "must have exactly one of days_after_issue, days_after_month_end and \
             day_of_following_month",
        ),
    }
}

fn whole(node: &Node<'_>, min: u16, max: u16, problems: &mut Problems) -> Option<u16> {
    let number = match node.json {
        Json::Whole(number) => u16::try_from(*number).ok().filter(|n| (min..=max).contains(n)),
        _ => None,
    };
    let expected = format_args!("must be a whole number from {min} to {max}");
    number.or_else(|| problems.note(&node.path, expected))
}
