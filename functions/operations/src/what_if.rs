//! What a setting would change, before it is saved: the domain judges every payment twice, and nothing is written (CM-30).

use commands::reply::{TriedPayment, WhatIfReply};
use commands::{Kind, WhatIf};
use jiff::Timestamp;
use payments::PaymentId;
use payments::upload::Upload;
use payments::what_if::SettingEffect;
use table::ReadError;

use crate::error::tables;
use crate::{ExecutionError, Operations};

/// Receipts that are read at a time.
const RECEIPTS: i32 = 200;

impl<C, U, Q, B> Operations<C, U, Q, B> {
    /// Which payments another value would judge otherwise.
    pub(crate) async fn what_if(
        &self,
        tried: &WhatIf,
        deadline: Timestamp,
    ) -> Result<WhatIfReply, ExecutionError> {
        let (organisation, now) = (tried.organisation, self.clock.now());
        let found = self.tables.settings_if(organisation, &tried.setting, &tried.value).await;
        let (before, after) = match found {
            Ok(Some(settings)) => settings,
            Ok(None) => return Err(ExecutionError::NotInShadow(organisation)),
            Err(ReadError::Unreadable { attribute, problem, .. }) => {
                return Err(ExecutionError::Field(
                    Kind::WhatIf,
                    format!("`{attribute}` {problem}"),
                ));
            }
            Err(error) => return Err(tables(&error)),
        };
        // What would be decided out of shadow.
        let both = (before.deciding(), after.deciding());
        let (mut effect, mut from, mut complete) = (SettingEffect::default(), None, true);
        loop {
            if self.is_short_of_time(deadline) {
                complete = false;
                break;
            }
            let page = self.tables.receipts(organisation, from.as_ref(), RECEIPTS).await;
            let (receipts, next) = page.map_err(|error| tables(&error))?;
            let ids: Vec<PaymentId> = receipts.iter().map(|receipt| receipt.id.clone()).collect();
            let known = self.tables.found_uploads(organisation, &ids).await;
            let known = known.map_err(|error| tables(&error))?.uploads;
            for receipt in &receipts {
                let known = known.iter().find(|row: &&Upload| row.receipt.id == receipt.id);
                effect.look_at(receipt, known, (&both.0, &both.1), now);
            }
            from = next;
            if from.is_none() {
                break;
            }
        }
        Ok(WhatIfReply {
            setting: tried.setting.clone(),
            looked_at: effect.looked_at,
            count: effect.count,
            sums: effect.sums.values().map(ToString::to_string).collect(),
            first: effect
                .first
                .into_iter()
                .map(|one| TriedPayment {
                    payment: one.payment,
                    amount: one.amount.to_string(),
                    before: one.before,
                    after: one.after,
                })
                .collect(),
            complete,
            beyond: beyond(&tried.setting).map(str::to_owned),
            recorded: false,
        })
    }
}

/// What of a setting only a read of Xero, or the next run, can show.
fn beyond(setting: &str) -> Option<&'static str> {
    Some(match setting {
        "mirror_enabled" | "prefix" | "time_zone" | "forward_days" => {
            "Which payments in Xero are copied, held or left is judged by the next full sweep, which reads every open \
             invoice again."
        }
        "calls_per_day" | "mass_change_max" | "upload_nightly_max" | "upload_bundle_max" => {
            "It limits how much is done at a time, and changes no decision about a payment."
        }
        "upload_account_id" | "prepayment_account_code" | "same_money_days" | "upload_due_at" => {
            "Its effect shows in the plan of the next night."
        }
        _ => return None,
    })
}
