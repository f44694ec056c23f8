//! The part of a request that chooses: query string and `If-Modified-Since`.

use std::{
    borrow::Cow,
    cmp::{Ordering, Reverse},
};

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use uuid::Uuid;

use crate::wire::Pagination;

/// A longer query string is answered by an unexplained 404 (facts.md 3.5, "IDs filter ceiling").
pub(crate) const QUERY_LENGTH_MAX: usize = 2_048;
/// Items on a page when `pageSize` does not say (facts.md 3.5).
const PAGE_SIZE_DEFAULT: usize = 100;
/// Items on the largest page; a larger size is adjusted, not refused (facts.md 3.5).
const PAGE_SIZE_MAX: usize = 1_000;

/// A filter that cannot be understood: Xero's `QueryParseException`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct QueryError(pub(crate) String);

/// A decoded query string.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn parse(raw: &str) -> Self {
        let pairs = url::form_urlencoded::parse(raw.as_bytes());
        Self { pairs: pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect() }
    }

    /// The value of a parameter; names are taken without regard to case, an empty value is none.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// All values of a parameter that may be there several times.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_it = self.pairs.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        of_it.map(|(_, value)| value.trim())
    }

    /// Whether a switch is on.
    pub(crate) fn switch(&self, name: &str, default: bool) -> bool {
        match self.value(name) {
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) if value.eq_ignore_ascii_case("false") => false,
            _ => default,
        }
    }

    /// The parts of a comma-separated parameter.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<&str>> {
        let parts = self.value(name)?.split(',').map(str::trim);
        Some(parts.filter(|part| !part.is_empty()).collect())
    }

    /// A comma-separated parameter of identifiers.
    pub(crate) fn ids(&self, name: &str) -> Result<Option<Vec<Uuid>>, QueryError> {
        let Some(parts) = self.list(name) else {
            return Ok(None);
        };
        let ids = parts.into_iter().map(|part| {
            Uuid::parse_str(part).map_err(|_| QueryError(format!("{part} is not a Guid in {name}")))
        });
        ids.collect::<Result<_, _>>().map(Some)
    }

    /// The page asked for, if one was.
    pub(crate) fn page(&self) -> Option<Page> {
        let page = self.value("page")?.parse().unwrap_or(1).max(1);
        let size: Option<usize> = self.value("pageSize").and_then(|size| size.parse().ok());
        Some(Page { page, size: size.unwrap_or(PAGE_SIZE_DEFAULT).clamp(1, PAGE_SIZE_MAX) })
    }

    /// The order asked for.
    pub(crate) fn order(&self) -> Result<Order, QueryError> {
        let Some(order) = self.value("order") else {
            return Ok(Order::Created);
        };
        let words: Vec<String> = order.split_whitespace().map(str::to_ascii_uppercase).collect();
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["UPDATEDDATEUTC"] | ["UPDATEDDATEUTC", "ASC"] => Ok(Order::OldestChange),
            ["UPDATEDDATEUTC", "DESC"] => Ok(Order::NewestChange),
            ["DATE"] | ["DATE", "ASC"] => Ok(Order::OldestDate),
            ["DATE", "DESC"] => Ok(Order::NewestDate),
            _ => Err(QueryError(format!(
                "order={order} is not imitated; order=UpdatedDateUTC ASC and order=Date ASC are"
            ))),
        }
    }

    /// Whether a list is to be in the ascending order of this field.
    pub(crate) fn is_ordered_by(&self, field: &str) -> bool {
        let words: Vec<_> = self.value("order").unwrap_or_default().split_whitespace().collect();
        matches!(words[..], [name] | [name, "ASC"] if name.eq_ignore_ascii_case(field))
    }

    /// Refuses, rather than ignores, a parameter that would change the answer but is not imitated.
    pub(crate) fn refuse(&self, names: &[&str]) -> Result<(), QueryError> {
        match names.iter().find(|name| self.value(name).is_some()) {
            Some(name) => Err(QueryError(format!("{name} is not imitated on this endpoint"))),
            None => Ok(()),
        }
    }
}

/// How a list is sorted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Order {
    /// As the records came into the books.
    Created,
    /// `UpdatedDateUTC ASC`.
    OldestChange,
    /// `UpdatedDateUTC DESC`.
    NewestChange,
    /// `Date ASC`.
    OldestDate,
    /// `Date DESC`.
    NewestDate,
}

/// What decides where a record stands in a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) updated: Timestamp,
    pub(crate) date: Option<Date>,
    pub(crate) serial: u64,
}

impl Order {
    /// Sorts by `place`; equal ones are in the order of their creation.
    pub(crate) fn sort<T>(self, items: &mut [T], place: impl Fn(&T) -> Place) {
        items.sort_by_key(|item| place(item).serial);
        match self {
            Self::Created => {}
            Self::OldestChange => items.sort_by_key(|item| place(item).updated),
            Self::NewestChange => items.sort_by_key(|item| Reverse(place(item).updated)),
            Self::OldestDate => items.sort_by_key(|item| place(item).date),
            Self::NewestDate => items.sort_by_key(|item| Reverse(place(item).date)),
        }
    }
}

/// One page of a list.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Page {
    page: usize,
    size: usize,
}

impl Page {
    /// Cuts the page out of `items`.
    pub(crate) fn cut<T>(self, items: Vec<T>) -> (Vec<T>, Pagination) {
        let item_count = items.len();
        let skipped = (self.page - 1).saturating_mul(self.size);
        let pagination = Pagination {
            page: self.page,
            page_size: self.size,
            page_count: item_count.div_ceil(self.size),
            item_count,
        };
        (items.into_iter().skip(skipped).take(self.size).collect(), pagination)
    }
}

/// `If-Modified-Since` in the one form that Xero obeys, `yyyy-mm-ddThh:mm:ss`; others are ignored
/// without a word (facts.md 3.5).
pub(crate) fn modified_since(header: &str) -> Option<Timestamp> {
    const LENGTH: usize = "2026-10-05T03:41:22".len();
    if header.len() != LENGTH || header.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let time: DateTime = header.parse().ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// What `where` asks of a record: comparisons, all of which must hold (facts.md 3.5, 4.3).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Filter {
    terms: Vec<Term>,
}

/// One comparison of an element with a value.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Term {
    name: String,
    operator: Operator,
    value: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operator {
    Equal,
    AtLeast,
    AtMost,
    More,
    Less,
}

impl Operator {
    /// The longer ones first, since the shorter ones begin them.
    const ALL: [(&str, Self); 5] = [
        ("==", Self::Equal),
        (">=", Self::AtLeast),
        ("<=", Self::AtMost),
        (">", Self::More),
        ("<", Self::Less),
    ];

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::AtLeast => order.is_ge(),
            Self::AtMost => order.is_le(),
            Self::More => order.is_gt(),
            Self::Less => order.is_lt(),
        }
    }
}

/// What an element is compared with, which its name says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ValueKind {
    /// `guid("…")`.
    Guid,
    /// `DateTime(2026, 11, 20)`, with hours, minutes and seconds if they are given.
    Moment,
    /// `"…"`.
    Text,
}

impl ValueKind {
    fn of(name: &str) -> Self {
        if name.ends_with("ID") {
            Self::Guid
        } else if name == "Date" || name == "UpdatedDateUTC" {
            Self::Moment
        } else {
            Self::Text
        }
    }

    /// What a value of this kind begins and ends with.
    fn brackets(self) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Guid => (&["guid(\"", "Guid(\"", "GUID(\""], "\")"),
            Self::Moment => (&["DateTime("], ")"),
            Self::Text => (&["\""], "\""),
        }
    }

    fn read(self, text: &str) -> Option<String> {
        match self {
            Self::Guid => Uuid::parse_str(text).ok().map(|id| id.to_string()),
            Self::Moment => moment_of_parts(text),
            Self::Text => Some(text.to_owned()),
        }
    }
}

impl Filter {
    /// Reads one comparison, or several joined by `AND` or `&&`, on elements of these `names`. An
    /// element whose name ends in `ID` is compared with a `guid("…")`, a date with a `DateTime(…)`,
    /// any other with a text. Only dates can be asked for by a range.
    pub(crate) fn parse(text: Option<&str>, names: &[&str]) -> Result<Self, QueryError> {
        let mut filter = Self::default();
        let Some(text) = text else {
            return Ok(filter);
        };
        let mut rest = text.trim();
        loop {
            rest = filter.take_term(rest, names)?.trim_start();
            if rest.is_empty() {
                return Ok(filter);
            }
            rest = ["&&", "AND ", "and "]
                .iter()
                .find_map(|joint| rest.strip_prefix(joint))
                .ok_or_else(|| unknown(rest))?
                .trim_start();
        }
    }

    fn take_term<'a>(&mut self, text: &'a str, names: &[&str]) -> Result<&'a str, QueryError> {
        let refused = || unknown(text);
        let at = text.find(['=', '<', '>']).ok_or_else(refused)?;
        let (name, rest) = (text[..at].trim(), &text[at..]);
        let mut operators = Operator::ALL.iter();
        let found = operators
            .find_map(|(sign, operator)| Some((*operator, rest.strip_prefix(sign)?.trim_start())));
        let (operator, rest) = found.ok_or_else(refused)?;
        let kind = ValueKind::of(name);
        let is_known = names.contains(&name);
        if !is_known || (operator != Operator::Equal && kind != ValueKind::Moment) {
            return Err(refused());
        }
        let (openings, closing) = kind.brackets();
        let inner = openings.iter().find_map(|opening| rest.strip_prefix(opening));
        let (value, rest) =
            inner.and_then(|inner| inner.split_once(closing)).ok_or_else(refused)?;
        let value = kind.read(value).ok_or_else(refused)?;
        self.terms.push(Term { name: name.to_owned(), operator, value });
        Ok(rest)
    }

    /// Whether every comparison holds of the record whose elements `element` gives by name; a date
    /// as [`day_text`] or [`moment_text`] writes it.
    pub(crate) fn admits<'a>(&self, element: impl Fn(&str) -> Cow<'a, str>) -> bool {
        self.terms.iter().all(|term| {
            let actual = element(&term.name);
            term.operator.holds(actual.as_ref().cmp(term.value.as_str()))
        })
    }
}

/// A moment as text of fixed width, so that texts are in the order of time.
pub(crate) fn moment_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

/// The midnight with which a calendar date begins, as [`moment_text`] writes it.
pub(crate) fn day_text(date: Date) -> String {
    format!("{date}T00:00:00.000")
}

/// `2026, 11, 20` or `2026,11,20,3,41,22` as [`moment_text`] writes it.
fn moment_of_parts(text: &str) -> Option<String> {
    let parts: Vec<i16> =
        text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
    let small = |index: usize| i8::try_from(parts.get(index).copied().unwrap_or(0)).ok();
    if !matches!(parts.len(), 3 | 6) {
        return None;
    }
    let date = Date::new(*parts.first()?, small(1)?, small(2)?).ok()?;
    let time = Time::new(small(3)?, small(4)?, small(5)?, 0).ok()?;
    Some(format!("{date}T{time}.000"))
}

fn unknown(text: &str) -> QueryError {
    QueryError(format!("the filter cannot be understood from here on: {text}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_one_form_of_modified_since_is_obeyed() {
        assert_eq!(
            modified_since("2026-10-05T03:41:22"),
            Some("2026-10-05T03:41:22Z".parse().unwrap())
        );
        for ignored in [
            "2026-10-05T03:41:22Z",
            "2026-10-05T03:41:22.518",
            "2026-10-05 03:41:22",
            "2026-10-05",
            "Mon, 05 Oct 2026 03:41:22 GMT",
            "2026-10-05T03:41:2é",
        ] {
            assert_eq!(modified_since(ignored), None, "{ignored}");
        }
    }

    #[test]
    fn filters_may_be_joined() {
        let id = Uuid::from_u128(7);
        let names = ["Invoice.InvoiceID", "Reference", "Status"];
        let parse = |text: &str| Filter::parse(Some(text), &names);
        let text = format!(
            r#"Invoice.InvoiceID==guid("{id}") AND Reference=="a AND b"&&Status=="AUTHORISED""#
        );

        let filter = parse(&text).unwrap();

        let admits = |status: &'static str| {
            filter.admits(|name| match name {
                "Invoice.InvoiceID" => id.to_string().into(),
                "Reference" => "a AND b".into(),
                _ => status.into(),
            })
        };
        assert!(admits("AUTHORISED"));
        assert!(!admits("DELETED"));
        assert!(parse(r#"Amount==5"#).is_err());
        assert!(parse(r#"Status=="A" OR Status=="B""#).is_err());
        assert!(parse(r#"Invoice.InvoiceID=="a""#).is_err());
        assert_eq!(Filter::parse(None, &names), Ok(Filter::default()));
    }

    #[test]
    fn dates_are_compared_by_ranges() {
        let names = ["Date", "Status"];
        let parse = |text: &str| Filter::parse(Some(text), &names);
        let filter =
            parse("Date>=DateTime(2026, 11, 20) AND Date < DateTime(2026,11,23,0,0,0)").unwrap();
        let admits = |date: &str| {
            let date: Date = date.parse().unwrap();
            filter.admits(|_| day_text(date).into())
        };

        assert!(!admits("2026-11-19"));
        assert!(admits("2026-11-20"));
        assert!(admits("2026-11-22"));
        assert!(!admits("2026-11-23"));
        for refused in [
            "Date>=DateTime(2026,13,20)",
            "Date>=DateTime(2026,11)",
            r#"Date>="2026-11-20""#,
            r#"Status>="A""#,
            "Date=DateTime(2026,11,20)",
            "Date!=DateTime(2026,11,20)",
        ] {
            assert!(parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn sizes_out_of_range_are_adjusted() {
        let page = |raw: &str| Query::parse(raw).page();

        assert_eq!(page("pageSize=5"), None);
        assert_eq!(page("page=2&pageSize=5000"), Some(Page { page: 2, size: 1_000 }));
        assert_eq!(page("page=0&pageSize=0"), Some(Page { page: 1, size: 1 }));
        assert_eq!(page("page=1"), Some(Page { page: 1, size: 100 }));
    }

    #[test]
    fn commas_may_be_encoded() {
        let query = Query::parse("IDs=a%2Cb,c&Statuses=PAID");

        assert_eq!(query.list("ids"), Some(vec!["a", "b", "c"]));
        assert!(query.ids("IDs").is_err());
        assert_eq!(query.list("Statuses"), Some(vec!["PAID"]));
    }
}
