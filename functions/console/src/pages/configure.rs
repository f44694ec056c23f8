//! The settings of an organisation (CC-11, CC-29): each with its meaning, default, check and effect, changed here; and the
//! names that pages show. For administrators.

use askama::Template;
use commands::Reply;
use commands::reply::AccountOption;
use payments::close::Calendar;
use payments::connection::AccessMode;
use payments::{PickList, SETTINGS, SettingKind, SettingSpec};
use serde_json::json;

use super::{Page, PageError, Stage, filled};
use crate::event::SETTING_FIELD;
use crate::order::Order;
use crate::view::{Button, Buttons, Frame};

struct Elsewhere {
    what: &'static str,
    place: &'static str,
}

/// A setting with its field.
struct Setting {
    spec: &'static SettingSpec,
    field: String,
    value: String,
    /// What can be picked: the text that is stored, its name, whether it is chosen.
    choices: Vec<(String, String, bool)>,
    /// What it means as the settings are now.
    note: Option<String>,
    /// What makes no sense, and what stands in its place.
    mistakes: Vec<String>,
}

/// Settings that are saved together.
struct Group {
    title: &'static str,
    settings: Vec<Setting>,
    save: Option<Button>,
}

/// Holidays that are named.
const COMING_MAX: usize = 12;

#[derive(Template)]
#[template(path = "configure.html")]
struct Configure {
    frame: Frame,
    name: String,
    administrator: String,
    bank_feed: String,
    payment_gateway: String,
    save: Option<Button>,
    groups: Vec<Group>,
    lists: Option<Button>,
    elsewhere: Vec<Elsewhere>,
    sign_up: Option<Button>,
    connect: Option<Button>,
}

pub(super) async fn show(stage: &Stage<'_>) -> Result<String, PageError> {
    stage.count(1);
    let typed = |typed: &str, stored: &Option<String>| match stage.keep_why {
        // Typed text that was not saved is still there.
        true => typed.to_owned(),
        false => stored.clone().unwrap_or_default(),
    };
    let names = &stage.show.names;
    let Another { sign_up, connect } = another(stage.buttons, stage.mode);
    filled(&Configure {
        frame: stage.frame(),
        name: typed(&names.name, &stage.row.name),
        administrator: typed(&names.administrator, &stage.row.administrator),
        bank_feed: typed(&names.bank_feed, &stage.row.bank_feed),
        payment_gateway: typed(&names.payment_gateway, &stage.row.payment_gateway),
        save: stage.order(Order::Rename, json!({})),
        groups: groups(stage),
        lists: stage.order(Order::ListAccounts, json!({})),
        elsewhere: elsewhere(),
        sign_up,
        connect,
    })
}

/// How another organisation is signed up: by a user who picks it in Xero by its name (XC-03), or by the id of the one of a
/// custom connection.
pub(crate) struct Another {
    pub(crate) sign_up: Option<Button>,
    pub(crate) connect: Option<Button>,
}

/// The button for that, if the role may.
pub(crate) fn another(buttons: &Buttons, mode: AccessMode) -> Another {
    let of_none = Buttons { organisation: None, ..buttons.clone() };
    let button = |order| of_none.order(order, Page::Configure, json!({}));
    match mode {
        AccessMode::CustomConnection => Another { sign_up: button(Order::SignUp), connect: None },
        AccessMode::Grants => Another { sign_up: None, connect: button(Order::Authorise) },
    }
}

/// Every setting, those of a group together.
fn groups(stage: &Stage<'_>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for spec in SETTINGS {
        let setting = setting(stage, spec);
        match groups.last_mut().filter(|group| group.title == spec.group) {
            Some(group) => group.settings.push(setting),
            None => {
                let of_group = SETTINGS.iter().filter(|of| of.group == spec.group);
                let names: Vec<_> = of_group.map(|of| of.name).collect();
                let save = stage.order_about(Order::Configure, spec.group, json!({"names": names}));
                groups.push(Group { title: spec.group, settings: vec![setting], save });
            }
        }
    }
    groups
}

fn setting(stage: &Stage<'_>, spec: &'static SettingSpec) -> Setting {
    let stored = stage.row.texts.get(spec.name).cloned().unwrap_or_default();
    // What was typed and not saved is still there.
    let is_kept = stage.keep_why || !stage.replies.is_empty();
    let typed = stage.show.settings.get(spec.name).filter(|_| is_kept).cloned();
    let value = typed.unwrap_or(stored);
    let close = &stage.settings.close;
    let mistakes = close.mistakes.iter().filter(|words| words.contains(spec.name));
    Setting {
        spec,
        field: format!("{SETTING_FIELD}{}", spec.name),
        choices: choices(stage, spec, &value),
        note: note(stage, spec.name),
        mistakes: mistakes.cloned().collect(),
        value,
    }
}

/// What can be picked: on or off, and what the lists from Xero have, once they were fetched.
fn choices(stage: &Stage<'_>, spec: &SettingSpec, value: &str) -> Vec<(String, String, bool)> {
    let choice = |text: &str, name: String| (text.to_owned(), name, text == value);
    if spec.kind == SettingKind::Switch {
        return vec![choice("false", "off".to_owned()), choice("true", "on".to_owned())];
    }
    let listed = stage.replies.iter().find_map(|reply| match reply {
        Reply::ListAccounts(listed) => Some(listed),
        _ => None,
    });
    let Some(listed) = listed else { return Vec::new() };
    let of_use = |name: &'static str| {
        let found = listed.uses.iter().filter(move |of| of.r#use == name);
        found.flat_map(|of| of.chosen.iter().chain(&of.candidates))
    };
    let name = |account: &AccountOption| {
        let (code, currency) = (account.code.as_deref(), account.currency.as_deref());
        let parts = [code.unwrap_or_default(), &account.name, currency.unwrap_or_default()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    let mut choices: Vec<_> = match spec.pick {
        Some(PickList::Receiving) => of_use("payments")
            .map(|account| choice(&account.id.to_string(), name(account)))
            .collect(),
        Some(PickList::Booking) => of_use("prepayments")
            .filter_map(|account| Some(choice(account.code.as_ref()?, name(account))))
            .collect(),
        Some(PickList::TaxTypes) => listed
            .tax_types
            .iter()
            .map(|tax| choice(&tax.tax_type, format!("{} ({})", tax.name, tax.tax_type)))
            .collect(),
        Some(PickList::Contacts) | None => return Vec::new(),
    };
    choices.dedup();
    choices.insert(0, choice("", "none".to_owned()));
    if !choices.iter().any(|(.., chosen)| *chosen) {
        choices.push((value.to_owned(), format!("{value}: not in the list"), true));
    }
    choices
}

/// What a setting comes to at this moment, where a person would have to reckon.
fn note(stage: &Stage<'_>, name: &str) -> Option<String> {
    let calendar = Calendar::of(stage.settings);
    let today = stage.settings.today(stage.now);
    match name {
        "close_at" => {
            let next = calendar.day_of(stage.now);
            let ends = stage.moment(calendar.closes_at(next));
            Some(format!("The business day {next} ends {ends}."))
        }
        "holidays" => {
            let coming = stage.settings.close.holidays.range(today..).take(COMING_MAX);
            let coming: Vec<_> = coming.map(ToString::to_string).collect();
            (!coming.is_empty()).then(|| format!("No close on {}.", coming.join(", ")))
        }
        _ => None,
    }
}

/// Settings that are not in the organisation's row. Keys are never shown.
fn elsewhere() -> Vec<Elsewhere> {
    let there = |what, place| Elsewhere { what, place };
    vec![
        there(
            "Credentials of the connection to Xero",
            "secret: output XeroApiSecretArn of the stack",
        ),
        there("Signing keys of the webhook", "secret: output XeroWebhookSecretArn of the stack"),
        there(
            "The usual times of the night's upload, the comparison, the certificate and the digest",
            "parameters UploadTime, UploadTimeZone, FullSweepTime, CertificateTime, DigestTime of the stack",
        ),
    ]
}
