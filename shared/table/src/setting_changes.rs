//! Settings as texts: what a person sees and types, and a change of some of them that is checked before it is stored
//! (CC-29).

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use jiff::Timestamp;
use payments::{OrganisationId, SETTINGS, SettingKind, SettingSpec, Settings};

use crate::activity_log::{Ordered, order_row};
use crate::attributes::Item;
use crate::error::{ReadError, WriteError};
use crate::schema::ORGANISATIONS;
use crate::settings::read_settings;
use crate::tables::Tables;

/// Longest text of a setting: what is longer is a mistake.
const TEXT_CHARS_MAX: usize = 1_000;

/// Why settings are not changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingError {
    /// There is no such organisation here.
    #[error("the organisation is not set up here")]
    Unknown,
    /// A text makes no sense. It is not quoted.
    #[error("`{setting}` {problem}")]
    Senseless {
        /// Which setting.
        setting: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The tables do not answer.
    #[error("the settings could not be read")]
    Read(#[source] ReadError),
}

/// A setting before and after a change, as texts; empty where nothing is chosen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettingChange {
    /// Which.
    pub name: &'static str,
    /// Before.
    pub before: String,
    /// After.
    pub after: String,
}

/// A change of settings that makes sense, and is not stored yet.
#[derive(Debug)]
pub struct SettingDraft {
    /// The settings as they would be.
    pub settings: Settings,
    /// What is another than before.
    pub changes: Vec<SettingChange>,
    before: Item,
    after: Item,
}

impl Tables {
    /// The settings of an organisation with other texts for some of them, checked by the same reading that every function
    /// reads them with: what would stop the organisation is refused here, and named.
    ///
    /// # Errors
    /// [`SettingError`].
    pub async fn draft_settings(
        &self,
        organisation: OrganisationId,
        texts: &BTreeMap<String, String>,
    ) -> Result<SettingDraft, SettingError> {
        let key = [("organisation", organisation.to_string())];
        let row = self.one(ORGANISATIONS, &key).await.map_err(SettingError::Read)?;
        let before = row.ok_or(SettingError::Unknown)?;
        let mut after = before.clone();
        let mut changes = Vec::new();
        for (name, text) in texts {
            let spec = SettingSpec::of(name).ok_or_else(|| senseless(name, "is no setting"))?;
            let text = text.trim();
            let was = text_of(spec, before.get(spec.name));
            if was == text {
                continue;
            }
            match value_of(spec, text)? {
                None => _ = after.remove(spec.name),
                Some(value) => _ = after.insert(spec.name.to_owned(), value),
            }
            let is = text_of(spec, after.get(spec.name));
            if was != is {
                changes.push(SettingChange { name: spec.name, before: was, after: is });
            }
        }
        let settings = read_settings(organisation, &after).map_err(|error| match error {
            ReadError::Unreadable { attribute, problem, .. } => senseless(&attribute, &problem),
            error @ ReadError::Unavailable { .. } => SettingError::Read(error),
        })?;
        let close = changes.iter().find(|change| matches!(change.name, "close_at" | "holidays"));
        match (close, settings.close.mistakes.first()) {
            // These are left out where they are read; here a person can still mend them.
            (Some(change), Some(mistake)) => Err(senseless(change.name, mistake)),
            _ => Ok(SettingDraft { settings, changes, before, after }),
        }
    }

    /// Stores a change, if what it changes is still as it was, with a row of the activity log.
    ///
    /// # Errors
    /// `Conflict` if another writer has changed one of these settings meanwhile; `Unavailable`.
    pub async fn store_settings_draft(
        &self,
        draft: &SettingDraft,
        ordered: &Ordered<'_>,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let organisation = AttributeValue::S(draft.settings.organisation.to_string());
        let mut update = Update::builder()
            .table_name(self.name(ORGANISATIONS))
            .key("organisation", organisation);
        let (mut set, mut remove, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
        for (place, change) in draft.changes.iter().enumerate() {
            update = update.expression_attribute_names(format!("#n{place}"), change.name);
            match draft.after.get(change.name) {
                None => remove.push(format!("#n{place}")),
                Some(value) => {
                    set.push(format!("#n{place} = :n{place}"));
                    update =
                        update.expression_attribute_values(format!(":n{place}"), value.clone());
                }
            }
            match draft.before.get(change.name) {
                None => unchanged.push(format!("attribute_not_exists(#n{place})")),
                Some(value) => {
                    unchanged.push(format!("#n{place} = :b{place}"));
                    update =
                        update.expression_attribute_values(format!(":b{place}"), value.clone());
                }
            }
        }
        // The id of an account binds; of another code another account is meant (XC-14).
        if draft.changes.iter().any(|change| change.name == "prepayment_account_code") {
            remove.push("prepayment_account_id".to_owned());
        }
        unchanged.push("attribute_exists(organisation)".to_owned());
        let clause = |word: &str, parts: &[String]| match parts {
            [] => String::new(),
            parts => format!("{word} {} ", parts.join(", ")),
        };
        let expression = format!("{}{}", clause("SET", &set), clause("REMOVE", &remove));
        let update = update
            .update_expression(expression.trim())
            .condition_expression(unchanged.join(" AND "))
            .build()
            .map_err(|error| WriteError::Malformed(Box::new(error)))?;
        let update = TransactWriteItem::builder().update(update).build();
        let log = self.add_to_log(order_row(ordered, now))?;
        self.commit(ORGANISATIONS, vec![update, log]).await
    }
}

/// Each setting as a text, as a person types it.
pub(crate) fn setting_texts(row: &Item) -> BTreeMap<&'static str, String> {
    SETTINGS.iter().map(|spec| (spec.name, text_of(spec, row.get(spec.name)))).collect()
}

fn senseless(setting: &str, problem: &str) -> SettingError {
    SettingError::Senseless { setting: setting.to_owned(), problem: problem.to_owned() }
}

/// A value as a text; a value that is none of ours as its kind.
fn text_of(spec: &SettingSpec, value: Option<&AttributeValue>) -> String {
    let list = |values: Vec<String>| values.join(", ");
    match value {
        // A switch that is not there is off.
        None | Some(AttributeValue::Null(_)) if spec.kind == SettingKind::Switch => {
            "false".to_owned()
        }
        None | Some(AttributeValue::Null(_)) => String::new(),
        Some(AttributeValue::S(text)) | Some(AttributeValue::N(text)) => text.clone(),
        Some(AttributeValue::Bool(is_on)) => is_on.to_string(),
        Some(AttributeValue::Ss(texts)) => list(texts.clone()),
        Some(AttributeValue::L(values)) => {
            list(values.iter().map(|value| text_of(spec, Some(value))).collect())
        }
        Some(AttributeValue::M(pairs)) => {
            let pairs: BTreeMap<_, _> = pairs.iter().collect();
            list(
                pairs
                    .into_iter()
                    .map(|(name, value)| format!("{name}: {}", of_pair(value)))
                    .collect(),
            )
        }
        Some(_) => "(not a text)".to_owned(),
    }
}

fn of_pair(value: &AttributeValue) -> String {
    let text =
        |item: &Item, name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
    match value {
        AttributeValue::S(text) => text.clone(),
        AttributeValue::M(item) => {
            let code = text(item, "account_code").unwrap_or_default();
            text(item, "tax_type").map_or(code.clone(), |tax| format!("{code}/{tax}"))
        }
        _ => "(not a text)".to_owned(),
    }
}

/// A text as the value that is stored; `None` for the default.
fn value_of(spec: &SettingSpec, text: &str) -> Result<Option<AttributeValue>, SettingError> {
    let wrong = |problem: &str| senseless(spec.name, problem);
    if text.chars().count() > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
        return Err(wrong("is too long, or no plain text"));
    }
    if text.is_empty() {
        return Ok(None);
    }
    let parts = text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty());
    Ok(Some(match spec.kind {
        SettingKind::Text => AttributeValue::S(text.to_owned()),
        SettingKind::Switch => match text {
            "true" | "on" => AttributeValue::Bool(true),
            "false" | "off" => AttributeValue::Bool(false),
            _ => return Err(wrong("is neither on nor off")),
        },
        SettingKind::Number => {
            let number: u32 = text.parse().map_err(|_| wrong("is no whole number from 0 on"))?;
            AttributeValue::N(number.to_string())
        }
        SettingKind::Days => {
            AttributeValue::L(parts.map(|day| AttributeValue::S(day.to_owned())).collect())
        }
        SettingKind::Pairs => {
            let pairs: Result<Item, _> = parts
                .map(|part| pair(part).ok_or_else(|| wrong("has a part that is no NAME: VALUE")))
                .collect();
            AttributeValue::M(pairs?)
        }
    }))
}

/// `NAME: VALUE`, or `NAME: VALUE/TAX`.
fn pair(part: &str) -> Option<(String, AttributeValue)> {
    let text = |text: &str| AttributeValue::S(text.trim().to_owned());
    let (name, value) = part.split_once(':')?;
    let value = match value.split_once('/') {
        None => text(value),
        Some((code, tax)) => AttributeValue::M(Item::from([
            ("account_code".to_owned(), text(code)),
            ("tax_type".to_owned(), text(tax)),
        ])),
    };
    Some((name.trim().to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_of_a_row_is_described_for_people() {
        // CC-29: none can be changed in the table alone.
        let described: Vec<_> = SETTINGS.iter().map(|spec| spec.name).collect();
        // The id of an account follows from the account that was picked, the shadow has a page of its own, and feeds are a
        // table, which the README of `table` shows.
        let apart = ["prepayment_account_id", "shadow_since", "feeds"];
        let names = crate::settings::SETTINGS.iter().filter(|name| !apart.contains(*name));
        for name in names {
            assert!(described.contains(name), "{name}");
        }
    }

    #[test]
    fn a_text_becomes_a_value_and_that_the_same_text() {
        for (name, text) in [
            ("mirror_enabled", "true"),
            ("forward_days", "7"),
            ("prefix", "CM-"),
            ("holidays", "2026-12-25, 2026-12-26"),
            ("fee_accounts", "monthly: 405/INPUT, processing: 404"),
        ] {
            let spec = SettingSpec::of(name).unwrap();
            let value = value_of(spec, text).unwrap();
            assert_eq!(text_of(spec, value.as_ref()), text);
        }
    }
}
