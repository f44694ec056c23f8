//! The rows of the table `shadows`, and back.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use payments::shadow::{
    EntryDifference, EntryDifferenceKind, LeftAlone, ObservedPayment, ShadowObservation,
    ShadowReport, ShadowStep,
};
use payments::{Action, OrganisationId, Version};

use crate::attributes::{Item, Reader, Writer};
use crate::error::ReadError;
use crate::rows;

/// What the key of an invoice begins with.
pub(crate) const INVOICE: &str = "invoice#";
/// What the key of a report begins with.
pub(crate) const REPORT: &str = "report#";

fn list<T>(all: &[T], row: impl Fn(&T) -> Writer) -> AttributeValue {
    AttributeValue::L(all.iter().map(|one| AttributeValue::M(row(one).finish())).collect())
}

fn counts(all: &BTreeMap<String, u32>) -> AttributeValue {
    let number = |count: &u32| AttributeValue::N(count.to_string());
    AttributeValue::M(all.iter().map(|(code, count)| (code.clone(), number(count))).collect())
}

pub(crate) fn observation_row(observation: &ShadowObservation) -> Item {
    let payment = |payment: &ObservedPayment| {
        rows::with_amount(Writer::default(), payment.amount)
            .text("xero_payment_id", payment.id)
            .text("date", payment.day)
            .instant_if("gone_at", payment.gone_at)
    };
    let step = |step: &ShadowStep| {
        Writer::default()
            .text("action", step.action)
            .text("rule", &step.rule)
            .text_if("payment_id", step.payment.as_ref())
            .text_if("xero_payment_id", step.xero)
            .text("why", &step.why)
            .instant("since", step.since)
    };
    Writer::default()
        .text("organisation", observation.organisation)
        .text("shadow", format!("{INVOICE}{}", observation.number))
        .text("invoice_number", &observation.number)
        .text("xero_invoice_id", observation.invoice)
        .instant("updated_at", observation.version.updated_at)
        .instant("fetched_at", observation.version.fetched_at)
        .value("payments", list(&observation.payments, payment))
        .value("would", list(&observation.steps, step))
        .finish()
}

pub(crate) fn read_observation(
    organisation: OrganisationId,
    row: Reader<'_>,
) -> Result<ShadowObservation, ReadError> {
    let payment = |row: Reader<'_>| {
        Ok(ObservedPayment {
            id: row.parsed("xero_payment_id")?,
            amount: row.money("amount", row.parsed("currency")?)?,
            day: row.parsed("date")?,
            gone_at: row.parsed_if("gone_at")?,
        })
    };
    let step = |row: Reader<'_>| {
        Ok(ShadowStep {
            action: row.code("action", Action::from_code)?,
            rule: row.text("rule")?.to_owned(),
            payment: row.parsed_if("payment_id")?,
            xero: row.parsed_if("xero_payment_id")?,
            why: row.text("why")?.to_owned(),
            since: row.parsed("since")?,
        })
    };
    Ok(ShadowObservation {
        organisation,
        number: row.parsed("invoice_number")?,
        invoice: row.parsed("xero_invoice_id")?,
        version: Version {
            updated_at: row.parsed("updated_at")?,
            fetched_at: row.parsed("fetched_at")?,
        },
        payments: row.maps("payments")?.into_iter().map(payment).collect::<Result<_, _>>()?,
        steps: row.maps("would")?.into_iter().map(step).collect::<Result<_, _>>()?,
    })
}

pub(crate) fn report_row(report: &ShadowReport) -> Item {
    let difference = |difference: &EntryDifference| {
        Writer::default()
            .text("kind", difference.kind)
            .text_if("invoice_number", difference.number.as_ref())
            .text_if("payment_id", difference.payment.as_ref())
            .text_if("xero_payment_id", difference.xero)
            .text("why", &difference.why)
    };
    let left = |left: &LeftAlone| {
        Writer::default()
            .text_if("payment_id", left.payment.as_ref())
            .text_if("xero_payment_id", left.xero)
            .text("reason", &left.reason)
            .text("why", &left.why)
    };
    Writer::default()
        .text("organisation", report.organisation)
        .text("shadow", format!("{REPORT}{}", report.day))
        .text("day", report.day)
        .instant("made_at", report.made_at)
        .number("invoices", report.invoices)
        .number("agreeing", report.agreeing)
        .number("differences", report.differences_in_all())
        .value("would", counts(&report.would))
        .value("differing", counts(&report.differing))
        .value("left_alone", counts(&report.left_alone))
        .value("differ", list(&report.differences, difference))
        .value("left", list(&report.left, left))
        .finish()
}

pub(crate) fn read_report(
    organisation: OrganisationId,
    row: Reader<'_>,
) -> Result<ShadowReport, ReadError> {
    let difference = |row: Reader<'_>| {
        Ok(EntryDifference {
            kind: row.code("kind", EntryDifferenceKind::from_code)?,
            number: row.parsed_if("invoice_number")?,
            payment: row.parsed_if("payment_id")?,
            xero: row.parsed_if("xero_payment_id")?,
            why: row.text("why")?.to_owned(),
        })
    };
    let left = |row: Reader<'_>| {
        Ok(LeftAlone {
            payment: row.parsed_if("payment_id")?,
            xero: row.parsed_if("xero_payment_id")?,
            reason: row.text("reason")?.to_owned(),
            why: row.text("why")?.to_owned(),
        })
    };
    Ok(ShadowReport {
        organisation,
        day: row.parsed("day")?,
        made_at: row.parsed("made_at")?,
        invoices: row.number("invoices")?,
        agreeing: row.number("agreeing")?,
        would: row.numbers("would")?,
        differing: row.numbers("differing")?,
        differences: row.maps("differ")?.into_iter().map(difference).collect::<Result<_, _>>()?,
        left_alone: row.numbers("left_alone")?,
        left: row.maps("left")?.into_iter().map(left).collect::<Result<_, _>>()?,
    })
}
