//! What operators are told of rows that wait for a setting: once, when the row begins to wait.

use std::collections::{BTreeMap, BTreeSet};

use payments::upload::{Hold, NO_MERCHANT_CONTACT, why_unmapped};
use queue::Uploads;

use crate::error::RunError;
use crate::run::{Move, Run};

impl<Q: Uploads> Run<'_, Q> {
    /// Raises the messages of rows that are about to be held for want of a setting (EX-13, EX-19, EX-29).
    /// To be called before they are written: if the run ends in between, the message is raised again, and
    /// not forgotten.
    pub(crate) async fn tell_held(&self, moves: &[Move]) -> Result<(), RunError> {
        let mut messages: BTreeMap<(Hold, String), String> = BTreeMap::new();
        for row in moves.iter().filter(|moved| moved.is_news()).map(|moved| &moved.after) {
            match (row.hold(), &row.bill) {
                (Some(hold @ Hold::AccountUnmapped), Some(bill)) => {
                    for kind in bill.unmapped(self.uploading) {
                        let why = why_unmapped(&BTreeSet::from([kind]));
                        messages.insert((hold, kind.to_string()), why);
                    }
                }
                (Some(hold @ Hold::MerchantContactMissing), _) => {
                    let subject = "merchant_contact_id".to_owned();
                    messages.insert((hold, subject), NO_MERCHANT_CONTACT.to_owned());
                }
                _ => {}
            }
        }
        for ((hold, subject), why) in messages {
            self.message(hold.code(), &subject, &why).await?;
        }
        Ok(())
    }
}
