//! Where to look in Xero itself (EX-22, EX-25, ST-20).
//!
//! Addresses as Xero's guide to deep links has them (developer.xero.com/documentation/api-guides/deep-link-xero):
//! with an organisation's ShortCode they open its books, even if the reader has other books open; without it,
//! those that the reader used last.

use uuid::Uuid;

use crate::ids::{XeroContactId, XeroCreditId, XeroInvoiceId, XeroPaymentId};

/// To be said wherever links are shown (EX-26).
pub const NEEDS_LOGIN: &str = "Links to Xero need a login of one's own there.";

/// Where Xero helps with what is wrong inside Xero itself (EX-34).
pub const XERO_SUPPORT: &str = "https://central.xero.com/";

const XERO: &str = "https://go.xero.com";

/// A place in Xero.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Link {
    /// The record in Xero, in words.
    pub what: String,
    /// Its address.
    pub url: String,
}

/// Makes links into the books of one organisation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct XeroLinks {
    short_code: Option<String>,
    connected: bool,
}

impl XeroLinks {
    /// With Xero's ShortCode, such as `!mBdtL`, if it is known. One that is not made of letters, digits and
    /// `! - _` is left out: it would change the address. `connected` says whether Xero lets us in.
    pub fn new(short_code: Option<&str>, connected: bool) -> Self {
        let usable = |code: &&str| {
            !code.is_empty()
                && code.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '!' | '-' | '_'))
        };
        Self { short_code: short_code.filter(usable).map(str::to_owned), connected }
    }

    /// A sales invoice.
    pub fn invoice(&self, id: XeroInvoiceId, number: &str) -> Link {
        let url = self.url(&format!("/AccountsReceivable/View.aspx?InvoiceID={id}"));
        Link { what: format!("invoice {number} in Xero"), url }
    }

    /// A bill.
    pub fn bill(&self, id: XeroInvoiceId) -> Link {
        let url = self.url(&format!("/AccountsPayable/Edit.aspx?InvoiceID={id}"));
        Link { what: "bill in Xero".to_owned(), url }
    }

    /// A supplier's credit note.
    pub fn credit_note(&self, id: XeroCreditId) -> Link {
        let url = self.url(&format!("/AccountsPayable/ViewCreditNote.aspx?creditNoteID={id}"));
        Link { what: "credit note in Xero".to_owned(), url }
    }

    /// A customer's credit note.
    pub fn customer_credit_note(&self, id: XeroCreditId) -> Link {
        let url = self.url(&format!("/AccountsReceivable/ViewCreditNote.aspx?creditNoteID={id}"));
        Link { what: "credit note in Xero".to_owned(), url }
    }

    /// A payment, which Xero shows among the transactions of its bank account.
    pub fn payment(&self, id: XeroPaymentId) -> Link {
        let url = self.url(&format!("/Bank/ViewTransaction.aspx?bankTransactionID={id}"));
        Link { what: "payment in Xero".to_owned(), url }
    }

    /// The bank transaction that made a prepayment.
    pub fn bank_transaction(&self, id: Uuid) -> Link {
        let url = self.url(&format!("/Bank/ViewTransaction.aspx?bankTransactionID={id}"));
        Link { what: "prepayment in Xero".to_owned(), url }
    }

    /// A contact; none while Xero does not let us in (EX-22).
    pub fn contact(&self, id: XeroContactId) -> Option<Link> {
        let url = self.url(&format!("/Contacts/View/{id}"));
        self.connected.then(|| Link { what: "contact in Xero".to_owned(), url })
    }

    fn url(&self, page: &str) -> String {
        match &self.short_code {
            Some(code) => {
                format!("{XERO}/organisationlogin/default.aspx?shortcode={code}&redirecturl={page}")
            }
            None => format!("{XERO}{page}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id<T>(make: impl Fn(Uuid) -> T) -> T {
        make(Uuid::from_u128(7))
    }

    #[test]
    fn with_a_short_code_a_link_opens_the_books_of_its_organisation() {
        // EX-25, ST-20, X-15
        let links = XeroLinks::new(Some("!mBdtL"), true);
        assert_eq!(
            links.invoice(id(XeroInvoiceId::new), "CM-7").url,
            "https://go.xero.com/organisationlogin/default.aspx?shortcode=!mBdtL&redirecturl=\
             /AccountsReceivable/View.aspx?InvoiceID=00000000-0000-0000-0000-000000000007"
        );
        let plain = XeroLinks::new(None, true).payment(id(XeroPaymentId::new)).url;
        assert_eq!(
            plain,
            "https://go.xero.com/Bank/ViewTransaction.aspx?bankTransactionID=\
             00000000-0000-0000-0000-000000000007"
        );
    }

    #[test]
    fn a_short_code_that_would_change_the_address_is_left_out() {
        for hostile in ["", "!a&redirecturl=//evil", "!a b", "!a\"", "!ä"] {
            assert_eq!(XeroLinks::new(Some(hostile), true), XeroLinks::new(None, true));
        }
    }

    #[test]
    fn a_customer_leads_to_its_contact_only_while_xero_lets_us_in() {
        // EX-22
        let contact = id(XeroContactId::new);
        assert!(XeroLinks::new(Some("!mBdtL"), true).contact(contact).is_some());
        assert!(XeroLinks::new(Some("!mBdtL"), false).contact(contact).is_none());
    }
}
