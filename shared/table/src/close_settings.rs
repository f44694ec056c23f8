//! When an organisation closes its days, as a person has written it into its row: what makes no sense there is said, and
//! stops nothing (SP-13).

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::Date;
use payments::close::{CloseSettings, HOLIDAYS_MAX};

use crate::attributes::Reader;
use crate::settings::read_time;

/// At the usual time, on every weekday, unless the row says otherwise.
pub(crate) fn read_close_settings(row: Reader<'_>) -> CloseSettings {
    let mut settings = CloseSettings::default();
    match read_time(row, "close_at") {
        Ok(at) => settings.at = at.unwrap_or(CloseSettings::AT),
        Err(_) => settings.mistakes.push(format!(
            "close_at is no time such as 17:30 from 04:00 on: {} is used",
            CloseSettings::AT.strftime("%H:%M")
        )),
    }
    let (mut days, mut wrong) = (BTreeSet::new(), 0_usize);
    let texts: Vec<Option<&String>> = match row.value("holidays") {
        None | Some(AttributeValue::Null(_)) => Vec::new(),
        Some(AttributeValue::Ss(texts)) => texts.iter().map(Some).collect(),
        Some(AttributeValue::L(values)) => values.iter().map(|value| value.as_s().ok()).collect(),
        Some(_) => {
            let words = "holidays is no list of days such as 2026-12-25: none is known";
            settings.mistakes.push(words.to_owned());
            Vec::new()
        }
    };
    for text in texts {
        match text.and_then(|text| text.parse::<Date>().ok()) {
            Some(day) => _ = days.insert(day),
            None => wrong += 1,
        }
    }
    if wrong > 0 {
        settings.mistakes.push(format!(
            "{wrong} of the holidays are no days such as 2026-12-25: they are left out"
        ));
    }
    if days.len() > HOLIDAYS_MAX {
        settings.mistakes.push(format!(
            "holidays lists {} days, and {HOLIDAYS_MAX} is the most: the earliest are left out",
            days.len()
        ));
    }
    settings.holidays = days.into_iter().rev().take(HOLIDAYS_MAX).collect();
    settings
}
