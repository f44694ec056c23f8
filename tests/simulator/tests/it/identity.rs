use jiff::SignedDuration;
use reqwest::Method;
use xero_simulator::{
    Client, ConnectedTo, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, NewOrganisation,
};

use crate::bench::{Bench, read};

#[tokio::test]
async fn a_token_is_given_for_half_an_hour() {
    let bench = Bench::start().await;

    let answer = bench
        .ask_token(
            DEFAULT_CLIENT_ID,
            DEFAULT_CLIENT_SECRET,
            "accounting.payments accounting.invoices",
        )
        .await;

    let json = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!(json["expires_in"], 1800);
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["scope"], "accounting.payments accounting.invoices");
    assert!(json.get("refresh_token").is_none());
}

#[tokio::test]
async fn the_errors_of_the_token_endpoint_are_400s_with_a_word() {
    let bench = Bench::start().await;
    let url = format!("{}/connect/token", bench.url);
    let form = |grant: &str, id: &str| {
        let form = [("grant_type", grant)];
        bench.http.post(&url).basic_auth(id, Some(DEFAULT_CLIENT_SECRET)).form(&form)
    };
    let id = DEFAULT_CLIENT_ID;
    let json = bench
        .http
        .post(&url)
        .basic_auth(id, Some(DEFAULT_CLIENT_SECRET))
        .header("content-type", "application/json")
        .body(r#"{"grant_type":"client_credentials"}"#);
    let cases = [
        (form("client_credentials", "nobody"), "invalid_client"),
        (form("client_credentials", ""), "invalid_request"),
        (form("authorization_code", id), "unauthorized_client"),
        (json, "invalid_request"),
        (bench.http.post(&url).form(&[("grant_type", "client_credentials")]), "invalid_client"),
    ];
    for (request, error) in cases {
        let answer = read(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some(error)));
    }
    let answer = bench.ask_token(id, DEFAULT_CLIENT_SECRET, "payroll.employees").await;
    assert_eq!(answer.json()["error"], "invalid_scope");
    let answer = bench.ask_token(id, "wrong", "accounting.payments").await;
    assert_eq!(answer.json()["error"], "invalid_client");
}

#[tokio::test]
async fn tokens_expire_and_can_be_revoked_all_at_once() {
    let mut bench = Bench::start().await;
    let first = bench.token.clone();
    bench.clock.advance(SignedDuration::from_mins(29));
    bench.renew_token().await;
    assert_ne!(first, bench.token, "several are live together");

    bench.clock.advance(SignedDuration::from_mins(1));
    let second = std::mem::replace(&mut bench.token, first);
    let expired = bench.get("/Organisation").await;
    bench.token = second;
    let live = bench.get("/Organisation").await;
    bench.simulator.revoke_tokens();
    let revoked = bench.get("/Organisation").await;

    assert_eq!(expired.status, 401);
    assert_eq!(expired.json()["Title"], "Unauthorized");
    let detail = expired.json()["Detail"].as_str().unwrap().to_owned();
    assert_eq!(detail, "TokenExpired: token expired at 10/05/2026 04:11:22");
    assert_eq!((live.status, revoked.status), (200, 401));
}

#[tokio::test]
async fn the_tenant_may_be_left_out_only_where_there_is_one() {
    let bench = Bench::start().await;
    let url = format!("{}/api.xro/2.0/Organisation", bench.url);
    let without =
        || bench.http.get(&url).bearer_auth(&bench.token).header("accept", "application/json");
    assert_eq!(without().send().await.unwrap().status(), 200);

    let other = bench.simulator.add_organisation(NewOrganisation::default()).unwrap();
    let missing = read(without().send().await.unwrap()).await;
    let wrong = without().header("xero-tenant-id", uuid::Uuid::from_u128(9).to_string());
    let wrong = read(wrong.send().await.unwrap()).await;
    let named = without().header("Xero-Tenant-Id", other.to_string()).send().await.unwrap();

    assert_eq!(missing.status, 403);
    assert_eq!(wrong.status, 403);
    assert_eq!(wrong.json()["Detail"], "AuthenticationUnsuccessful");
    assert_eq!(named.status(), 200);
}

#[tokio::test]
async fn an_app_sees_only_its_organisations_and_only_in_its_scopes() {
    let mut bench = Bench::start().await;
    let other = bench.simulator.add_organisation(NewOrganisation::default()).unwrap();
    bench.simulator.add_client(Client {
        id: "CUSTOM".to_owned(),
        secret: "s".to_owned(),
        scopes: vec!["accounting.payments.read".to_owned()],
        organisations: ConnectedTo::Only(vec![other]),
    });
    let answer = bench.ask_token("CUSTOM", "s", "").await;
    bench.token = answer.json()["access_token"].as_str().unwrap().to_owned();

    let not_its_own = bench.get("/Payments").await;
    bench.organisation = other;
    let own = bench.get("/Payments").await;
    let other_scope = bench.get("/Invoices").await;
    let write = bench.send(Method::PUT, "/Payments", "{}").await;
    let request = bench.http.get(format!("{}/connections", bench.url)).bearer_auth(&bench.token);
    let connections = read(request.send().await.unwrap()).await.json();

    assert_eq!((not_its_own.status, own.status), (403, 200));
    assert_eq!((other_scope.status, write.status), (401, 401));
    assert_eq!(connections.as_array().unwrap().len(), 1);
    assert_eq!(connections[0]["tenantId"], other.to_string());
    assert_eq!(connections[0]["tenantType"], "ORGANISATION");
    assert_eq!(connections[0]["createdDateUtc"], "2026-10-05T03:41:22.5180000");
}
