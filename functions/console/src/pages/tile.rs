//! A tile of the page of integrations: how one connection is.

use crate::view::Button;

pub(super) struct Badge {
    pub(super) text: &'static str,
    pub(super) class: &'static str,
    pub(super) symbol: &'static str,
}

pub(super) struct Reason {
    pub(super) code: String,
    pub(super) words: String,
    pub(super) class: &'static str,
    pub(super) remedy: &'static str,
}

pub(super) struct ErrorLine {
    pub(super) at: String,
    pub(super) what: String,
    pub(super) class: String,
    pub(super) problem: String,
    pub(super) remedy: &'static str,
}

pub(super) struct Tile {
    pub(super) kind: &'static str,
    pub(super) third_party: String,
    pub(super) badge: Badge,
    pub(super) reasons: Vec<Reason>,
    pub(super) note: Option<String>,
    pub(super) countdown: Option<String>,
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) errors: Vec<ErrorLine>,
    pub(super) contact: Option<String>,
    pub(super) actions: Vec<Button>,
}
