//! Taking an object apart: every member is asked for once, and what is left over is a problem.

use std::collections::BTreeMap;

use super::json::Json;
use super::problems::{Problems, short};

/// A value, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub(super) path: String,
    pub(super) json: &'a Json,
}

impl<'a> Node<'a> {
    pub(super) fn root(json: &'a Json) -> Self {
        Self { path: String::new(), json }
    }

    /// Notes that the value is not what was expected.
    pub(super) fn must_be<T>(&self, expected: &str, problems: &mut Problems) -> Option<T> {
        problems.note(&self.path, format_args!("must be {expected}, not {}", self.json.kind()))
    }

    pub(super) fn text(&self, expected: &str, problems: &mut Problems) -> Option<&'a str> {
        match self.json {
            Json::Text(text) => Some(text),
            _ => self.must_be(expected, problems),
        }
    }

    pub(super) fn flag(&self, problems: &mut Problems) -> Option<bool> {
        match self.json {
            Json::Flag(flag) => Some(*flag),
            _ => self.must_be("true or false", problems),
        }
    }

    pub(super) fn elements(&self, problems: &mut Problems) -> Option<Vec<Self>> {
        let Json::List(list) = self.json else { return self.must_be("a list", problems) };
        let element = |(position, json)| Self { path: format!("{}/{position}", self.path), json };
        Some(list.iter().enumerate().map(element).collect())
    }
}

/// The members of an object that were not asked for yet.
#[derive(Debug)]
pub(super) struct Members<'a> {
    path: String,
    left: BTreeMap<&'a str, &'a Json>,
}

impl<'a> Members<'a> {
    /// The members of an object; a name that occurs twice is a problem, because each reader of
    /// JSON has its own mind about which of them counts.
    pub(super) fn of(node: &Node<'a>, problems: &mut Problems) -> Option<Self> {
        let Json::Object(object) = node.json else {
            return node.must_be("an object", problems);
        };
        let mut members = Self { path: node.path.clone(), left: BTreeMap::new() };
        for (name, json) in object {
            if members.left.insert(name, json).is_some() {
                problems.note::<()>(&members.path_of(name), "occurs more than once");
            }
        }
        Some(members)
    }

    pub(super) fn optional(&mut self, name: &str) -> Option<Node<'a>> {
        let json = self.left.remove(name)?;
        Some(Node { path: self.path_of(name), json })
    }

    pub(super) fn required(&mut self, name: &str, problems: &mut Problems) -> Option<Node<'a>> {
        let node = self.optional(name);
        if node.is_none() {
            problems.note::<()>(&self.path_of(name), "is missing");
        }
        node
    }

    /// A flag that is false unless it is there.
    pub(super) fn flag(&mut self, name: &str, problems: &mut Problems) -> Option<bool> {
        self.optional(name).map_or(Some(false), |node| node.flag(problems))
    }

    /// A member that was not asked for is not part of the contract: a misspelt name, most likely.
    pub(super) fn finish(self, problems: &mut Problems) {
        for name in self.left.keys() {
            problems.note::<()>(&self.path_of(name), "is no member that we know");
        }
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        format!("{}/{}", self.path, short(name).replace('~', "~0").replace('/', "~1"))
    }
}

/// Reads one member, if it is there, by one of the functions in `values`.
macro_rules! member {
    ($members:ident, $problems:ident, $name:literal, $read:expr) => {
        $members.required($name, $problems).and_then(|node| $read(&node, $problems))
    };
}
pub(super) use member;
