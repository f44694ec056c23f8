//! A row as bytes for a checksum: the same row always gives the same bytes, and no two different rows do.

use aws_sdk_dynamodb::types::AttributeValue;
use sha2::{Digest as _, Sha256};

use crate::attributes::Item;

/// Feeds a value to a checksum. Also types that we do not write: another hand may have written them.
pub(crate) fn feed(value: &AttributeValue, checksum: &mut Sha256) {
    match value {
        AttributeValue::S(text) => checksum.update(format!("S{}:{text}", text.len())),
        AttributeValue::N(number) => checksum.update(format!("N{}:{number}", number.len())),
        AttributeValue::Bool(flag) => checksum.update(format!("B{flag}")),
        AttributeValue::L(list) => {
            checksum.update(format!("L{}", list.len()));
            list.iter().for_each(|value| feed(value, checksum));
        }
        AttributeValue::M(map) => {
            checksum.update(format!("M{}", map.len()));
            feed_attributes(map, &[], checksum);
        }
        AttributeValue::Null(_) => checksum.update("0"),
        AttributeValue::B(bytes) => feed_bytes('X', bytes.as_ref(), checksum),
        AttributeValue::Ss(texts) => feed_set('s', texts, checksum),
        AttributeValue::Ns(numbers) => feed_set('n', numbers, checksum),
        AttributeValue::Bs(all) => {
            let mut all: Vec<_> = all.iter().map(AsRef::as_ref).collect();
            all.sort_unstable();
            checksum.update(format!("x{}", all.len()));
            all.into_iter().for_each(|bytes| feed_bytes('X', bytes, checksum));
        }
        _ => checksum.update("?"),
    }
}

/// Feeds the attributes of a row, in the order of their names, without these.
pub(crate) fn feed_attributes(row: &Item, without: &[&str], checksum: &mut Sha256) {
    let names = row.keys().filter(|name| !without.contains(&name.as_str()));
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    for name in names {
        checksum.update(format!("{}:{name}", name.len()));
        feed(&row[name], checksum);
    }
}

fn feed_bytes(kind: char, bytes: &[u8], checksum: &mut Sha256) {
    checksum.update(format!("{kind}{}:", bytes.len()));
    checksum.update(bytes);
}

/// A set has no order.
fn feed_set(kind: char, texts: &[String], checksum: &mut Sha256) {
    let mut texts: Vec<_> = texts.iter().collect();
    texts.sort_unstable();
    checksum.update(format!("{kind}{}", texts.len()));
    texts.into_iter().for_each(|text| checksum.update(format!("{}:{text}", text.len())));
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashMap};

    use aws_sdk_dynamodb::primitives::Blob;

    use super::*;

    fn of(value: &AttributeValue) -> Vec<u8> {
        let mut checksum = Sha256::new();
        feed(value, &mut checksum);
        checksum.finalize().to_vec()
    }

    /// SP-29: no value can be put in the place of another one without being noticed.
    #[test]
    fn two_values_have_one_checksum_only_if_they_are_the_same() {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let map = |entries: &[(&str, AttributeValue)]| {
            let entries = entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            AttributeValue::M(entries.collect::<HashMap<_, _>>())
        };
        let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let all = [
            text(""),
            text("1"),
            AttributeValue::N("1".to_owned()),
            AttributeValue::N("10".to_owned()),
            AttributeValue::Bool(true),
            AttributeValue::Bool(false),
            AttributeValue::Null(true),
            AttributeValue::B(Blob::new("1")),
            AttributeValue::B(Blob::new("2")),
            AttributeValue::Ss(set(&["1"])),
            AttributeValue::Ss(set(&["1", "2"])),
            AttributeValue::Ns(set(&["1"])),
            AttributeValue::Bs(vec![Blob::new("1")]),
            AttributeValue::L(vec![]),
            AttributeValue::L(vec![text("1"), text("2")]),
            AttributeValue::L(vec![text("2"), text("1")]),
            AttributeValue::L(vec![text("1S1:2")]),
            map(&[]),
            map(&[("a", text("1"))]),
            map(&[("b", text("1"))]),
            map(&[("a", text("1")), ("b", text("2"))]),
            map(&[("a", text("2")), ("b", text("1"))]),
            map(&[("a", map(&[("b", text("1"))]))]),
        ];
        let distinct: BTreeSet<_> = all.iter().map(of).collect();
        assert_eq!(distinct.len(), all.len());
        let (one, other) = (set(&["1", "2"]), set(&["2", "1"]));
        assert_eq!(of(&AttributeValue::Ss(one)), of(&AttributeValue::Ss(other)));
    }
}
