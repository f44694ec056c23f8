//! The part of a request that chooses: query string and `If-Modified-Since`.

use std::borrow::Cow;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use uuid::Uuid;

use crate::wire::Pagination;

/// A longer query string is answered by an unexplained 404 (xero.md 3.5, "IDs filter ceiling").
pub(crate) const QUERY_LENGTH_MAX: usize = 2_048;
/// Items on a page when `pageSize` does not say (xero.md 3.5).
const PAGE_SIZE_DEFAULT: usize = 100;
/// Items on the largest page; a larger size is adjusted, not refused (xero.md 3.5).
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
            _ => Err(QueryError(format!(
                "order={order} is not imitated; order=UpdatedDateUTC ASC is"
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
}

impl Order {
    /// Sorts by `key`, which gives the last change and the place in the order of creation.
    pub(crate) fn sort<T>(self, items: &mut [T], key: impl Fn(&T) -> (Timestamp, u64)) {
        match self {
            Self::Created => items.sort_by_key(|item| key(item).1),
            Self::OldestChange => items.sort_by_key(|item| key(item)),
            Self::NewestChange => items.sort_by_key(|item| std::cmp::Reverse(key(item))),
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
/// without a word (xero.md 3.5).
pub(crate) fn modified_since(header: &str) -> Option<Timestamp> {
    const LENGTH: usize = "2026-10-05T03:41:22".len();
    if header.len() != LENGTH || header.as_bytes().get(10) != Some(&b'T') {
        return None;
    }
    let time: DateTime = header.parse().ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// What `where` asks of a record: equalities, all of which must hold (xero.md 4.3).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Filter {
    terms: Vec<(String, String)>,
}

impl Filter {
    /// Reads one equality, or several joined by `AND` or `&&`, on elements of these `names`; an
    /// element whose name ends in `ID` is compared with a `guid("…")`, any other with a text.
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
        let (name, rest) = text.split_once("==").ok_or_else(|| unknown(text))?;
        let (name, rest) = (name.trim(), rest.trim_start());
        if !names.contains(&name) {
            return Err(unknown(text));
        }
        let openings: &[&str] =
            if name.ends_with("ID") { &["guid(\"", "Guid(\"", "GUID(\""] } else { &["\""] };
        let inner = openings
            .iter()
            .find_map(|opening| rest.strip_prefix(opening))
            .ok_or_else(|| unknown(text))?;
        let closing = if name.ends_with("ID") { "\")" } else { "\"" };
        let (value, rest) = inner.split_once(closing).ok_or_else(|| unknown(text))?;
        let value = match name.ends_with("ID") {
            true => Uuid::parse_str(value).map_err(|_| unknown(text))?.to_string(),
            false => value.to_owned(),
        };
        self.terms.push((name.to_owned(), value));
        Ok(rest)
    }

    /// Whether every equality holds of the record whose elements `element` gives by name.
    pub(crate) fn admits<'a>(&self, element: impl Fn(&str) -> Cow<'a, str>) -> bool {
        self.terms.iter().all(|(name, wanted)| element(name) == *wanted)
    }
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
