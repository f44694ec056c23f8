//! Notices to customers: what was drafted, and what the business's own system has reported of each (SP-23, SP-26).

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put};
use jiff::Timestamp;
use payments::{
    Action, CustomerNotice, DiscrepancyKey, InvoiceNumber, NoticeKind, NoticeReport,
    OrganisationId, StoredNotice,
};

use crate::activity::day;
use crate::attributes::{Item, Reader, Writer, instant};
use crate::error::{ReadError, WriteError};
use crate::rows::invoice_key;
use crate::schema::{ACTIVITY, NOTICES, ORGANISATIONS};
use crate::tables::{Tables, transact};

/// How an organisation wants notices to be drafted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NoticeSettings {
    /// Whether each one is drafted by itself (`customer_notices`), or only when a person says so.
    pub automatic: bool,
    /// What the organisation is called (`name`).
    pub business: Option<String>,
    /// Its own words, by kind (`notice_KIND`).
    pub words: BTreeMap<NoticeKind, String>,
}

impl Tables {
    /// How an organisation wants notices to be drafted; none if it is not set up here.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn notice_settings(
        &self,
        organisation: OrganisationId,
    ) -> Result<Option<NoticeSettings>, ReadError> {
        let key = [("organisation", organisation.to_string())];
        let Some(item) = self.one(ORGANISATIONS, &key).await? else { return Ok(None) };
        let row = Reader::new(ORGANISATIONS, &item);
        // A value that makes no sense is none: it must not stop the clock.
        let text = |name: &str| row.text_if(name).ok().flatten().map(str::to_owned);
        let words = NoticeKind::ALL.iter().filter_map(|kind| {
            Some((*kind, text(&format!("notice_{kind}")).filter(|words| !words.is_empty())?))
        });
        Ok(Some(NoticeSettings {
            automatic: row.flag("customer_notices").unwrap_or(false),
            business: text("name"),
            words: words.collect(),
        }))
    }

    /// A notice, by its id.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn notice(
        &self,
        organisation: OrganisationId,
        id: &str,
    ) -> Result<Option<StoredNotice>, ReadError> {
        let key = [("organisation", organisation.to_string()), ("notice", id.to_owned())];
        self.one(NOTICES, &key).await?.as_ref().map(read_notice).transpose()
    }

    /// The notices about a discrepancy of an invoice, in the order of their drafting.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn notices_about(
        &self,
        organisation: OrganisationId,
        number: &InvoiceNumber,
        key: &DiscrepancyKey,
    ) -> Result<Vec<StoredNotice>, ReadError> {
        let text = |text: String| AttributeValue::S(text);
        let mut pages = self
            .client()
            .query()
            .table_name(self.name(NOTICES))
            .key_condition_expression(
                "organisation = :organisation AND begins_with(notice, :begin)",
            )
            .expression_attribute_values(":organisation", text(organisation.to_string()))
            .expression_attribute_values(":begin", text(format!("{number}#{key}#")))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut notices = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| ReadError::unavailable(NOTICES, error))?;
            notices.push(read_notice(&item)?);
        }
        notices.sort_by_key(|notice| notice.drafted_at);
        Ok(notices)
    }

    /// Stores what was reported of a notice, on condition that its row is still as it was read; the log says so in the
    /// same transaction.
    ///
    /// # Errors
    /// `Conflict`, `Unavailable`.
    pub async fn store_notice_report(
        &self,
        known: &StoredNotice,
        after: &StoredNotice,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let Some(report) = &after.report else { return Ok(()) };
        let put = Put::builder().table_name(self.name(NOTICES)).set_item(Some(notice_row(after)));
        let put = match &known.report {
            None => put.condition_expression(
                "attribute_exists(notice) AND attribute_not_exists(revision)",
            ),
            Some(report) => {
                put.condition_expression("revision = :read").expression_attribute_values(
                    ":read",
                    AttributeValue::N(report.revision.to_string()),
                )
            }
        };
        let answer = report.answer.as_ref().map(|answer| format!(": {answer}"));
        let why = format!("notice {}: {}{}", report.id, report.state(), answer.unwrap_or_default());
        let (organisation, number) = (after.organisation, &after.invoice);
        let log = Writer::default()
            .text("day", day(organisation, now))
            .text("at", format!("{}#{}#{}", instant(now), report.id, report.revision))
            .text("organisation", organisation)
            .text("invoice", invoice_key(organisation, number))
            .text("invoice_number", number)
            .text("cause", "intake")
            .logged(Action::NoticeReported)
            .text("rule", "SP-26")
            .text("notice", &report.id)
            .text("reason", report.state())
            .text("subject", &after.discrepancy.subject)
            .text("about", &after.discrepancy)
            .text("why", why)
            .finish();
        let rows = vec![transact(put)?, self.put(ACTIVITY, log)?];
        self.commit(NOTICES, rows).await
    }
}

pub(crate) fn notice_row(stored: &StoredNotice) -> Item {
    let StoredNotice { organisation, invoice, discrepancy, notice, drafted_at, report } = stored;
    let row = Writer::default()
        .text("organisation", organisation)
        .text("notice", &notice.id)
        .text("invoice_number", invoice)
        .text("discrepancy", discrepancy)
        .text("kind", notice.kind)
        .text_if("customer", notice.customer.as_ref())
        .text("subject", &notice.subject)
        .text("words", &notice.text)
        .instant("drafted_at", *drafted_at)
        .text("state", report.as_ref().map_or("drafted", NoticeReport::state));
    let Some(report) = report else { return row.finish() };
    let row = row
        .number("revision", report.revision)
        .instant_if("sent_at", report.sent_at)
        .instant_if("answered_at", report.answered_at)
        .text_if("answer", report.answer.as_ref());
    match report.satisfied {
        Some(satisfied) => row.flag("satisfied", satisfied),
        None => row,
    }
    .finish()
}

fn read_notice(item: &Item) -> Result<StoredNotice, ReadError> {
    let row = Reader::new(NOTICES, item);
    let id = row.text("notice")?.to_owned();
    let report = match row.number_if("revision")? {
        Some(revision) => Some(NoticeReport {
            organisation: row.parsed("organisation")?,
            id: id.clone(),
            revision,
            sent_at: row.parsed_if("sent_at")?,
            answered_at: row.parsed_if("answered_at")?,
            answer: row.text_if("answer")?.map(str::to_owned),
            satisfied: match row.has("satisfied") {
                true => Some(row.flag("satisfied")?),
                false => None,
            },
        }),
        None => None,
    };
    Ok(StoredNotice {
        organisation: row.parsed("organisation")?,
        invoice: row.parsed("invoice_number")?,
        discrepancy: row.code("discrepancy", DiscrepancyKey::parse)?,
        notice: CustomerNotice {
            id,
            kind: row.code("kind", NoticeKind::from_code)?,
            customer: row.parsed_if("customer")?,
            subject: row.text("subject")?.to_owned(),
            text: row.text("words")?.to_owned(),
        },
        drafted_at: row.parsed("drafted_at")?,
        report,
    })
}
