//! The facts of Xero and of the tables on which payments are judged, each read once in a run.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use payments::upload::{Books, ContactStanding, Customer, Upload, XeroContacts};
use payments::{CustomerId, XeroContactId};

/// What this run has read of Xero other than invoices and money, each once.
#[derive(Debug, Default)]
pub(crate) struct EvaluationContext {
    pub(crate) books: OnceCell<Books>,
    pub(crate) contacts: RefCell<XeroContacts>,
}

/// The customers of payments.
#[derive(Debug, Default)]
pub(crate) struct Customers {
    pub(crate) known: BTreeMap<CustomerId, Customer>,
    /// Those that cannot be read, here or in Xero, and why.
    pub(crate) unreadable: BTreeMap<CustomerId, String>,
}

/// What Xero says of a contact that a customer's payments rest on.
#[derive(Clone, Debug)]
pub(crate) struct FoundContact {
    pub(crate) customer: CustomerId,
    pub(crate) asked: XeroContactId,
    pub(crate) standing: ContactStanding,
}

pub(crate) fn customer_of<'c>(
    row: &Upload,
    customers: &'c BTreeMap<CustomerId, Customer>,
) -> Option<&'c Customer> {
    row.receipt.customer.as_ref().and_then(|id| customers.get(id))
}
