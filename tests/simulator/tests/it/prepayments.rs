//! Money taken in advance: `/BankTransactions` and `/Prepayments`.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::Value;
use uuid::Uuid;
use xero_simulator::{
    AccountKind, BankTransactionStatus, Batches, ConnectedTo, Effect, Fault, LockDates, NewAccount,
    PrepaymentReferences,
};

use crate::bench::{Answer, Bench, read};

const PATH: &str = "/BankTransactions?summarizeErrors=false";

fn list(transactions: &[String]) -> String {
    format!(r#"{{"BankTransactions":[{}]}}"#, transactions.join(","))
}

fn contact(bench: &Bench) -> Uuid {
    bench.simulator.add_contact(bench.organisation, "Wilma").unwrap()
}

fn recorded(bench: &Bench) -> usize {
    bench.simulator.organisation(bench.organisation).unwrap().bank_transactions.len()
}

async fn found(bench: &Bench, path: &str, query: (&str, &str)) -> Vec<Uuid> {
    let request = bench.request(Method::GET, path).query(&[query]);
    let json = read(request.send().await.unwrap()).await.json();
    let items = json[path.trim_start_matches('/')].as_array().unwrap().clone();
    let id = path.trim_start_matches('/').trim_end_matches('s').to_owned() + "ID";
    items.iter().map(|item| item[&id].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn a_prepayment_is_recorded_and_shows_in_both_lists() {
    let bench = Bench::start().await;
    let contact = contact(&bench);
    let body = list(&[bench.prepayment_json(contact, "N-1/7", "125.40")]);

    let answer = bench.send(Method::PUT, PATH, &body).await;

    let json = answer.json();
    let written = &json["BankTransactions"][0];
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(written["StatusAttributeString"], "OK");
    assert_eq!(
        (&written["Status"], &written["Reference"]),
        (&"AUTHORISED".into(), &"N-1/7".into())
    );
    assert_eq!(written["Contact"]["Name"], "Wilma");
    assert_eq!(written["BankAccount"]["Code"], "090");
    assert!(answer.text.contains(r#""SubTotal":125.40,"TotalTax":0.00,"Total":125.40"#));
    let id = written["BankTransactionID"].as_str().unwrap();
    let by_id = bench.get(&format!("/BankTransactions/{id}")).await.json();
    assert_eq!(by_id["BankTransactions"][0]["PrepaymentID"], written["PrepaymentID"]);
    let prepayment = written["PrepaymentID"].as_str().unwrap();
    let prepayment = bench.get(&format!("/Prepayments/{prepayment}")).await;
    assert!(prepayment.text.contains(r#""RemainingCredit":125.40"#), "{}", prepayment.text);
    let prepayment = &prepayment.json()["Prepayments"][0];
    assert_eq!(prepayment["Status"], "AUTHORISED");
    assert_eq!(prepayment["Reference"], prepayment["InvoiceNumber"], "not what was sent");
    assert_ne!(prepayment["Reference"], "N-1/7");
}

#[tokio::test]
async fn what_xero_refuses_is_refused() {
    let bench = Bench::start().await;
    let contact = contact(&bench);
    let (bank, good) =
        (bench.bank_account().to_string(), bench.prepayment_json(contact, "R", "5.00"));
    let sales =
        bench.simulator.organisation(bench.organisation).unwrap().accounts[1].id.to_string();
    let (unknown, contact) = (Uuid::from_u128(9).to_string(), contact.to_string());
    let cases = [
        (good.replace("RECEIVE-PREPAYMENT", "RECEIVE"), "Type RECEIVE is not imitated"),
        (good.replace(r#""Type":"RECEIVE-PREPAYMENT","#, ""), "A valid Type must be specified"),
        (good.replace(&contact, &unknown), "Contact could not be found"),
        (good.replace(&format!(r#""ContactID":"{contact}""#), ""), "The Contact must contain"),
        (good.replace(&bank, &unknown), "The BankAccount could not be found"),
        (good.replace(&bank, &sales), "The BankAccount must be an account of type BANK"),
        (good.replace(&format!(r#""AccountID":"{bank}""#), ""), "BankAccount is mandatory"),
        (good.replace("AUD", "NZD"), "The currency NZD is not the currency of the bank account"),
        (good.replace(r#""AccountCode":"200""#, r#""AccountCode":"999""#), "Account code '999'"),
        (good.replace(r#""AccountCode":"200""#, r#""AccountCode":"090""#), "Account code '090'"),
        (good.replace(r#","AccountCode":"200""#, ""), "Account code must be specified"),
        (good.replace("5.00", "0"), "UnitAmount must not be zero"),
        (good.replace("5.00", "-5.00"), "The total for this document must be greater than zero"),
        (
            good.replace(r#""Quantity":1"#, r#""Quantity":2,"LineAmount":5.00"#),
            "The line total 5.00",
        ),
        (good.replace("Money in advance", ""), "Description is mandatory"),
        (good.replace("NoTax", "Gross"), "Gross is not a valid LineAmountTypes"),
        (good.replace(r#""Reference":"R""#, r#""Status":"DELETED""#), "Status must be AUTHORISED"),
        (
            good.replace(r#""Reference":"R""#, &format!(r#""Reference":"{}""#, "r".repeat(256))),
            "Reference cannot",
        ),
    ];
    for (element, message) in cases {
        let summarised = bench
            .send(Method::PUT, "/BankTransactions", &list(std::slice::from_ref(&element)))
            .await;
        let own_result = bench.send(Method::PUT, PATH, &list(&[element])).await;
        assert_eq!(summarised.status, 400, "{message}");
        assert!(summarised.objection(0).starts_with(message), "{message}: {}", summarised.text);
        assert_eq!(own_result.status, 200);
        assert_eq!(own_result.json()["BankTransactions"][0]["StatusAttributeString"], "ERROR");
        bench.clock.advance(SignedDuration::from_secs(30));
    }
    assert_eq!(recorded(&bench), 0);
}

#[tokio::test]
async fn archived_contacts_accounts_and_locked_days_take_no_money() {
    let bench = Bench::start().await;
    let archived = contact(&bench);
    let contact = bench.simulator.add_contact(bench.organisation, "Betty").unwrap();
    bench.simulator.archive_contact(archived).unwrap();
    let wanted = NewAccount {
        code: Some("820".to_owned()),
        name: "Money in advance".to_owned(),
        kind: AccountKind::CurrLiab,
        payments_enabled: false,
        currency: None,
    };
    let account = bench.simulator.add_account(bench.organisation, wanted).unwrap();
    let good = bench.prepayment_json(contact, "R", "5.00").replace("\"200\"", "\"820\"");
    let put = async |body: &str| bench.send(Method::PUT, "/BankTransactions", body).await;

    let to_archived = put(&bench.prepayment_json(archived, "R", "5.00")).await;
    let before = put(&good).await;
    bench.simulator.archive_account(bench.organisation, account).unwrap();
    let on_archived = put(&good).await;
    let year = LockDates {
        end_of_year_lock_date: Some("2026-10-05".parse().unwrap()),
        ..LockDates::default()
    };
    bench.simulator.set_lock_dates(bench.organisation, year).unwrap();
    let locked = put(&bench.prepayment_json(contact, "R", "5.00")).await;
    bench.simulator.set_lock_dates(bench.organisation, LockDates::default()).unwrap();
    let unlocked = put(&bench.prepayment_json(contact, "R", "5.00")).await;

    assert!(to_archived.objection(0).contains("has been archived"), "{}", to_archived.text);
    assert_eq!((before.status, unlocked.status), (200, 200), "{} {}", before.text, unlocked.text);
    assert!(on_archived.objection(0).contains("'820' is not a valid code"), "{}", on_archived.text);
    assert!(locked.objection(0).contains("lock date"), "{}", locked.text);
}

#[tokio::test]
async fn each_element_of_a_batch_has_its_own_result_or_none_is_booked() {
    for (batches, summarised_books) in [(Batches::AllOrNothing, 0), (Batches::KeepTheGood, 1)] {
        let bench = Bench::with(|options| options.batches = batches).await;
        let contact = contact(&bench);
        let bad = bench.prepayment_json(Uuid::from_u128(9), "B", "5.00");
        let body = list(&[bad, bench.prepayment_json(contact, "A", "5.00")]);

        let summarised = bench.send(Method::PUT, "/BankTransactions", &body).await;
        let after_summarised = recorded(&bench);
        let own_results = bench.send(Method::PUT, PATH, &body).await.json();

        assert_eq!((summarised.status, after_summarised), (400, summarised_books));
        assert_eq!(summarised.json()["Elements"].as_array().unwrap().len(), 2);
        let results = own_results["BankTransactions"].as_array().unwrap();
        assert_eq!(results[0]["StatusAttributeString"], "ERROR");
        assert_eq!(results[0]["BankTransactionID"], Uuid::nil().to_string());
        assert_eq!(
            (&results[1]["StatusAttributeString"], &results[1]["Reference"]),
            (&"OK".into(), &"A".into())
        );
        assert_eq!(recorded(&bench), summarised_books + 1);
    }
}

#[tokio::test]
async fn bank_transactions_are_found_by_reference_status_contact_and_change() {
    let bench = Bench::start().await;
    let first = bench.prepay("R-1", "5.00").await;
    let second = bench.prepay("R-2", "6.00").await;
    bench.clock.advance(SignedDuration::from_secs(60));
    bench.simulator.delete_bank_transaction(first).unwrap();
    let contact = bench.simulator.bank_transaction(second).unwrap().contact;
    let path = "/BankTransactions";
    let by = async |text: &str| found(&bench, path, ("where", text)).await;

    assert_eq!(by(r#"Reference=="R-1""#).await, [first], "deleted ones are listed too");
    assert!(by(r#"Reference=="R-1" AND Status=="AUTHORISED""#).await.is_empty());
    assert_eq!(by(r#"Status=="DELETED""#).await, [first]);
    assert_eq!(by(&format!(r#"Contact.ContactID==guid("{contact}")"#)).await, [second]);
    assert_eq!(by(r#"Type=="RECEIVE-PREPAYMENT""#).await.len(), 2);
    assert_eq!(found(&bench, path, ("References", "R-2,R-9")).await, [second]);
    assert_eq!(found(&bench, path, ("page", "1")).await, [second, first], "by change");
    let newest = found(&bench, path, ("order", "UpdatedDateUTC DESC")).await;
    assert_eq!(newest, [first, second]);
    let since = bench.request(Method::GET, path).header("if-modified-since", "2026-10-05T03:42:00");
    let since = read(since.send().await.unwrap()).await.json();
    assert_eq!(since["BankTransactions"].as_array().unwrap().len(), 1);
    let page = bench.get("/BankTransactions?page=2&pageSize=1").await.json();
    assert_eq!(page["BankTransactions"][0]["BankTransactionID"], first.to_string());
    assert_eq!(page["BankTransactions"][0]["LineItems"].as_array().unwrap().len(), 1);
    assert_eq!(page["pagination"]["pageCount"], 2);
    let plain = bench.get(path).await.json();
    assert_eq!(plain["BankTransactions"][0]["LineItems"], Value::Array(Vec::new()));
    assert_eq!(bench.get("/BankTransactions/nothing").await.status, 404);
}

#[tokio::test]
async fn a_person_deletes_or_voids_it_and_the_credit_is_gone() {
    let bench = Bench::start().await;
    for (reference, status) in
        [("R-1", BankTransactionStatus::Deleted), ("R-2", BankTransactionStatus::Voided)]
    {
        let id = bench.prepay(reference, "5.00").await;
        let before = bench.simulator.bank_transaction(id).unwrap();
        let path = format!("/bank-transactions/{id}");

        let ended = match status {
            BankTransactionStatus::Voided => {
                bench.control(Method::POST, &format!("{path}/void"), "").await
            }
            _ => bench.control(Method::DELETE, &path, "").await,
        };
        let again = bench.control(Method::DELETE, &path, "").await;

        assert_eq!((ended.status, again.status), (200, 400), "{}", ended.text);
        let after = bench.simulator.bank_transaction(id).unwrap();
        assert_eq!(after.status, status);
        assert!(after.updated > before.updated);
        let prepayment = bench.get(&format!("/Prepayments/{}", after.prepayment)).await;
        assert!(prepayment.text.contains(r#""RemainingCredit":0.00"#), "{}", prepayment.text);
        assert_eq!(prepayment.json()["Prepayments"][0]["Status"], "VOIDED");
    }
    assert_eq!(found(&bench, "/Prepayments", ("where", r#"Status=="VOIDED""#)).await.len(), 2);
}

#[tokio::test]
async fn the_api_neither_changes_nor_deletes_a_prepayment() {
    let bench = Bench::start().await;
    let id = bench.prepay("R-1", "5.00").await;
    let contact = contact(&bench);
    let with_id = bench
        .prepayment_json(contact, "R-2", "5.00")
        .replace(r#""Type""#, &format!(r#""BankTransactionID":"{id}","Type""#));

    let deleted = bench
        .send(Method::POST, &format!("/BankTransactions/{id}"), r#"{"Status":"DELETED"}"#)
        .await;
    let updated = bench.send(Method::POST, "/BankTransactions", &with_id).await;

    for refused in [deleted, updated] {
        assert_eq!(refused.status, 400);
        assert!(refused.objection(0).contains("cannot be updated or deleted"), "{}", refused.text);
    }
    let untouched = bench.simulator.bank_transaction(id).unwrap();
    assert_eq!(untouched.status, BankTransactionStatus::Authorised);
}

#[tokio::test]
async fn prepayments_are_paged_and_filtered_by_number_and_reference() {
    let bench = Bench::start().await;
    let first = bench.prepay("R-1", "5.00").await;
    let second = bench.prepay("R-2", "5.00").await;
    let first = bench.simulator.bank_transaction(first).unwrap();
    let second = bench.simulator.bank_transaction(second).unwrap();
    let path = "/Prepayments";

    let page = bench.get("/Prepayments?page=2&pageSize=1").await.json();

    assert_eq!(page["Prepayments"][0]["PrepaymentID"], second.prepayment.to_string());
    assert_eq!(page["pagination"]["itemCount"], 2);
    assert_eq!(found(&bench, path, ("InvoiceNumbers", &first.number)).await, [first.prepayment]);
    assert_eq!(found(&bench, path, ("References", "R-2")).await, [second.prepayment]);
    let since = bench.request(Method::GET, path).header("if-modified-since", "2026-10-06T00:00:00");
    assert_eq!(
        read(since.send().await.unwrap()).await.json()["Prepayments"],
        Value::Array(Vec::new())
    );
}

#[tokio::test]
async fn references_of_prepayments_can_be_lost_without_a_word() {
    let dropped = PrepaymentReferences::Dropped;
    let bench = Bench::with(|options| options.prepayment_references = dropped).await;

    let id = bench.prepay("R-1", "5.00").await;

    let shown = bench.get(&format!("/BankTransactions/{id}")).await.json();
    assert_eq!(shown["BankTransactions"][0]["Reference"], "");
    assert!(found(&bench, "/BankTransactions", ("where", r#"Reference=="R-1""#)).await.is_empty());
}

#[tokio::test]
async fn scopes_of_their_own_are_needed() {
    let mut bench = Bench::start().await;
    let id = bench.prepay("R-1", "5.00").await;
    let scopes = |scopes: &[&str]| scopes.iter().map(|&scope| scope.to_owned()).collect();
    bench.simulator.add_client(xero_simulator::Client {
        id: "READER".to_owned(),
        secret: "s".to_owned(),
        scopes: scopes(&["accounting.banktransactions.read"]),
        organisations: ConnectedTo::All,
    });
    let token = bench.ask_token("READER", "s", "").await;
    bench.token = token.json()["access_token"].as_str().unwrap().to_owned();

    let status = |answer: Answer| answer.status;

    assert_eq!(status(bench.get(&format!("/BankTransactions/{id}")).await), 200);
    assert_eq!(status(bench.send(Method::PUT, "/BankTransactions", "{}").await), 401);
    for path in ["/Prepayments", "/Contacts", "/Accounts"] {
        assert_eq!(status(bench.get(path).await), 401, "{path}");
    }
}

#[tokio::test]
async fn a_stale_read_does_not_see_what_was_just_recorded() {
    let bench = Bench::start().await;
    let id = bench.prepay("R-1", "5.00").await;
    bench.simulator.inject(Fault::on("GET", "", Effect::StaleRead).times(2));

    let hidden = bench.get("/BankTransactions").await.json();
    bench.simulator.delete_bank_transaction(id).unwrap();
    let before_deletion = bench.get("/BankTransactions").await.json();

    assert_eq!(hidden["BankTransactions"], Value::Array(Vec::new()));
    assert_eq!(before_deletion["BankTransactions"][0]["Status"], "AUTHORISED");
}
