//! `GET /_control`: what can be done, and how to do it with curl.

use axum::{Json, http::HeaderMap};
use serde_json::{Value, json};

/// Method, path, what it does, and the body of an example.
const CONTROLS: &[(&str, &str, &str, &str)] = &[
    ("GET", "/organisations", "lists the organisations and their accounts", ""),
    (
        "POST",
        "/organisations",
        "opens an organisation; every field may be left out",
        r#"{"name":"Demo Company (AU)","currency":"AUD","country":"AU"}"#,
    ),
    (
        "POST",
        "/organisations/ORGANISATION_ID/accounts",
        "opens an account: BANK, CURRENT, CURRLIAB, EQUITY, EXPENSE, LIABILITY, OTHERINCOME, REVENUE",
        r#"{"code":"880","name":"Clearing","type":"CURRENT","payments_enabled":true}"#,
    ),
    (
        "POST",
        "/organisations/ORGANISATION_ID/accounts/ACCOUNT_ID/archive",
        "archives an account: nothing new can be booked on it",
        "",
    ),
    (
        "PUT",
        "/organisations/ORGANISATION_ID/lock-dates",
        "sets the lock dates; null unlocks",
        r#"{"period_lock_date":"2026-06-30","end_of_year_lock_date":null}"#,
    ),
    ("GET", "/organisations/ORGANISATION_ID/contacts", "lists the contacts", ""),
    (
        "POST",
        "/organisations/ORGANISATION_ID/contacts",
        "adds a contact",
        r#"{"name":"Wilma Flintstone","account_number":"K-1","email":"wilma@example.com"}"#,
    ),
    (
        "POST",
        "/contacts/CONTACT_ID/invoices",
        "puts an authorised invoice or bill of a known contact into the books",
        r#"{"number":"INV-0002","total":"115.00","currency":"AUD","date":"2026-10-01","due_date":"2026-10-31","kind":"ACCREC"}"#,
    ),
    (
        "POST",
        "/contacts/CONTACT_ID/credits",
        "records a credit_note, prepayment or overpayment by hand",
        r#"{"kind":"prepayment","date":"2026-10-05","amount":"50.00"}"#,
    ),
    (
        "POST",
        "/contacts/CONTACT_ID/merge",
        "merges a contact into another one, which gets its documents",
        r#"{"into":"CONTACT_ID"}"#,
    ),
    (
        "POST",
        "/invoices/INV-0002/rate",
        "sets the rate of an invoice in another currency than the books'",
        r#"{"rate":"1.275888"}"#,
    ),
    (
        "PUT",
        "/oddities",
        "what Xero does now and then: equal stamps, events newer than their invoice, escaped slashes, gzip",
        r#"{"equal_stamps":false,"event_lead_ms":0,"escaped_slashes":false,"gzip":false}"#,
    ),
    ("GET", "/credits/CREDIT_ID", "shows one with its allocations and refunds", ""),
    (
        "POST",
        "/credits/CREDIT_ID/allocations",
        "applies a part of it to an invoice of its contact",
        r#"{"invoice":"INVOICE_ID","amount":"20.00","date":"2026-10-06"}"#,
    ),
    ("DELETE", "/credits/CREDIT_ID/allocations/ALLOCATION_ID", "takes an allocation back", ""),
    ("POST", "/credits/CREDIT_ID/void", "voids it", ""),
    (
        "POST",
        "/credits/CREDIT_ID/refunds",
        "pays a part of it back; DELETE /payments/PAYMENT_ID takes that back",
        r#"{"date":"2026-10-07","amount":"30.00"}"#,
    ),
    (
        "POST",
        "/organisations/ORGANISATION_ID/batch-payments",
        "records one sum for several invoices into the bank account",
        r#"{"date":"2026-10-05","payments":[["INVOICE_ID","20.00"],["INVOICE_ID","30.00"]]}"#,
    ),
    (
        "DELETE",
        "/batch-payments/BATCH_ID",
        "deletes a batch payment with all its payments, none of which can be deleted alone",
        "",
    ),
    (
        "GET",
        "/organisations/ORGANISATION_ID/bank-transactions",
        "lists every bank transaction, the deleted ones too",
        "",
    ),
    (
        "POST",
        "/bank-transactions/BANK_TRANSACTION_ID/void",
        "voids a bank transaction, and its prepayment with it",
        "",
    ),
    (
        "DELETE",
        "/bank-transactions/BANK_TRANSACTION_ID",
        "deletes a bank transaction, and voids its prepayment",
        "",
    ),
    (
        "GET",
        "/organisations/ORGANISATION_ID/live-references",
        "lists the payments and bank transactions that count, by reference",
        "",
    ),
    ("GET", "/invoices", "lists every invoice with its payments, the deleted ones too", ""),
    (
        "POST",
        "/invoices",
        "puts an authorised invoice (ACCREC) or bill (ACCPAY) into the books",
        r#"{"organisation":"ORGANISATION_ID","number":"INV-0001","contact_name":"Barney Rubble","total":"115.00","currency":"AUD","date":"2026-10-01","due_date":"2026-10-31","kind":"ACCREC"}"#,
    ),
    ("GET", "/invoices/INV-0001", "shows one invoice, by number or id", ""),
    (
        "POST",
        "/invoices/INV-0001/payments",
        "records a payment",
        r#"{"date":"2026-10-05","amount":"46.00","reference":"BPAY 000173"}"#,
    ),
    (
        "POST",
        "/invoices/INV-0001/credit-notes",
        "writes a credit note and applies it",
        r#"{"amount":"15.00"}"#,
    ),
    ("POST", "/invoices/INV-0001/touch", "updates an invoice without a change to its payments", ""),
    ("POST", "/invoices/INV-0001/void", "voids an invoice", ""),
    ("GET", "/payments/PAYMENT_ID", "shows one payment", ""),
    (
        "POST",
        "/payments/PAYMENT_ID/edit",
        "edits a payment, which is to delete it and record another one",
        r#"{"amount":"64.00"}"#,
    ),
    ("DELETE", "/payments/PAYMENT_ID", "deletes a payment", ""),
    (
        "POST",
        "/payments/PAYMENT_ID/reconcile",
        "matches a payment to a bank line",
        r#"{"reconciled":true}"#,
    ),
    (
        "POST",
        "/contacts/CONTACT_ID/archive",
        "archives a contact: nothing new can be written for it, nor paid to it",
        "",
    ),
    (
        "GET",
        "/clock",
        "shows the time, whether it can be advanced, and how many requests wait for it",
        "",
    ),
    (
        "POST",
        "/clock",
        "puts the clock forward, where it is one that can be",
        r#"{"advance_seconds":3600}"#,
    ),
    ("DELETE", "/idempotency-keys", "forgets every Idempotency-Key", ""),
    ("DELETE", "/tokens", "makes every token expire", ""),
    (
        "POST",
        "/authorisations",
        "lets a user allow an app what it asks for, and gives the code for the first tokens",
        r#"{"client_id":"SIMULATEDCLIENT","redirect_uri":"http://localhost:9000/back","scopes":["offline_access","accounting.invoices.read"],"organisations":["ORGANISATION_ID"]}"#,
    ),
    (
        "DELETE",
        "/authorisations/ORGANISATION_ID",
        "takes back all that users have allowed for an organisation",
        "",
    ),
    ("GET", "/limits", "shows the call limits", ""),
    (
        "PUT",
        "/limits",
        "changes the call limits; null switches one off",
        r#"{"per_minute":60,"concurrent":5,"per_day":5000,"app_per_minute":10000}"#,
    ),
    ("GET", "/faults", "lists the faults in force", ""),
    (
        "POST",
        "/faults",
        "adds a fault: status, done_but_status, delay, late_answer, cut, hang, lost_answer, cut_mid_answer, truncated_json, html_page, stale_read, leave_out, rate_limit, applied_later, only_first",
        r#"{"method":"PUT","path":"/Payments","times":1,"effect":{"kind":"lost_answer"}}"#,
    ),
    ("DELETE", "/faults", "takes all faults away", ""),
    ("GET", "/meters", "shows what was called, by organisation", ""),
    ("DELETE", "/meters", "starts to measure afresh", ""),
    ("GET", "/webhook", "shows the webhook and how many events wait", ""),
    (
        "PUT",
        "/webhook",
        "sets the webhook up",
        r#"{"url":"http://127.0.0.1:9000/webhook","key":"WEBHOOK_KEY"}"#,
    ),
    (
        "POST",
        "/webhook/intent-to-receive",
        "asks the receiver to prove that it checks signatures",
        "",
    ),
    ("POST", "/webhook/flush", "delivers now what waits", ""),
    ("GET", "/webhook/deliveries", "lists every attempt at a delivery", ""),
];

pub(super) async fn show(headers: HeaderMap) -> Json<Value> {
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    let host = host.unwrap_or("127.0.0.1:9400");
    let controls: Vec<Value> = CONTROLS
        .iter()
        .map(|(method, path, purpose, body)| {
            let data = match *body {
                "" => String::new(),
                body => format!(" -H 'content-type: application/json' -d '{body}'"),
            };
            json!({
                "control": format!("{method} /_control{path}"),
                "purpose": purpose,
                "curl": format!("curl -X {method} http://{host}/_control{path}{data}"),
            })
        })
        .collect();
    Json(json!({ "controls": controls }))
}
