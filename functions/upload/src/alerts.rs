//! Messages to operators about rows that wait for a person: about a setting one, when the row begins to wait;
//! about every other hold one with the number of rows (EX-29). And the actions that we open ourselves.

use std::collections::{BTreeMap, BTreeSet};

use payments::CustomerId;
use payments::explanations::State;
use payments::upload::{Hold, NO_CONTACT, record_action, why_unmapped};
use queue::Uploads;
use table::{HELD_COUNTED_MAX, Races};

use crate::error::RunError;
use crate::run::{Move, Run};

/// The subject of the message that counts the rows on hold.
const HELD: &str = "held";

impl<Q: Uploads> Run<'_, Q> {
    /// Raises the messages of rows that are about to be held for want of a setting (EX-13, EX-19, EX-29).
    /// To be called before they are written: if the run ends in between, the message is raised again, and
    /// not forgotten.
    pub(crate) async fn tell_held(&self, moves: &[Move]) -> Result<(), RunError> {
        let mut messages: BTreeMap<(Hold, String), String> = BTreeMap::new();
        for row in moves.iter().filter(|moved| moved.is_news()).map(|moved| &moved.after) {
            match (row.hold(), &row.bill) {
                (Some(hold @ Hold::AccountUnmapped), Some(_)) => {
                    for kind in row.unmapped(self.uploading) {
                        let why = why_unmapped(&BTreeSet::from([kind]));
                        messages.insert((hold, kind.to_string()), why);
                    }
                }
                (Some(hold @ Hold::MerchantContactMissing), _) => {
                    let subject = "merchant_contact_id".to_owned();
                    messages.insert((hold, subject), row.why.clone());
                }
                _ => {}
            }
        }
        for ((hold, subject), why) in messages {
            self.message(hold.code(), &subject, &why).await?;
        }
        self.tell_contacts(moves).await?;
        self.open_actions(moves).await
    }

    /// Opens an action for each customer whose payment waits for its contact in Xero, so that no hold for an
    /// action is without one (EX-27, EX-28). Before the rows are written, as the messages are.
    async fn open_actions(&self, moves: &[Move]) -> Result<(), RunError> {
        let held = moves.iter().map(|moved| &moved.after);
        let held = held.filter(|row| row.hold() == Some(Hold::BlockedByAction));
        let ids: BTreeSet<CustomerId> =
            held.filter_map(|row| row.receipt.customer.clone()).collect();
        for id in ids {
            self.open_action(&id).await?;
        }
        Ok(())
    }

    async fn open_action(&self, id: &CustomerId) -> Result<(), RunError> {
        let mut races = Races::default();
        loop {
            let known = self.tables.customer(self.organisation(), id).await?;
            let has = |known: &payments::upload::Customer| {
                known.blocked.is_some() || known.contact.is_some()
            };
            if known.as_ref().is_some_and(has) {
                return Ok(());
            }
            let (whose, now) = ((self.organisation(), id), self.now());
            let Some(after) = record_action(known.as_ref(), whose, Some(NO_CONTACT), now) else {
                return Ok(());
            };
            let written = self.tables.store_customer(known.as_ref(), &after, None, now).await;
            if races.won(written)?.is_some() {
                return Ok(());
            }
        }
    }

    /// One message for each reason to hold, with the number of rows; the ones whose reason is gone go, if the
    /// run is about everything.
    pub(crate) async fn tell_counts(&self, whole: bool) -> Result<(), RunError> {
        let held = self.tables.held_uploads(self.organisation(), HELD_COUNTED_MAX).await?;
        for hold in Hold::ALL.iter().copied().filter(|hold| !has_messages_of_its_own(*hold)) {
            let code = hold.code();
            match held.by_hold.get(&hold) {
                Some(count) => {
                    let words = State::Blocked(hold).words();
                    let (says, remedy) = (words.says, words.remedy.trim_end_matches('.'));
                    let why = format!("{count} on hold. {says} What to do: {remedy}");
                    self.message(code, HELD, &why).await?;
                }
                None if whole => {
                    self.tables.end_message(self.organisation(), code, HELD).await?;
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// Of a setting that is missing there is a message for each kind of fee, or for the setting. A credit invoice that goes
/// with its bill waits for no person.
fn has_messages_of_its_own(hold: Hold) -> bool {
    matches!(hold, Hold::AccountUnmapped | Hold::MerchantContactMissing | Hold::WaitsForBill)
}
