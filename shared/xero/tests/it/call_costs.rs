//! What calls have cost: as many as Xero has seen, and the bytes that it has answered.

use payments::OrganisationId;
use uuid::Uuid;
use xero::Spent;

use crate::xero::{Reply, Xero, books, ids, organisation};

const NOTHING: Spent = Spent { calls: 0, bytes: 0 };

#[tokio::test]
async fn what_is_spent_is_told_once_and_to_its_organisation() {
    // CC-09, X-10: a call that fails is paid for as well, and so is the one whose token was refused.
    let body = r#"{"Title":"Unauthorized"}"#;
    let xero = Xero::start(books(120), move |seen| {
        let expired = !seen.is_token() && seen.header("authorization") == "Bearer token-1";
        expired.then(|| Reply::status(401, body))
    })
    .await;
    let client = xero.client();
    assert_eq!(client.take_spent(organisation()), NOTHING);
    let read = client.invoices(organisation(), &ids(120)).await;
    assert_eq!((read.found.len(), xero.calls().len()), (120, 4));
    let another = OrganisationId::new(Uuid::from_u128(99));
    assert_eq!(client.take_spent(another), NOTHING);
    let first = client.take_spent(organisation());
    assert_eq!(first.calls, 4);
    assert_eq!(client.take_spent(organisation()), NOTHING);

    // The same again, but for the refusal.
    client.invoices(organisation(), &ids(120)).await;
    let again = client.take_spent(organisation());
    let refused = u64::try_from(body.len()).unwrap();
    assert_eq!(again, Spent { calls: 3, bytes: first.bytes - refused });
    assert!(again.bytes > 120 * 100, "{again:?}");
}
