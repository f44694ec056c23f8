//! The lists of Xero that are walked, by name.

/// Which of Xero's lists.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum ListName {
    BankTransactions,
    Contacts,
    CreditNotes,
    Invoices,
    Overpayments,
    Payments,
    Prepayments,
}

impl ListName {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BankTransactions => "BankTransactions",
            Self::Contacts => "Contacts",
            Self::CreditNotes => "CreditNotes",
            Self::Invoices => "Invoices",
            Self::Overpayments => "Overpayments",
            Self::Payments => "Payments",
            Self::Prepayments => "Prepayments",
        }
    }

    pub(crate) const fn id_name(self) -> &'static str {
        match self {
            Self::BankTransactions => "BankTransactionID",
            Self::Contacts => "ContactID",
            Self::CreditNotes => "CreditNoteID",
            Self::Invoices => "InvoiceID",
            Self::Overpayments => "OverpaymentID",
            Self::Payments => "PaymentID",
            Self::Prepayments => "PrepaymentID",
        }
    }
}
