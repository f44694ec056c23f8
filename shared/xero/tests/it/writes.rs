//! Writing to Xero: what becomes of each element; X-11, X-12, FAULT-26.

use payments::upload::{Placed, Stamp, WriteOutcome};
use xero::{Answers, Bundle, RefusalKind};

use crate::samples::{
    KEY, answer, bill, bundle, created, created_bill, created_prepayment, payment, payment_id,
    prepayment, refused, stamps,
};
use crate::xero::{Reply, Xero, books, organisation};

/// A Xero that gives tokens, and answers everything else with this.
pub async fn answering(reply: Reply) -> Xero {
    Xero::start(books(0), move |seen| (!seen.is_token()).then(|| reply.clone())).await
}

pub async fn put(xero: &Xero, bundle: &Bundle) -> Answers {
    xero.client().put(organisation(), bundle, KEY).await
}

/// Sends three payments to a Xero that answers this, and checks that one call was made.
pub async fn put_three(reply: Reply) -> Answers {
    let xero = answering(reply).await;
    let answers = put(&xero, &bundle(3)).await;
    assert_eq!(xero.calls().len(), 1);
    answers
}

pub fn all(answers: &Answers, expected: &WriteOutcome) {
    let shown: Vec<&Stamp> = answers.iter().map(|(stamp, _)| stamp).collect();
    let mut sent = stamps(3);
    sent.sort();
    assert_eq!(shown, sent.iter().collect::<Vec<_>>(), "no stamp is lost");
    assert!(answers.iter().all(|(_, answer)| answer == expected), "{answers:?}");
}

pub fn placed(number: u32) -> WriteOutcome {
    WriteOutcome::Placed(Placed::Payment(payment_id(number).parse().unwrap()))
}

#[tokio::test]
async fn a_bundle_is_one_call_with_the_exact_bytes_and_the_key() {
    // X-11
    let elements: Vec<String> = (1..=3).map(created).collect();
    let xero = answering(Reply::ok(answer("Payments", &elements))).await;
    let bundle = bundle(3);
    let answers = put(&xero, &bundle).await;
    for number in 1..=3 {
        assert_eq!(answers.of(&payment(number).stamp), placed(number));
    }
    assert_eq!((xero.calls().len(), answers.error(), answers.turned_away()), (1, None, None));
    assert!(!answers.is_silence());
    let [call] = &xero.calls()[..] else { panic!("one call") };
    assert_eq!(call.method, "PUT");
    assert_eq!(
        (call.path.as_str(), call.query.as_str()),
        ("/api.xro/2.0/Payments", "summarizeErrors=false")
    );
    assert_eq!(call.body.as_bytes(), bundle.bytes());
    assert_eq!(call.header("idempotency-key"), KEY);
    assert_eq!(call.header("content-type"), "application/json");
    assert_eq!(call.header("accept"), "application/json");
    assert_eq!(call.header("xero-tenant-id"), organisation().to_string());
}

#[tokio::test]
async fn a_prepayment_goes_to_the_bank_transactions() {
    // EX-07
    let bundle = Bundle::of_prepayments(&[prepayment(1), prepayment(2)]).unwrap();
    // Xero may not keep the reference of a prepayment: the line has it.
    let silent = created_prepayment(2).replacen("\"Reference\":", "\"Other\":", 1);
    let body = answer("BankTransactions", &[silent, created_prepayment(1)]);
    let xero = answering(Reply::ok(body)).await;
    let answers = put(&xero, &bundle).await;
    for number in 1..=2 {
        let id = |lead| format!("{lead}0000000-0000-4000-8000-{number:012}").parse().unwrap();
        let expected = Placed::Prepayment { transaction: id(2), prepayment: Some(id(3)) };
        assert_eq!(answers.of(&prepayment(number).stamp), WriteOutcome::Placed(expected));
    }
    assert_eq!(xero.calls()[0].path, "/api.xro/2.0/BankTransactions");
}

#[tokio::test]
async fn a_bill_is_proven_by_its_own_id_and_nothing_else() {
    // EX-13, X-12
    let bundle = Bundle::of_bills(&[bill(1), bill(2)]).unwrap();
    let id = |number| format!("40000000-0000-4000-8000-{number:012}");
    let placed = |number| WriteOutcome::Placed(Placed::Bill(id(number).parse().unwrap()));
    let of_first = async |first: String| {
        let body = answer("Invoices", &[created_bill(2), first]);
        let xero = answering(Reply::ok(body)).await;
        let answers = put(&xero, &bundle).await;
        assert_eq!(xero.calls()[0].path, "/api.xro/2.0/Invoices");
        assert_eq!(xero.calls()[0].query, "summarizeErrors=false");
        assert_eq!(answers.of(&bill(2).stamp), placed(2));
        answers.of(&bill(1).stamp)
    };
    let own = created_bill(1);
    assert_eq!(of_first(own.clone()).await, placed(1));
    for (what, element) in [
        ("an id of zeros", own.replacen(&id(1), "00000000-0000-0000-0000-000000000000", 1)),
        ("no id", own.replacen("\"InvoiceID\"", "\"Other\"", 1)),
        ("another total", own.replacen("\"Total\":125.40", "\"Total\":125.41", 1)),
        ("a sale", own.replacen("ACCPAY", "ACCREC", 1)),
        ("not approved", own.replacen("AUTHORISED", "SUBMITTED", 1)),
        ("another currency", own.replacen("AUD", "NZD", 1)),
        ("an id and an error", own.replacen("\"HasErrors\":false", "\"HasErrors\":true", 1)),
    ] {
        assert_ne!(element, own, "{what}");
        assert_eq!(of_first(element).await, WriteOutcome::Unclear, "{what}");
    }
    let why = "Account code '404' is not a valid code for this document.";
    let refused = own.replacen(&id(1), "00000000-0000-0000-0000-000000000000", 1).replacen(
        "\"OK\"",
        &format!("\"ERROR\",\"ValidationErrors\":[{{\"Message\":\"{why}\"}}]"),
        1,
    );
    assert_eq!(of_first(refused).await, WriteOutcome::Refused(why.to_owned()));
    assert_eq!(RefusalKind::of(why), RefusalKind::AccountUnusable);
}

#[tokio::test]
async fn one_id_is_no_proof_of_two_bills() {
    // X-12
    let bundle = Bundle::of_bills(&[bill(1), bill(2)]).unwrap();
    let second = created_bill(2).replacen("8000-000000000002", "8000-000000000001", 1);
    let xero = answering(Reply::ok(answer("Invoices", &[created_bill(1), second]))).await;
    let answers = put(&xero, &bundle).await;
    assert!(answers.iter().all(|(_, answer)| *answer == WriteOutcome::Unclear), "{answers:?}");
}

#[tokio::test]
async fn elements_are_matched_by_their_stamps_and_not_by_their_order() {
    // FAULT-26: half-accepted, and in another order.
    let why = "Payment amount exceeds the amount outstanding on this document";
    let elements = [created(3), refused(1, why), created(2)];
    let answers = put_three(Reply::ok(answer("Payments", &elements))).await;
    assert_eq!(answers.of(&payment(1).stamp), WriteOutcome::Refused(why.to_owned()));
    assert_eq!(answers.of(&payment(2).stamp), placed(2));
    assert_eq!(answers.of(&payment(3).stamp), placed(3));
    assert_eq!(RefusalKind::of(why), RefusalKind::ExceedsDue);
    assert_eq!(answers.of(&payment(4).stamp), WriteOutcome::Unclear, "was not in the bundle");
}

#[tokio::test]
async fn an_element_without_its_own_id_is_never_taken_as_stored() {
    // X-12, and the example of `createPayments` in 16.1.0, which has an id AND an error.
    let own = created(1);
    let id = format!("\"PaymentID\":\"{}\",", payment_id(1));
    let no_id = own.replacen(&id, "", 1);
    let both = own.replacen("\"HasValidationErrors\":false", "\"HasValidationErrors\":true", 1);
    for (what, element) in [
        ("neither id nor error", no_id.clone()),
        ("an id of zeros", own.replacen(&payment_id(1), "00000000-0000-0000-0000-000000000000", 1)),
        ("an empty id", own.replacen(&payment_id(1), "", 1)),
        ("null", own.replacen(&format!("\"{}\"", payment_id(1)), "null", 1)),
        ("no id at all", own.replacen(&payment_id(1), "1", 1)),
        ("a number", own.replacen(&format!("\"{}\"", payment_id(1)), "7", 1)),
        ("both", both),
        ("another amount", own.replacen("\"Amount\":125.40", "\"Amount\":125.41", 1)),
        ("no amount", own.replacen("\"Amount\":125.40,", "", 1)),
        ("another currency", own.replacen("AUD", "NZD", 1)),
        ("another invoice", own.replacen("00000000-0000-4000", "90000000-0000-4000", 1)),
        ("deleted", own.replacen("AUTHORISED", "DELETED", 1)),
        ("no status", own.replacen("\"Status\":\"AUTHORISED\",", "", 1)),
        ("an unknown word", own.replacen("\"OK\"", "\"MAYBE\"", 1)),
        (
            "errors that are no list",
            own.replacen("\"HasAccount\":true", "\"ValidationErrors\":7", 1),
        ),
        ("a flag that is none", own.replacen(":false", ":0", 1)),
        ("no object", format!("[{own}]")),
    ] {
        assert_ne!(element, own, "{what}");
        let elements = [element, created(2), created(3)];
        let answers = put_three(Reply::ok(answer("Payments", &elements))).await;
        assert_eq!(answers.of(&payment(1).stamp), WriteOutcome::Unclear, "{what}");
        assert_eq!(answers.of(&payment(2).stamp), placed(2), "{what}");
        assert!(!answers.is_silence() && answers.error().is_none(), "{what}");
    }
}

#[tokio::test]
async fn small_differences_in_the_shape_of_a_good_answer_do_not_matter() {
    let own = created(1);
    for element in [
        own.replacen("125.40,\"Ref", "\"125.4\",\"Ref", 1),
        own.replacen("\"OK\"", "\"WARNING\",\"Warnings\":[{\"Message\":\"odd\"}]", 1),
        own.replacen(",\"StatusAttributeString\":\"OK\"", ",\"ValidationErrors\":[]", 1),
        own.replacen(":false", ":\"false\"", 1),
    ] {
        assert_ne!(element, own);
        let elements = [element.clone(), created(2), created(3)];
        let answers = put_three(Reply::ok(answer("Payments", &elements))).await;
        assert_eq!(answers.of(&payment(1).stamp), placed(1), "{element}");
    }
}

#[tokio::test]
async fn a_stamp_that_is_missing_or_stands_twice_is_unclear() {
    let twice =
        put_three(Reply::ok(answer("Payments", &[created(1), created(1), created(2)]))).await;
    assert_eq!(twice.of(&payment(1).stamp), WriteOutcome::Unclear);
    assert_eq!(twice.of(&payment(2).stamp), placed(2));
    assert_eq!(twice.of(&payment(3).stamp), WriteOutcome::Unclear);
    let contradiction = [created(1), refused(1, "no"), created(2)];
    let answers = put_three(Reply::ok(answer("Payments", &contradiction))).await;
    assert_eq!(answers.of(&payment(1).stamp), WriteOutcome::Unclear);
    all(&put_three(Reply::ok(answer("Payments", &[]))).await, &WriteOutcome::Unclear);
    // One id is no proof of two payments.
    let same_id = created(2).replacen(&payment_id(2), &payment_id(1), 1);
    let answers =
        put_three(Reply::ok(answer("Payments", &[created(1), same_id, created(3)]))).await;
    assert_eq!(answers.of(&payment(1).stamp), WriteOutcome::Unclear);
    assert_eq!(answers.of(&payment(2).stamp), WriteOutcome::Unclear);
    assert_eq!(answers.of(&payment(3).stamp), placed(3));
}

#[tokio::test]
async fn refusals_without_a_reference_count_only_if_nothing_else_can_be_meant() {
    // Xero-Java#199: a refused element may lack what it was sent with.
    let bare = |why: &str| {
        format!(r#"{{"StatusAttributeString":"ERROR","ValidationErrors":[{{"Message":"{why}"}}]}}"#)
    };
    let elements = [created(2), bare("first"), bare("second")];
    let answers = put_three(Reply::ok(answer("Payments", &elements))).await;
    assert_eq!(answers.of(&payment(1).stamp), WriteOutcome::Refused("first".to_owned()));
    assert_eq!(answers.of(&payment(2).stamp), placed(2));
    assert_eq!(answers.of(&payment(3).stamp), WriteOutcome::Refused("second".to_owned()));
    let id_without_stamp = created(3).replacen("PM-", "P-", 1);
    for (what, elements) in [
        ("too few", vec![created(2), bare("first")]),
        ("too many", vec![created(2), bare("a"), bare("b"), bare("c")]),
        ("one of them is stored", vec![created(2), bare("first"), id_without_stamp]),
        ("one of them is nothing", vec![created(2), bare("first"), "{}".to_owned()]),
        ("another is foreign", vec![created(2), bare("first"), created(9)]),
        ("another stands twice", vec![created(2), created(2), bare("first")]),
    ] {
        let answers = put_three(Reply::ok(answer("Payments", &elements))).await;
        for number in [1, 3] {
            assert_eq!(answers.of(&payment(number).stamp), WriteOutcome::Unclear, "{what}");
        }
    }
}

#[tokio::test]
async fn a_refusal_keeps_its_words_within_a_limit() {
    let long = "x".repeat(1_000);
    let two = refused(2, "one\"},{\"Message\":\"two\\nlines");
    let none = refused(3, "").replacen("{\"Message\":\"\"}", "", 1);
    let answers = put_three(Reply::ok(answer("Payments", &[refused(1, &long), two, none]))).await;
    let cut = "x".repeat(xero::REFUSAL_CHARS_MAX);
    assert_eq!(answers.of(&payment(1).stamp), WriteOutcome::Refused(cut));
    assert_eq!(answers.of(&payment(2).stamp), WriteOutcome::Refused("one; two lines".to_owned()));
    let reasonless = WriteOutcome::Refused("Xero gives no reason".to_owned());
    assert_eq!(answers.of(&payment(3).stamp), reasonless);
}
