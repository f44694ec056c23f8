//! What a setting would change, before it is saved: each row is judged twice by the same functions, under the settings as they
//! are and as they would be, and nothing is written (CM-30, AMB-35).

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::ids::PaymentId;
use crate::money::Money;
use crate::reports::{Receipt, warnings};
use crate::settings::Settings;
use crate::upload::{Books, Upload, UploadDecision, admit, gate};

/// Most rows that are named.
pub const NAMED_MAX: usize = 20;

/// A payment that would be judged otherwise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JudgedTwice {
    /// Which payment.
    pub payment: PaymentId,
    /// Its amount.
    pub amount: Money,
    /// The decision as the settings are.
    pub before: String,
    /// What would be decided.
    pub after: String,
}

/// What a setting would change.
#[derive(Clone, Debug, Default)]
pub struct SettingEffect {
    /// How many payments were looked at.
    pub looked_at: u32,
    /// How many would be judged otherwise.
    pub count: u32,
    /// Their sums, by currency.
    pub sums: BTreeMap<&'static str, Money>,
    /// The first of them.
    pub first: Vec<JudgedTwice>,
}

impl SettingEffect {
    /// Judges a payment under both settings. A payment that is, or may be, in Xero stays as it is under any.
    pub fn look_at(
        &mut self,
        receipt: &Receipt,
        known: Option<&Upload>,
        (before, after): (&Settings, &Settings),
        now: Timestamp,
    ) {
        self.looked_at = self.looked_at.saturating_add(1);
        let new = match known {
            None => admit(None, receipt, now).upload,
            Some(_) => None,
        };
        let Some(upload) = known.or(new.as_deref()).filter(|upload| !upload.may_be_in_xero())
        else {
            return;
        };
        let (was, is) = (judgement(upload, before, now), judgement(upload, after, now));
        if was == is {
            return;
        }
        self.count = self.count.saturating_add(1);
        let sum = self.sums.entry(receipt.amount.currency().code());
        let sum = sum.or_insert_with(|| Money::zero(receipt.amount.currency()));
        *sum = sum.plus(receipt.amount).unwrap_or(*sum);
        if self.first.len() < NAMED_MAX {
            let (payment, amount) = (receipt.id.clone(), receipt.amount);
            self.first.push(JudgedTwice { payment, amount, before: was, after: is });
        }
    }
}

/// The decision about a payment, by its code, and the warnings that it raises.
fn judgement(upload: &Upload, settings: &Settings, now: Timestamp) -> String {
    let mut words = vec![match settings.upload.as_ref().filter(|upload| upload.enabled) {
        None => "stays: uploading is off".to_owned(),
        Some(uploading) => {
            // What the books take is no matter of a setting.
            let currency = upload.receipt.amount.currency();
            let books = Books { currency, locked_until: None };
            match gate(upload, None, &books, settings, uploading) {
                Ok(route) => format!("goes as {route}"),
                Err(UploadDecision::Skip(skip, _)) => format!("does not go: {skip}"),
                Err(UploadDecision::Hold(hold, _)) => format!("waits: {hold}"),
                Err(_) => "waits".to_owned(),
            }
        }
    }];
    let warnings = warnings(None, &upload.receipt, settings, now);
    words.extend(warnings.iter().map(|warning| format!("warns: {}", warning.kind)));
    words.join("; ")
}
