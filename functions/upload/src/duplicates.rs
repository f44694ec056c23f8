//! Whether another hand has put a payment's money into Xero (rules A8.3): what Xero and the tables know of it,
//! read when payments are planned and again immediately before they are sent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{SignedDuration, ToSpan};
use payments::upload::{
    Certain, Claim, Counterpart, MoneyInXero, Upload, UploadState, XeroMoney, XeroMoneyKind,
    link_found, standings, twins,
};
use payments::{InvoiceNumber, PaymentId, XeroPayment, XeroPaymentId, XeroPaymentKind, owners};
use queue::Uploads;
use table::{ReadError, WriteError};
use xero::ReceivedBetween;

use crate::error::RunError;
use crate::known_money::{KINDS, Read};
use crate::run::{Move, Run};

/// Days between two payments that are read by one call rather than by two.
const GAP_MAX: i32 = 31;

/// How long a look before sending counts for the bundles that follow each other in one go.
const LOOK_COUNTS_FOR: SignedDuration = SignedDuration::from_secs(5);

impl<Q: Uploads> Run<'_, Q> {
    /// Takes up what payments claim, and what the read for their plan has shown; says what Xero holds of each.
    pub(crate) async fn standings(
        &self,
        claims: Vec<Claim>,
        money: impl Iterator<Item = XeroMoney>,
    ) -> Result<BTreeMap<PaymentId, MoneyInXero>, RunError> {
        {
            let mut known = self.known_money.borrow_mut();
            known.money.extend(money.map(|money| (money.id, money)));
            known.claims.extend(claims.iter().map(|claim| (claim.payment.clone(), claim.clone())));
        }
        // What went up lately lies around the same days, and costs no call of its own.
        let watched = self.known_money.borrow().watch.claims.clone();
        let without_invoice: Vec<_> =
            claims.iter().filter(|claim| claim.unnamed.is_some()).collect();
        if !without_invoice.is_empty() {
            let all: Vec<_> = without_invoice.into_iter().chain(&watched).collect();
            for kind in KINDS {
                self.read_money(kind, &all).await?;
            }
        }
        Box::pin(self.compare()).await
    }

    /// A sending begins: Xero is asked once more before its first bundle.
    pub(crate) fn begins_to_send(&self) {
        self.known_money.borrow_mut().looked_at = None;
    }

    /// Asks once more, immediately before payments are sent, what Xero holds of them.
    pub(crate) async fn standings_now(
        &self,
        payments: &BTreeSet<PaymentId>,
    ) -> Result<BTreeMap<PaymentId, MoneyInXero>, RunError> {
        let now = self.now();
        let (claims, is_fresh) = {
            let known = self.known_money.borrow();
            let claims: Vec<Claim> = known.claims.values().cloned().collect();
            let fresh = |at| now.duration_since(at) < LOOK_COUNTS_FOR;
            (claims, known.looked_at.is_some_and(fresh))
        };
        if !claims.iter().any(|claim| payments.contains(&claim.payment)) {
            return Ok(BTreeMap::new());
        }
        if !is_fresh {
            let all: Vec<_> = claims.iter().collect();
            let without_invoice: Vec<_> =
                claims.iter().filter(|claim| claim.unnamed.is_some()).collect();
            self.read_money(XeroMoneyKind::Payment, &all).await?;
            self.read_money(XeroMoneyKind::Prepayment, &without_invoice).await?;
            self.read_money(XeroMoneyKind::Overpayment, &without_invoice).await?;
            self.known_money.borrow_mut().looked_at = Some(now);
        }
        Box::pin(self.compare()).await
    }

    /// A payment that was sent claims no money any more: later reads are compared with the other claims.
    pub(crate) fn is_sent(&self, payment: &PaymentId) {
        self.known_money.borrow_mut().claims.remove(payment);
    }

    /// Reads the money around the days of these payments that this run has not read.
    pub(crate) async fn read_unread(
        &self,
        kind: XeroMoneyKind,
        claims: &[&Claim],
    ) -> Result<(), RunError> {
        let days = self.uploading.same_money_days;
        let is_read = |claim: &&&Claim| {
            let (from, to) = around(claim.date, days);
            let covers = |read: &Read| read.kind == kind && read.from <= from && to <= read.to;
            self.known_money.borrow().reads.iter().any(covers)
        };
        let unread: Vec<_> = claims.iter().filter(|claim| !is_read(claim)).copied().collect();
        self.read_money(kind, &unread).await
    }

    /// Reads the money around the days of these payments: all of it, or what changed since it was read.
    async fn read_money(&self, kind: XeroMoneyKind, claims: &[&Claim]) -> Result<(), RunError> {
        let currency = |claim: &Claim| match (claim.named.first(), claim.unnamed) {
            (Some(portion), _) => Some(portion.amount.currency()),
            (None, Some((_, amount))) => Some(amount.currency()),
            (None, None) => None,
        };
        let Some(base) = claims.iter().find_map(|claim| currency(claim)) else { return Ok(()) };
        let days = claims.iter().map(|claim| claim.date).collect();
        for (from, to) in stretches(days, self.uploading.same_money_days) {
            let covered = |read: &&Read| read.kind == kind && read.from <= from && to <= read.to;
            let before = self.known_money.borrow().reads.iter().filter(covered).map(|r| r.at).max();
            let at = self.now();
            let asked = ReceivedBetween { from, to, changed_since: before, base };
            let found = self.xero.money_received(self.organisation(), kind, asked).await?;
            let mut known = self.known_money.borrow_mut();
            known.reads.push(Read { kind, from, to, at });
            known.money.extend(found.money.into_iter().map(|money| (money.id, money)));
            known.ours.extend(found.ours);
        }
        Ok(())
    }

    async fn compare(&self) -> Result<BTreeMap<PaymentId, MoneyInXero>, RunError> {
        let (claims, mut money) = {
            let known = self.known_money.borrow();
            let claims: Vec<Claim> = known.claims.values().cloned().collect();
            let money: Vec<XeroMoney> = known.money.values().cloned().collect();
            (claims, money)
        };
        let days = self.uploading.same_money_days;
        money.retain(|money| claims.iter().any(|claim| claim.concerns(money, days)));
        self.name_owners(&mut money).await?;
        Ok(standings(&claims, &money, days))
    }

    /// Says which local payment each of these is known to be the same as.
    pub(crate) async fn name_owners(&self, money: &mut [XeroMoney]) -> Result<(), RunError> {
        if money.is_empty() {
            return Ok(());
        }
        let mut on: BTreeMap<InvoiceNumber, Vec<XeroPayment>> = BTreeMap::new();
        for money in money.iter() {
            let Some((_, number)) = &money.invoice else { continue };
            if let Ok(local) = self.settings.prefix.to_local(number) {
                on.entry(local).or_default().push(as_payment(money));
            }
        }
        let contacts = money.iter().filter_map(|money| money.contact).collect();
        let mut same = self.said_to_be_the_same(&contacts).await?;
        let mut owned: BTreeMap<XeroPaymentId, PaymentId> = BTreeMap::new();
        for (number, payments) in on {
            let stored = match self.tables.invoice(self.organisation(), &number).await {
                Ok(stored) => stored,
                // An unreadable invoice owns no payment, so that an equal one is held for a person.
                Err(ReadError::Unreadable { .. }) => continue,
                Err(error) => return Err(error.into()),
            };
            let local: Vec<_> = stored
                .payments
                .iter()
                .filter(|payment| !payment.id.is_copy() && payment.link.is_none())
                .map(|payment| payment.id.clone())
                .collect();
            let found = self.tables.found_uploads(self.organisation(), &local).await?;
            let out = |row: &&Upload| row.is_out() || row.state == UploadState::Reserved;
            let mut on_their_way: BTreeSet<_> =
                found.uploads.iter().filter(out).map(|row| row.receipt.id.clone()).collect();
            // One that cannot be read may be on its way.
            on_their_way.extend(found.unreadable.iter().filter_map(|row| row.key.parse().ok()));
            same.extend(found.uploads.iter().flat_map(|row| {
                row.same_as.iter().map(|same| (same.clone(), row.receipt.id.clone()))
            }));
            owned.extend(owners(&stored, &payments, &on_their_way));
        }
        for money in money.iter_mut() {
            let is_payment = money.kind == XeroMoneyKind::Payment;
            let owner = owned.get(&XeroPaymentId::new(money.id)).filter(|_| is_payment);
            money.owner = owner.or(same.get(&Counterpart::Xero(money.id))).cloned();
        }
        Ok(())
    }

    /// The other payments with the same transaction id, method and amount, which go or went before.
    pub(crate) async fn twins(&self, row: &Upload) -> Result<Vec<PaymentId>, RunError> {
        let (organisation, receipt) = (self.organisation(), &row.receipt);
        let mut others =
            self.tables.with_transaction(organisation, &receipt.transaction_id).await?;
        others.retain(|other| *other != receipt.id);
        if others.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.tables.found_uploads(organisation, &others).await?;
        let mut twins = twins(row, &found.uploads);
        // One that cannot be read may be the same payment: a person says.
        twins.extend(found.unreadable.iter().filter_map(|row| row.key.parse().ok()));
        Ok(twins)
    }

    /// Writes rows whose money was found in Xero, each together with the invoice on which the payment takes the
    /// place of the copy.
    pub(crate) async fn write_found(
        &self,
        found: Vec<(Move, Vec<Certain>)>,
    ) -> Result<(), RunError> {
        for (moved, certain) in found {
            if !self.link_on_its_invoice(&moved, &certain).await? {
                self.write(vec![moved]).await?;
            }
        }
        Ok(())
    }

    /// Whether the row was written together with its invoice.
    async fn link_on_its_invoice(
        &self,
        moved: &Move,
        certain: &[Certain],
    ) -> Result<bool, RunError> {
        let [one] = certain else { return Ok(false) };
        // What gives slots back is written together with the caps.
        if moved.freed.is_some() || !self.settings.mirror_enabled {
            return Ok(false);
        }
        let Ok(number) = self.settings.prefix.to_local(&one.number) else { return Ok(false) };
        let stored = self.tables.invoice(self.organisation(), &number).await?;
        let id = &moved.before.receipt.id;
        let Some(change) = link_found(&stored, id, one.payment, self.now()) else {
            return Ok(false);
        };
        let rows = (&moved.before, &moved.after);
        match self.tables.link_upload(&stored, &change, rows, self.because()).await {
            Ok(()) => {
                self.became(&moved.after);
                Ok(true)
            }
            // The mirror was quicker; the row is written by itself, or found changed.
            Err(WriteError::Conflict) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn as_payment(money: &XeroMoney) -> XeroPayment {
    XeroPayment {
        id: XeroPaymentId::new(money.id),
        date: money.date,
        amount: money.amount,
        reference: None,
        kind: XeroPaymentKind::Received,
        deleted: false,
    }
}

/// The first and the last day that lie so close to a day.
fn around(day: Date, days: u32) -> (Date, Date) {
    let days = i32::try_from(days).unwrap_or(0).days();
    (day.checked_sub(days).unwrap_or(Date::MIN), day.checked_add(days).unwrap_or(Date::MAX))
}

/// The stretches of days around these, one for those that lie close together.
fn stretches(mut days: Vec<Date>, around: u32) -> Vec<(Date, Date)> {
    days.sort_unstable();
    let mut stretches: Vec<(Date, Date)> = Vec::new();
    for day in days {
        let (from, to) = self::around(day, around);
        match stretches.last_mut() {
            Some((_, end)) if from <= end.checked_add(GAP_MAX.days()).unwrap_or(Date::MAX) => {
                *end = to
            }
            _ => stretches.push((from, to)),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_that_lie_close_together_are_read_by_one_call() {
        let days = vec![date(2026, 3, 20), date(2026, 3, 2), date(2025, 12, 1)];
        assert_eq!(
            stretches(days, 3),
            [(date(2025, 11, 28), date(2025, 12, 4)), (date(2026, 2, 27), date(2026, 3, 23)),]
        );
        assert_eq!(stretches(vec![date(2026, 3, 2)], 0), [(date(2026, 3, 2), date(2026, 3, 2))]);
    }
}
