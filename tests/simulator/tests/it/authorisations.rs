//! The authorisation-code flow and refresh tokens (facts.md 2.2; X-14).

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;
use xero_simulator::{
    Consent, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, Effect, Fault, NewOrganisation,
};

use crate::bench::{Answer, Bench, read};

const BACK: &str = "http://localhost:9000/back";

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

async fn token(bench: &Bench, form: &[(&str, &str)]) -> Answer {
    let url = format!("{}/connect/token", bench.url);
    let request = bench.http.post(url).basic_auth(DEFAULT_CLIENT_ID, Some(DEFAULT_CLIENT_SECRET));
    read(request.form(form).send().await.unwrap()).await
}

fn consent(bench: &Bench, organisations: &[Uuid]) -> String {
    let consent = Consent {
        client_id: DEFAULT_CLIENT_ID.to_owned(),
        redirect_uri: BACK.to_owned(),
        scopes: ["offline_access", "accounting.settings.read"].map(str::to_owned).to_vec(),
        organisations: organisations.to_vec(),
        user: None,
    };
    bench.simulator.consent(consent).unwrap()
}

async fn exchange(bench: &Bench, code: &str) -> Answer {
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)];
    token(bench, &form).await
}

async fn refresh(bench: &Bench, refresh_token: &str) -> Answer {
    token(bench, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

fn text(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

fn refused(answer: &Answer) -> bool {
    answer.status == 400 && answer.json()["error"] == "invalid_grant"
}

/// A refresh token, and the access token that came with it.
async fn authorised(bench: &Bench) -> (String, String) {
    let answer = exchange(bench, &consent(bench, &[bench.organisation])).await;
    (text(&answer, "refresh_token"), text(&answer, "access_token"))
}

#[tokio::test]
async fn a_browser_comes_back_with_a_code_that_works_once_and_for_five_minutes() {
    let bench = Bench::start().await;
    consent(&bench, &[]);
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let url = format!("{}/identity/connect/authorize", bench.url);
    let query = [
        ("response_type", "code"),
        ("client_id", DEFAULT_CLIENT_ID),
        ("redirect_uri", BACK),
        ("scope", "offline_access accounting.settings.read"),
        ("state", "a b&c"),
    ];
    let answer = read(browser.get(&url).query(&query).send().await.unwrap()).await;
    assert_eq!(answer.status, 302, "{}", answer.text);
    let location: url::Url = answer.header("location").unwrap().parse().unwrap();
    let pairs: Vec<_> = location.query_pairs().into_owned().collect();
    assert_eq!((pairs[0].0.as_str(), pairs[1].1.as_str()), ("code", "a b&c"));

    let first = exchange(&bench, &pairs[0].1).await;
    assert_eq!((first.status, first.json()["expires_in"].as_i64()), (200, Some(1_800)));
    assert!(refused(&exchange(&bench, &pairs[0].1).await), "a second time");
    let late = consent(&bench, &[]);
    bench.clock.advance(minutes(5));
    assert!(refused(&exchange(&bench, &late).await), "after five minutes");
    let wrong = [("response_type", "code"), ("client_id", "nobody")];
    assert_eq!(browser.get(&url).query(&wrong).send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_replaced_refresh_token_works_for_half_an_hour_more() {
    let bench = Bench::start().await;
    let (first, _) = authorised(&bench).await;
    let second = text(&refresh(&bench, &first).await, "refresh_token");
    assert_ne!(first, second);
    bench.clock.advance(minutes(29));
    let third = text(&refresh(&bench, &first).await, "refresh_token");
    bench.clock.advance(minutes(2));
    assert!(refused(&refresh(&bench, &first).await), "31 minutes after it was replaced");
    assert_eq!(refresh(&bench, &second).await.status, 200, "replaced two minutes ago");
    assert_eq!(refresh(&bench, &third).await.status, 200, "and this one just now");
    assert_eq!(bench.simulator.refreshes(), 4);
}

#[tokio::test]
async fn a_refresh_token_dies_after_60_days_without_use() {
    let bench = Bench::start().await;
    let (first, _) = authorised(&bench).await;
    bench.clock.advance(SignedDuration::from_hours(60 * 24 - 1));
    let second = text(&refresh(&bench, &first).await, "refresh_token");
    bench.clock.advance(SignedDuration::from_hours(60 * 24));
    assert!(refused(&refresh(&bench, &second).await));
    assert!(refused(&refresh(&bench, "unknown").await));
}

#[tokio::test]
async fn what_a_user_takes_back_ends_at_once() {
    let mut bench = Bench::start().await;
    let (refresh_token, access_token) = authorised(&bench).await;
    bench.token = access_token;
    assert_eq!(bench.get("/Organisation").await.status, 200);
    let path = format!("/authorisations/{}", bench.organisation);
    assert_eq!(bench.control(Method::DELETE, &path, "").await.status, 200);
    assert_eq!(bench.get("/Organisation").await.status, 401);
    assert!(refused(&refresh(&bench, &refresh_token).await));
}

#[tokio::test]
async fn a_token_is_for_the_organisations_that_its_user_has_chosen() {
    let mut bench = Bench::start().await;
    let other = bench.simulator.add_organisation(NewOrganisation::default()).unwrap();
    let body = json!({
        "client_id": DEFAULT_CLIENT_ID,
        "redirect_uri": BACK,
        "scopes": ["accounting.settings.read"],
        "organisations": [other],
    });
    let given = bench.control(Method::POST, "/authorisations", &body.to_string()).await;
    let answer = exchange(&bench, &text(&given, "code")).await;
    assert_eq!(answer.json().get("refresh_token"), None, "offline_access was not asked for");
    bench.token = text(&answer, "access_token");
    assert_eq!(bench.get("/Organisation").await.status, 403);
    let request = bench.http.get(format!("{}/connections", bench.url)).bearer_auth(&bench.token);
    let connections = read(request.send().await.unwrap()).await.json();
    assert_eq!(connections.as_array().unwrap().len(), 1);
    assert_eq!(connections[0]["tenantId"], other.to_string());
    bench.organisation = other;
    assert_eq!(bench.get("/Organisation").await.status, 200);
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_took_place() {
    let bench = Bench::start().await;
    let (first, _) = authorised(&bench).await;
    bench.simulator.inject(Fault::on("POST", "/connect/token", Effect::LostAnswer).times(1));
    let request = bench
        .http
        .post(format!("{}/connect/token", bench.url))
        .basic_auth(DEFAULT_CLIENT_ID, Some(DEFAULT_CLIENT_SECRET))
        .form(&[("grant_type", "refresh_token"), ("refresh_token", &first)]);
    assert!(request.send().await.is_err());
    assert_eq!(bench.simulator.refreshes(), 1);
    assert_eq!(refresh(&bench, &first).await.status, 200);
}
