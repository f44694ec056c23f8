//! The stored facts around an invoice, which say how its payments stand.

use std::collections::BTreeMap;

use super::facts::RemovedRow;
use crate::ids::{CustomerId, PaymentId};
use crate::mass_change::Brake;
use crate::upload::{Caps, Customer, Upload};

/// The stored facts, other than the invoice itself, that say how its payments stand.
#[derive(Clone, Debug, Default)]
pub struct InvoiceContext {
    /// The payments that were removed from it.
    pub removed: Vec<RemovedRow>,
    /// The uploads of its payments.
    pub uploads: BTreeMap<PaymentId, Upload>,
    /// Those who paid them.
    pub customers: BTreeMap<CustomerId, Customer>,
    /// What the organisation has used of its caps.
    pub caps: Option<Caps>,
    /// The brake on mass changes.
    pub brake: Option<Brake>,
}
