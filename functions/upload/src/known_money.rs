//! The money in Xero that may be a run's payments', as far as the run has read it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use payments::upload::{Claim, Stamp, Upload, XeroMoney, XeroMoneyKind};
use payments::{PaymentId, XeroContactId};
use uuid::Uuid;

/// Everything that money stands as in Xero.
pub(crate) const KINDS: [XeroMoneyKind; 3] =
    [XeroMoneyKind::Payment, XeroMoneyKind::Prepayment, XeroMoneyKind::Overpayment];

/// What a run knows of the money in Xero that may be its payments'.
#[derive(Debug, Default)]
pub(crate) struct KnownMoney {
    /// The payments that it has judged and not sent.
    pub(crate) claims: BTreeMap<PaymentId, Claim>,
    pub(crate) money: BTreeMap<Uuid, XeroMoney>,
    /// Whose our own payments are now, of those that the reads have shown.
    pub(crate) ours: BTreeMap<Stamp, XeroContactId>,
    /// What a person has called the same as a payment, and was deleted in Xero.
    pub(crate) deleted: BTreeSet<Uuid>,
    /// What went up in the nights before.
    pub(crate) watch: Watch,
    pub(crate) reads: Vec<Read>,
    /// When Xero was last asked for the payments that are being sent.
    pub(crate) looked_at: Option<Timestamp>,
}

/// A stretch of days that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Read {
    pub(crate) kind: XeroMoneyKind,
    pub(crate) from: Date,
    pub(crate) to: Date,
    pub(crate) at: Timestamp,
}

/// What went up lately and names no invoice.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) uploads: BTreeMap<PaymentId, Upload>,
    /// The contacts that were merged into those of the claims.
    pub(crate) former: BTreeMap<XeroContactId, Vec<XeroContactId>>,
    pub(crate) claims: Vec<Claim>,
}
