//! The page on which a user chooses organisations, and how what was chosen ends: one connection, or all that a user
//! has given (facts.md 2.2).

use reqwest::Method;
use reqwest::redirect::Policy;
use uuid::Uuid;
use xero_simulator::{Consent, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, NewOrganisation};

use crate::bench::{Bench, read};

const BACK: &str = "https://paymirror.example/callback";
const SCOPE: &str = "offline_access accounting.settings.read";

fn browser() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

fn question() -> Vec<(&'static str, String)> {
    [
        ("response_type", "code"),
        ("client_id", DEFAULT_CLIENT_ID),
        ("redirect_uri", BACK),
        ("scope", SCOPE),
        ("state", "a b&c"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

/// Where the browser is sent after this answer on the page.
async fn answered(bench: &Bench, more: &[(&'static str, String)]) -> url::Url {
    let form = [question(), more.to_vec()].concat();
    let url = format!("{}/identity/connect/authorize", bench.url);
    let answer = browser().post(url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().unwrap().parse().unwrap()
}

fn pair(url: &url::Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// Tokens for what this user allows: to call with, and to refresh with.
async fn tokens(bench: &Bench, user: &str, organisations: &[Uuid]) -> (String, String) {
    let consent = Consent {
        client_id: DEFAULT_CLIENT_ID.to_owned(),
        redirect_uri: BACK.to_owned(),
        scopes: SCOPE.split(' ').map(str::to_owned).collect(),
        organisations: organisations.to_vec(),
        user: Some(user.to_owned()),
    };
    let code = bench.simulator.consent(consent).unwrap();
    exchange(bench, &code).await
}

async fn exchange(bench: &Bench, code: &str) -> (String, String) {
    let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)];
    let url = format!("{}/connect/token", bench.url);
    let request = bench.http.post(url).basic_auth(DEFAULT_CLIENT_ID, Some(DEFAULT_CLIENT_SECRET));
    let json = read(request.form(&form).send().await.unwrap()).await.json();
    let text = |name: &str| json[name].as_str().unwrap().to_owned();
    (text("access_token"), text("refresh_token"))
}

/// Names and ids of what a token's user is connected with.
async fn connections(bench: &Bench, token: &str) -> Vec<(String, String)> {
    let request = bench.http.get(format!("{}/connections", bench.url)).bearer_auth(token);
    let answer = read(request.send().await.unwrap()).await;
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let list = answer.json();
    let list = list.as_array().unwrap().iter();
    list.map(|one| (text(&one["tenantName"]), text(&one["id"]))).collect()
}

#[tokio::test]
async fn a_browser_is_shown_a_page_and_what_its_user_picks_is_connected() {
    let bench = Bench::start().await;
    let named = |name: &str| {
        let name = name.to_owned();
        bench.simulator.add_organisation(NewOrganisation { name, ..Default::default() }).unwrap()
    };
    let (one, two) = (named("Harbour <Pty>"), named("Lighthouse"));

    let url = format!("{}/identity/connect/authorize", bench.url);
    let request = browser().get(url).query(&question()).header("accept", "text/html,*/*");
    let page = request.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Harbour &lt;Pty&gt;") && page.contains("Lighthouse"), "{page}");
    assert!(page.contains("accounting.settings.read"), "{page}");

    let allow = ("answer", "allow".to_owned());
    let picked = [("organisation", one.to_string()), ("organisation", two.to_string()), allow];
    let back = answered(&bench, &picked).await;
    assert_eq!(pair(&back, "state").as_deref(), Some("a b&c"));
    let (token, _) = exchange(&bench, &pair(&back, "code").unwrap()).await;
    let names: Vec<_> = connections(&bench, &token).await.into_iter().map(|one| one.0).collect();
    assert_eq!(names, ["Harbour <Pty>", "Lighthouse"]);
}

#[tokio::test]
async fn a_user_who_says_no_is_sent_back_with_the_state_and_without_a_code() {
    let bench = Bench::start().await;
    let back = answered(&bench, &[("answer", "cancel".to_owned())]).await;
    assert_eq!(pair(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!(pair(&back, "state").as_deref(), Some("a b&c"));
    assert_eq!(pair(&back, "code"), None);
}

#[tokio::test]
async fn one_connection_ends_and_the_others_go_on() {
    let mut bench = Bench::start().await;
    let (first, second) =
        (bench.organisation, bench.simulator.add_organisation(NewOrganisation::default()).unwrap());
    let (token, _) = tokens(&bench, "ada", &[first]).await;
    // By a second consent of the same user, which her first token is good for as well.
    tokens(&bench, "ada", &[second]).await;
    let (other, _) = tokens(&bench, "bob", &[first]).await;
    let known = connections(&bench, &token).await;
    assert_eq!(known.len(), 2);

    let end = async |id: &str, token: &str| {
        let request = bench.http.delete(format!("{}/connections/{id}", bench.url));
        request.bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    assert_eq!(end(&known[0].1, &other).await, 404, "it is not his");
    assert_eq!(end(&first.to_string(), &token).await, 404, "a tenant's id is no connection's");
    assert_eq!(end(&known[0].1, &token).await, 204);
    assert_eq!(end(&known[0].1, &token).await, 404);

    bench.token = token.clone();
    assert_eq!(bench.get("/Organisation").await.status, 403);
    bench.organisation = second;
    assert_eq!(bench.get("/Organisation").await.status, 200);
    assert_eq!(connections(&bench, &token).await, known[1..]);
    (bench.organisation, bench.token) = (first, other);
    assert_eq!(bench.get("/Organisation").await.status, 200, "his connection is his own");
}

#[tokio::test]
async fn a_refresh_token_that_is_taken_back_ends_all_that_its_user_has_given() {
    let mut bench = Bench::start().await;
    let (first, refresh_token) = tokens(&bench, "ada", &[bench.organisation]).await;
    let (second, _) = tokens(&bench, "ada", &[bench.organisation]).await;
    let (other, _) = tokens(&bench, "bob", &[bench.organisation]).await;
    let take_back = async |token: &str| {
        let request = bench.http.post(format!("{}/connect/revocation", bench.url));
        let request = request.basic_auth(DEFAULT_CLIENT_ID, Some(DEFAULT_CLIENT_SECRET));
        request.form(&[("token", token)]).send().await.unwrap().status().as_u16()
    };
    assert_eq!(take_back("unknown").await, 200);
    assert_eq!(take_back(&refresh_token).await, 200);
    for (token, status) in [(first, 401), (second, 401), (other, 200)] {
        bench.token = token;
        assert_eq!(bench.get("/Organisation").await.status, status);
    }
    let calls = bench.control(Method::GET, "/identity-calls", "").await.json();
    assert_eq!(calls.as_array().unwrap().last().unwrap(), "POST /connect/revocation");
}
