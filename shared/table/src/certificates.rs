//! The certificates that everything in Xero is accounted for: one row for each organisation and day.

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use jiff::Timestamp;
use payments::OrganisationId;
use payments::sweep::{Accounted, Certificate, CertificateState};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::schema::{ACTIVITY, CERTIFICATES};
use crate::tables::Tables;

/// Most days of the log that are gone through: as far back as a first certificate looks.
const DAYS_MAX: usize = 32;

/// What the next certificate, and the connection's status, rest on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LastCertificate {
    /// From where the next one looks.
    pub next_from: Timestamp,
    /// When it was made.
    pub checked_at: Timestamp,
    /// Whether everything was accounted for.
    pub state: CertificateState,
}

impl Tables {
    /// Stores a certificate, in place of an earlier one of the same day.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn store_certificate(&self, certificate: &Certificate) -> Result<(), WriteError> {
        self.put_row(CERTIFICATES, row(certificate)).await
    }

    /// The last certificate in short; `None` if there is none.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn last_certificate(
        &self,
        organisation: OrganisationId,
    ) -> Result<Option<LastCertificate>, ReadError> {
        let answer = self
            .client()
            .query()
            .table_name(self.name(CERTIFICATES))
            .key_condition_expression("organisation = :organisation")
            .expression_attribute_values(
                ":organisation",
                AttributeValue::S(organisation.to_string()),
            )
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(1)
            .send()
            .await
            .map_err(|error| ReadError::unavailable(CERTIFICATES, error))?;
        let Some(item) = answer.items().first() else { return Ok(None) };
        let row = Reader::new(CERTIFICATES, item);
        Ok(Some(LastCertificate {
            next_from: row.parsed("next_from")?,
            checked_at: row.parsed("checked_at")?,
            state: row.code("state", CertificateState::from_code)?,
        }))
    }

    /// How many payments a sweep has brought, changed or taken away between two moments, as the log says.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn repaired_between(
        &self,
        organisation: OrganisationId,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<u32, ReadError> {
        let mut repaired = 0_u32;
        let mut at = from;
        for _ in 0..DAYS_MAX {
            repaired =
                repaired.saturating_add(self.repaired_on(organisation, at, from, until).await?);
            let date = at.strftime("%Y-%m-%d").to_string();
            if date == until.strftime("%Y-%m-%d").to_string() {
                break;
            }
            at =
                at.saturating_add(jiff::SignedDuration::from_hours(24)).unwrap_or(until).min(until);
        }
        Ok(repaired)
    }

    async fn repaired_on(
        &self,
        organisation: OrganisationId,
        on: Timestamp,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<u32, ReadError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut pages = self
            .client()
            .query()
            .table_name(self.name(ACTIVITY))
            .key_condition_expression("#day = :day AND #at BETWEEN :from AND :until")
            .filter_expression(
                "cause = :sweep AND #action IN (:imported, :updated, :deleted, :adopted)",
            )
            .expression_attribute_names("#day", "day")
            .expression_attribute_names("#at", "at")
            .expression_attribute_names("#action", "action")
            .expression_attribute_values(":day", text(&day(organisation, on)))
            .expression_attribute_values(":from", text(&instant(from)))
            .expression_attribute_values(":until", text(&instant(until)))
            .expression_attribute_values(":sweep", text("sweep"))
            .expression_attribute_values(":imported", text("imported"))
            .expression_attribute_values(":updated", text("updated"))
            .expression_attribute_values(":deleted", text("deleted"))
            .expression_attribute_values(":adopted", text("adopted"))
            .select(Select::Count)
            .into_paginator()
            .send();
        let mut count = 0_u32;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| ReadError::unavailable(ACTIVITY, error))?;
            count = count.saturating_add(u32::try_from(page.count).unwrap_or(0));
        }
        Ok(count)
    }
}

fn row(certificate: &Certificate) -> Item {
    let mut row = Writer::default()
        .text("organisation", certificate.organisation)
        .text("day", certificate.day)
        .text("state", certificate.state)
        .instant("changes_from", certificate.from)
        .instant("complete_until", certificate.until)
        .instant("checked_at", certificate.checked_at)
        .instant("next_from", certificate.next_from())
        .number("repaired", certificate.repaired)
        .instant_if("unsettled_compared_at", certificate.unsettled_compared_at)
        .text_if("all_compared_since", certificate.all_compared_since)
        .number("calls", certificate.calls)
        .text_if("problem", certificate.problem.as_deref());
    for accounted in Accounted::ALL {
        row = row.number(accounted.code(), certificate.count(*accounted));
    }
    let reasons = certificate.reasons.iter();
    let reasons =
        reasons.map(|(reason, count)| (reason.clone(), AttributeValue::N(count.to_string())));
    let sums = certificate.sums.iter().map(|(currency, (xero, here))| {
        let sums = Writer::default().number("in_xero", xero).number("here", here);
        (currency.clone(), AttributeValue::M(sums.finish()))
    });
    let missing = certificate.missing.iter().map(|missing| {
        let missing = Writer::default()
            .text("xero_payment_id", missing.payment)
            .text_if("xero_invoice_id", missing.invoice)
            .text_if("number", missing.number.as_deref())
            .text("why", missing.why);
        AttributeValue::M(missing.finish())
    });
    row.value("reasons", AttributeValue::M(reasons.collect()))
        .value("sums", AttributeValue::M(sums.collect()))
        .value("missing_payments", AttributeValue::L(missing.collect()))
        .flag("is_complete", certificate.state == CertificateState::Complete)
        .finish()
}
