//! Of which parts an upload consists, and what of it they cover.

use super::ledger::Upload;
use super::part::{LedgerError, Part, PartState, Target};
use super::stamp::Stamp;
use crate::money::Money;

impl Upload {
    /// How much of it is not covered by any part that is, may be, or will be in Xero.
    ///
    /// # Errors
    /// `Money`.
    pub fn unallocated(&self) -> Result<Money, LedgerError> {
        self.without(self.parts.iter().filter(|part| part.state.stands()))
    }

    /// How much of it is neither in Xero nor on its way there: what a plan has to cover. Parts that were sent
    /// in vain are planned with the rest.
    ///
    /// # Errors
    /// `Money`.
    pub fn to_place(&self) -> Result<Money, LedgerError> {
        let standing = |part: &&Part| part.state.stands() && part.state != PartState::Planned;
        self.without(self.parts.iter().filter(standing))
    }

    fn without<'p>(&self, parts: impl Iterator<Item = &'p Part>) -> Result<Money, LedgerError> {
        let sum = Money::sum(self.receipt.amount.currency(), parts.map(|part| part.amount))?;
        Ok(self.whole()?.minus(sum)?)
    }

    /// What goes to Xero of it: of a bill less what credit invoices take off it as lines (EX-15b).
    ///
    /// # Errors
    /// `Money`.
    pub fn whole(&self) -> Result<Money, LedgerError> {
        let credited = self.credited.iter().map(|line| line.amount);
        let credited = Money::sum(self.receipt.amount.currency(), credited)?;
        Ok(self.receipt.amount.minus(credited)?)
    }

    /// The parts to be sent.
    pub fn planned(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.state == PartState::Planned)
    }

    /// The part that bears this stamp.
    pub fn stamped(&self, stamp: &Stamp) -> Option<&Part> {
        self.parts.iter().find(|part| part.stamp == *stamp)
    }

    /// How many parts are in Xero, of how many that make up the payment (AMB-26). Refused ones are
    /// among these unless others have taken their place, which is so of the earlier ones.
    pub fn progress(&self) -> (usize, usize) {
        let of = |state| self.parts.iter().filter(move |part| part.state == state);
        let done = of(PartState::Done).count();
        let standing = self.parts.iter().filter(|part| part.state.stands()).count();
        let mut open = self.unallocated().ok();
        let latest = of(PartState::Refused).rev().take_while(|part| {
            let missing = open.filter(|left| left.is_positive());
            open = missing.and_then(|left| left.minus(part.amount).ok());
            missing.is_some()
        });
        let latest = latest.count();
        (done, standing.saturating_add(latest))
    }

    /// These parts take the place of those that are planned. One that is the same, and was sent in vain, keeps its
    /// stamp.
    pub(super) fn replace_planned(
        &mut self,
        mut parts: Vec<(Target, Money)>,
    ) -> Result<(), LedgerError> {
        let sum =
            Money::sum(self.receipt.amount.currency(), parts.iter().map(|(_, amount)| *amount))?;
        if sum != self.to_place()? {
            return Err(LedgerError::Sum);
        }
        let mut withdrawn = self.clone();
        for part in withdrawn.parts.iter_mut().filter(|part| part.state == PartState::Planned) {
            let same = |(target, amount): &(Target, Money)| part.is_same(target, *amount);
            match parts.iter().position(same) {
                // The invoice may bear another number by now.
                Some(position) => part.target = parts.remove(position).0,
                None => part.state = PartState::Withdrawn,
            }
        }
        withdrawn.forget_unsent();
        withdrawn.add_parts(parts)?;
        self.parts = withdrawn.parts;
        Ok(())
    }

    /// The planned parts are not sent: proven absent parts keep their stamp and are sent no more.
    pub(super) fn withdraw_planned(&mut self) {
        for part in self.parts.iter_mut().filter(|part| part.state == PartState::Planned) {
            part.state = PartState::Withdrawn;
        }
        self.forget_unsent();
    }

    /// Of a withdrawn part that was never sent, nothing has to be remembered.
    fn forget_unsent(&mut self) {
        self.parts.retain(|part| part.state != PartState::Withdrawn || part.tries > 0);
    }

    /// More parts, each with a number and a stamp of its own.
    pub(super) fn add_parts(&mut self, parts: Vec<(Target, Money)>) -> Result<(), LedgerError> {
        let currency = self.receipt.amount.currency();
        let sum = Money::sum(currency, parts.iter().map(|(_, amount)| *amount))?;
        if sum != self.unallocated()? || parts.iter().any(|(_, amount)| !amount.is_positive()) {
            return Err(LedgerError::Sum);
        }
        for (target, amount) in parts {
            let number = self.parts.last().map_or(1, |part| part.number.saturating_add(1));
            let (organisation, id) = (self.receipt.organisation, &self.receipt.id);
            let stamp = match &target {
                Target::Invoice { id: invoice, .. } => {
                    Stamp::new(organisation, id, number, invoice)
                }
                Target::Prepayment { contact }
                | Target::Bill { contact }
                | Target::CreditNote { contact } => Stamp::new(organisation, id, number, contact),
                Target::Allocation { note, bill } => {
                    Stamp::new(organisation, id, number, format_args!("{note}/{bill}"))
                }
            };
            self.parts.push(Part {
                number,
                target,
                amount,
                stamp,
                state: PartState::Planned,
                tries: 0,
                key: None,
                sent_at: None,
                absences: 0,
                looked_at: None,
                refusal: None,
                placed: None,
            });
        }
        Ok(())
    }
}
