//! Where what an operator typed leads to: invoices and payments, by their keys and indexes alone.

use jiff::Timestamp;
use payments::explanations::{Search, SearchTerm, Subject};
use payments::{InvoiceNumber, OrganisationId, PaymentId, XeroInvoiceId, XeroPaymentId};

use crate::amounts::AmountsFound;
use crate::attributes::Reader;
use crate::error::ReadError;
use crate::meter::{Meter, owner};
use crate::schema::{
    BY_XERO_INVOICE_ID, BY_XERO_PAYMENT_ID, HELD_PAYMENTS, INVOICES, PAYMENTS, RECEIPTS,
    TOMBSTONES, UPLOADS,
};
use crate::tables::Tables;

/// What a search has found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct SearchResult {
    /// Invoices, by their local numbers, each once.
    pub invoices: Vec<InvoiceNumber>,
    /// Payments, each once, by the name under which the most is known of them.
    pub payments: Vec<Subject>,
    /// Payments of an amount, if one was looked for, and how far was looked.
    pub amounts: Option<AmountsFound>,
    /// How many rows were read.
    pub read: u32,
}

impl SearchResult {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        let none = self.amounts.as_ref().is_none_or(|amounts| amounts.candidates.is_empty());
        self.invoices.is_empty() && self.payments.is_empty() && none
    }

    fn invoice(&mut self, number: InvoiceNumber) {
        if !self.invoices.contains(&number) {
            self.invoices.push(number);
        }
    }

    fn payment(&mut self, subject: Subject) {
        if !self.payments.contains(&subject) {
            self.payments.push(subject);
        }
    }
}

/// A payment in Xero, wherever it is known here.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Whereabouts {
    /// Our name for it, if it has a row.
    pub(crate) ours: Option<PaymentId>,
    /// The invoices that it stands on, is held on or was removed from.
    pub(crate) invoices: Vec<InvoiceNumber>,
}

impl Tables {
    /// Looks for everything that was typed may mean. Only an amount takes more than a few rows, and those
    /// are bounded, too. The indexes lag by a moment.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn find(
        &self,
        organisation: OrganisationId,
        search: &Search,
        now: Timestamp,
    ) -> Result<SearchResult, ReadError> {
        self.find_before(organisation, search, (now, None)).await
    }

    /// The same among what is older than the place at which the search for an amount has ended.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn find_before(
        &self,
        organisation: OrganisationId,
        search: &Search,
        place: (Timestamp, Option<&str>),
    ) -> Result<SearchResult, ReadError> {
        let (mut found, mut meter) = (SearchResult::default(), Meter::default());
        for wanted in &search.wanted {
            match wanted {
                SearchTerm::Invoice(number) => {
                    if self.has_invoice(organisation, number, &mut meter).await? {
                        found.invoice(number.clone());
                    }
                }
                SearchTerm::XeroInvoice(id) => {
                    let numbers = self.numbers_by_id(organisation, *id, &mut meter).await?;
                    numbers.into_iter().for_each(|number| found.invoice(number));
                }
                SearchTerm::XeroPayment(id) => {
                    let known = self.locations(organisation, *id, &mut meter).await?;
                    match known.ours {
                        Some(ours) => found.payment(Subject::Ours(ours)),
                        None if known.invoices.is_empty() => {}
                        None => found.payment(Subject::Xero(*id)),
                    }
                }
                SearchTerm::Payment(id) => {
                    if self.has_payment(organisation, id, &mut meter).await? {
                        found.payment(Subject::Ours(id.clone()));
                    }
                }
                SearchTerm::Amount(amount, currency) => {
                    let amounts = self.find_amount(organisation, *amount, *currency, place).await?;
                    meter.add(usize::try_from(amounts.searched.read).unwrap_or(usize::MAX));
                    found.amounts = Some(amounts);
                }
            }
        }
        found.read = meter.total();
        Ok(found)
    }

    async fn has_invoice(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        meter: &mut Meter,
    ) -> Result<bool, ReadError> {
        let key = [("organisation", organisation.to_string()), ("number", number.to_string())];
        let found = self.one(INVOICES, &key).await?;
        meter.add(usize::from(found.is_some()));
        Ok(found.is_some())
    }

    async fn has_payment(
        &self,
        organisation: OrganisationId,
        payment: &PaymentId,
        meter: &mut Meter,
    ) -> Result<bool, ReadError> {
        for table in [RECEIPTS, UPLOADS] {
            let key =
                [("organisation", organisation.to_string()), ("payment_id", payment.to_string())];
            if self.one(table, &key).await?.is_some() {
                meter.add(1);
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn numbers_by_id(
        &self,
        organisation: OrganisationId,
        id: XeroInvoiceId,
        meter: &mut Meter,
    ) -> Result<Vec<InvoiceNumber>, ReadError> {
        let rows = self
            .by_id(INVOICES, BY_XERO_INVOICE_ID, "xero_invoice_id", id.to_string(), meter)
            .await?;
        let mut numbers = Vec::new();
        for item in &rows {
            let row = Reader::new(INVOICES, item);
            if row.parsed::<OrganisationId>("organisation")? == organisation {
                numbers.push(row.parsed("number")?);
            }
        }
        Ok(numbers)
    }

    /// Where a payment in Xero is known: as a row, as held, or as removed.
    pub(crate) async fn locations(
        &self,
        organisation: OrganisationId,
        id: XeroPaymentId,
        meter: &mut Meter,
    ) -> Result<Whereabouts, ReadError> {
        let mut known = Whereabouts::default();
        for table in [PAYMENTS, HELD_PAYMENTS, TOMBSTONES] {
            let index = BY_XERO_PAYMENT_ID;
            for item in self.by_id(table, index, "xero_payment_id", id.to_string(), meter).await? {
                let row = Reader::new(table, &item);
                let (owner, number) = owner(row)?;
                if owner != organisation {
                    continue;
                }
                if table == PAYMENTS {
                    known.ours = known.ours.or(Some(row.parsed("payment_id")?));
                }
                if !known.invoices.contains(&number) {
                    known.invoices.push(number);
                }
            }
        }
        Ok(known)
    }
}
