//! How a payment goes to Xero, and why some do not.

use crate::payment::PaymentStatus;
use crate::reason::codes;
use crate::reports::Receipt;

codes! {
    /// Through which door of the business's own system a payment came.
    Channel {
        /// The Pay Now button of an invoice (EX-01).
        PayNow = "pay_now",
        /// Typed in by staff while the customer is on the phone.
        VirtualTerminal = "virtual_terminal",
    }
    /// How a payment goes to Xero.
    Route {
        /// By the Pay Now button: at once, to exactly the invoice that it names (EX-01).
        PayNow = "PAY_NOW",
        /// It names its invoices: at once, to exactly those (EX-10).
        Direct = "DIRECT",
        /// By BPAY: in the night, to what the customer owes (EX-03).
        Bpay = "BPAY",
        /// No payment, but an invoice of the provider: at once, as a bill (EX-12).
        ProviderInvoice = "PROVIDER_INVOICE",
        /// A credit invoice of the provider: at once, as a credit note, or with its invoice (EX-15a, EX-15b).
        ProviderCredit = "PROVIDER_CREDIT",
        /// A part of a credit note on a bill: at once (EX-17).
        CreditAllocation = "CREDIT_ALLOCATION",
    }
    /// How far the money has come.
    Certainty {
        /// Approved by the bank or gateway; it may still fail.
        Approved = "approved",
        /// Taken from the payer.
        Confirmed = "confirmed",
        /// On the business's own bank account.
        Settled = "settled",
    }
    /// Why a payment does not go to Xero. That stays so until what is known of it changes, or a
    /// person releases it.
    Skip {
        /// Not approved, or not taken, or not settled yet: as far as the organisation asks
        /// (EX-02, EX-35).
        NotApproved = "not_approved",
        /// The money was given back before it went up.
        Refunded = "refunded",
        /// Older than the day from which payments are uploaded (EX-33).
        BeforeStartDate = "before_start_date",
        /// Dated on that very day, of which only the date is known; a person can include it
        /// (AMB-14).
        OnStartDate = "on_start_date",
        /// A card or direct debit payment that names no invoice (EX-09, AMB-17).
        NotAppliedToInvoice = "not_applied_to_invoice",
        /// A batch debit, which belongs to no customer (EX-11).
        NoCustomer = "no_customer",
        /// Paid in a way that is not uploaded, such as a bank transfer: Xero has it from the bank.
        MethodNotUploaded = "method_not_uploaded",
        /// It is known to be in Xero already.
        AlreadyInXero = "already_in_xero",
        /// It was found to be the same as a payment in Xero, and that one was deleted there (CM-35).
        RemovedInXero = "removed_in_xero",
        /// It would take more parts than one upload may have.
        TooManyParts = "too_many_parts",
        /// It became a line of the bill that it is applied to, since it was issued before the start date (EX-15b).
        LineOnBill = "line_on_bill",
        /// An allocation for which the credit or what is due does not suffice any more; another one is planned.
        NoLongerNeeded = "no_longer_needed",
        /// A person said so.
        DoNotSend = "do_not_send",
    }
    /// The condition that a payment waits for, other than its night. Every night judges it again.
    Hold {
        /// Something about the customer has to be solved first (EX-28).
        BlockedByAction = "BLOCKED_BY_ACTION",
        /// A person said so; only a person releases it.
        HeldByPerson = "HELD_BY_PERSON",
        /// Dated in a period that is locked in Xero.
        LockedPeriod = "LOCKED_PERIOD",
        /// In another currency than the invoice, or than the books.
        CurrencyMismatch = "CURRENCY_MISMATCH",
        /// The invoice that it names is not open in Xero.
        InvoiceNotOpen = "INVOICE_NOT_OPEN",
        /// More than is due on the invoice that it names.
        ExceedsDue = "EXCEEDS_DUE",
        /// It names invoices for only a part of its amount.
        PartlyAllocated = "PARTLY_ALLOCATED",
        /// A prepayment is needed, and the organisation has no account for prepayments.
        NoPrepaymentAccount = "NO_PREPAYMENT_ACCOUNT",
        /// A kind of fee on it has no account in Xero (EX-19).
        AccountUnmapped = "ACCOUNT_UNMAPPED",
        /// An account on which it would be booked is archived or deleted in Xero, or takes no such payments (XC-15).
        AccountUnusable = "ACCOUNT_UNUSABLE",
        /// A tax type of its lines is archived in Xero, or unknown there (XC-17).
        TaxUnusable = "TAX_UNUSABLE",
        /// No contact in Xero stands for the payment provider (EX-13).
        MerchantContactMissing = "MERCHANT_CONTACT_MISSING",
        /// It becomes a line of a bill, and goes with that (EX-15b).
        WaitsForBill = "WAITS_FOR_BILL",
        /// It would be a line of a bill that is in Xero, or may be, without it (EX-15b).
        BillInXero = "BILL_IN_XERO",
        /// The credits that become lines of the bill leave nothing to pay (EX-15b).
        CreditExceedsBill = "CREDIT_EXCEEDS_BILL",
        /// Xero, or another report, may hold the same money already; a person says *the same* or *two
        /// payments* (A8.3).
        PossibleDuplicate = "POSSIBLE_DUPLICATE",
        /// It, or a part of it, has more decimals than Xero keeps (AMB-30).
        AmountNotRepresentable = "AMOUNT_NOT_REPRESENTABLE",
        /// An invoice in Xero on which its plan rests cannot be read, or not be asked for (AMB-30).
        InvoiceUnreadable = "INVOICE_UNREADABLE",
        /// It cannot be written as Xero takes it (AMB-30).
        CannotBeSent = "CANNOT_BE_SENT",
    }
}

impl Route {
    /// Whether it waits for the night, and counts among the night's payments (AMB-10).
    pub fn is_nightly(self) -> bool {
        self == Self::Bpay
    }

    /// Whether it is an attempt among those of 30 days. What the provider's invoices take is not: EX-32
    /// counts payments.
    pub fn is_counted(self) -> bool {
        !matches!(self, Self::ProviderInvoice | Self::ProviderCredit | Self::CreditAllocation)
    }
}

impl Hold {
    /// Whether a night judges it again by itself.
    pub fn is_judged_anew(self) -> bool {
        self != Self::HeldByPerson
    }

    /// Whether a setting has to be made first: an action that is opened by that fact, and solved by the setting (EX-27).
    pub fn wants_setting(self) -> bool {
        matches!(
            self,
            Self::NoPrepaymentAccount
                | Self::AccountUnmapped
                | Self::AccountUnusable
                | Self::TaxUnusable
                | Self::MerchantContactMissing
        )
    }
}

/// Methods that have rules of their own.
const BPAY: &str = "bpay";
const CARD: &str = "card";
const DIRECT_DEBIT: &str = "direct_debit";
const BATCH_DEBIT: &str = "batch_debit";
/// Brought by a gateway.
const PAYPAL: &str = "paypal";
/// The same as the channel, for senders that know no channels.
const VIRTUAL_TERMINAL: &str = "virtual_terminal";

/// The way that a payment goes.
///
/// # Errors
/// Why it goes none.
pub fn route(receipt: &Receipt) -> Result<Route, Skip> {
    let names_invoices = !receipt.allocations.is_empty();
    let named = |route| if names_invoices { Ok(route) } else { Err(Skip::NotAppliedToInvoice) };
    match (receipt.method.as_str(), receipt.channel) {
        (BATCH_DEBIT, _) => Err(Skip::NoCustomer),
        (BPAY, _) => Ok(Route::Bpay),
        (CARD | DIRECT_DEBIT, Some(Channel::PayNow)) => named(Route::PayNow),
        (CARD | DIRECT_DEBIT | VIRTUAL_TERMINAL, _) | (_, Some(Channel::VirtualTerminal)) => {
            named(Route::Direct)
        }
        _ => Err(Skip::MethodNotUploaded),
    }
}

/// Whether a person has entered a payment: it goes no way to Xero, and no gateway brings it (AMB-40).
pub(crate) fn is_entered_by_hand(receipt: &Receipt) -> bool {
    route(receipt) == Err(Skip::MethodNotUploaded) && receipt.method != PAYPAL
}

/// Whether what is paid in this way is meant to be paid as a whole: by card, or through a gateway as an order
/// is (A7.2).
pub(crate) fn is_meant_whole(method: &str) -> bool {
    matches!(method, CARD | PAYPAL)
}

/// Whether a payment names no invoice and is not meant to: a batch debit, or a direct debit or a payment by the
/// virtual terminal that was applied to none (EX-09, EX-11). No person has to act on it.
pub(crate) fn never_gets_an_invoice(receipt: &Receipt) -> bool {
    match route(receipt) {
        Err(Skip::NoCustomer) => true,
        Err(Skip::NotAppliedToInvoice) => {
            receipt.channel == Some(Channel::VirtualTerminal)
                || (receipt.method != CARD && receipt.channel.is_none())
        }
        _ => false,
    }
}

/// How far the money has come; `None` if it was not taken, or was given back.
pub fn taken(receipt: &Receipt) -> Option<Certainty> {
    match receipt.status {
        PaymentStatus::Failed | PaymentStatus::Refunded => None,
        PaymentStatus::Pending => receipt.approved.then_some(Certainty::Approved),
        PaymentStatus::Confirmed if receipt.settled => Some(Certainty::Settled),
        PaymentStatus::Confirmed => Some(Certainty::Confirmed),
    }
}
