//! The books of an organisation in Xero, as far as every payment has to fit into them.

use jiff::civil::Date;

use crate::money::Currency;

/// What the books say, read for this plan.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Books {
    /// The currency of the books.
    pub currency: Currency,
    /// Nothing dated on or before this day may be written: the later of both lock dates.
    pub locked_until: Option<Date>,
}
