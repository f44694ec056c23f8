//! A user of Xero lets us in: the user is sent there, comes back with a code, and reads what was granted
//! . After each failure nothing is lost, and no secret shows (N9).

use std::fs;
use std::path::PathBuf;

use harness::log_capture;
use host::grants::GrantFiles;
use jiff::SignedDuration;
use payments::grant::{Grants as _, Pairs as _};
use payments::{GrantId, OrganisationId};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;
use xero_simulator::{Effect, Fault, NewOrganisation};

use worlds::sweep::{World, ask};

const BACK: &str = "https://paymirror.example/back";

/// A world whose organisation is set up, with a second one in Xero that is not, and a folder of secrets of
/// its own.
pub struct Users {
    pub world: World,
    other: Uuid,
    folder: PathBuf,
}

impl Drop for Users {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(&self.folder);
    }
}

impl Users {
    pub async fn new() -> Self {
        let world = World::new().await;
        let other = world.simulator.add_organisation(NewOrganisation::default()).unwrap();
        let folder = std::env::temp_dir().join(format!("paymirror-connected-{}", Uuid::new_v4()));
        Self { world, other, folder }
    }

    pub fn secrets(&self) -> GrantFiles {
        GrantFiles::new(self.folder.clone())
    }

    /// Where users log in.
    pub fn login(&self) -> Url {
        format!("{}/identity/connect/authorize", self.world.xero_url).parse().unwrap()
    }

    pub async fn invoke(&self, event: Value) -> Result<Value, String> {
        let login = self.login();
        let sweeper = self.world.sweeper().with_grants(self.secrets());
        let operations = self.world.operations().with_grants(self.secrets(), login);
        let deadline = self.world.now() + SignedDuration::from_mins(5);
        ask(&sweeper, &operations, &event, deadline).await
    }

    pub async fn authorise(&self, more: Value) -> Value {
        let mut wish = json!({"redirect_uri": BACK, "by": "Ada", "why": "a new customer"});
        wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.invoke(json!({"authorise": wish})).await.unwrap()["authorise"].clone()
    }

    /// What a user's browser brings back: code and state.
    pub async fn agree(&self, authorise: &Value) -> (String, String) {
        let none = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(none).build().unwrap();
        let answer = http.get(authorise["url"].as_str().unwrap()).send().await.unwrap();
        let back: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
        assert!(back.as_str().starts_with(BACK));
        let value =
            |name: &str| back.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
        (value("code"), value("state"))
    }

    pub async fn connect(&self, code: &str, state: &str) -> Result<Value, String> {
        let wish = json!({"code": code, "state": state, "by": "Ada", "why": "the user has agreed"});
        Ok(self.invoke(json!({"connect": wish})).await?["connect"].clone())
    }

    /// The rows of grants, without those of users who are on their way.
    async fn grants(&self) -> usize {
        let rows = self.world.rows("grants").await;
        rows.iter().filter(|row| !row["grant"].starts_with("state/")).count()
    }

    async fn on_their_way(&self) -> usize {
        let rows = self.world.rows("grants").await;
        let states = rows.iter().filter(|row| row["grant"].starts_with("state/"));
        states.filter(|row| !row.contains_key("used_at")).count()
    }

    pub fn codes_used(&self) -> usize {
        let calls = self.world.xero.take_calls();
        calls.iter().filter(|call| call.ends_with("/connect/token")).count()
    }
}

#[tokio::test]
async fn a_user_grants_access_and_sees_which_organisations_may_be_signed_up() {
    let users = Users::new().await;

    let authorise = users.authorise(json!({})).await;
    let (code, state) = users.agree(&authorise).await;
    let connect = users.connect(&code, &state).await.unwrap();

    assert_eq!(connect["grant"], authorise["grant"], "{connect}");
    assert_eq!(connect["signed_up"], json!([users.world.tenant]));
    assert_eq!(connect["may_be_signed_up"], json!([users.other]));
    let id: GrantId = connect["grant"].as_str().unwrap().parse().unwrap();
    assert!(users.secrets().pair(id).await.unwrap().is_some());
    for organisation in [users.world.tenant, users.other] {
        let grant = users.world.tables.grant_of(OrganisationId::new(organisation)).await.unwrap();
        assert_eq!(grant.unwrap().id, id);
    }
    let log = users.world.rows("activity").await;
    let actions: Vec<_> = log.iter().map(|row| row["action"].as_str()).collect();
    assert_eq!(actions.iter().filter(|action| **action == "connected").count(), 2, "{actions:?}");
    assert!(log.iter().all(|row| row["by"] == "Ada"));
    assert_eq!(users.on_their_way().await, 0);
    // By the user's grant, the other organisation can be signed up at once.
    let wish = json!({
        "organisation": users.other, "time_zone": "Australia/Sydney", "by": "Ada", "why": "new",
    });
    let signed_up = users.invoke(json!({"sign_up": wish})).await.unwrap();
    assert_eq!(signed_up["connections"][0]["status"], "Active", "{signed_up}");
}

#[tokio::test]
async fn it_is_asked_for_what_uploading_needs_or_only_for_reading() {
    let users = Users::new().await;
    let scopes = |authorise: &Value| {
        let url: Url = authorise["url"].as_str().unwrap().parse().unwrap();
        url.query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned()
    };
    let all = scopes(&users.authorise(json!({})).await);
    let reading = scopes(&users.authorise(json!({"read_only": true})).await);
    assert!(all.contains("accounting.payments ") && all.contains("offline_access"), "{all}");
    assert!(reading.contains("accounting.payments.read"), "{reading}");
    assert!(!reading.contains("accounting.payments ") && reading.contains("offline_access"));
}

#[tokio::test]
async fn a_grant_that_is_named_is_brought_back_to_life() {
    let users = Users::new().await;
    let (code, state) = users.agree(&users.authorise(json!({})).await).await;
    let grant = users.connect(&code, &state).await.unwrap()["grant"].clone();
    users.world.simulator.revoke_authorisations(users.world.tenant);

    let again = users.authorise(json!({"grant": grant})).await;
    let (code, state) = users.agree(&again).await;
    assert_eq!(users.connect(&code, &state).await.unwrap()["grant"], grant);
    let id: GrantId = grant.as_str().unwrap().parse().unwrap();
    assert_eq!(users.secrets().pair(id).await.unwrap().unwrap().generation, 2);
}

/// The grant reports its death and its return; the hourly look finds both, and does not report them again.
#[tokio::test]
async fn a_dead_grant_is_logged_once_as_a_lost_connection() {
    // X-14, CC-03, EX-24
    let users = Users::new().await;
    let (code, state) = users.agree(&users.authorise(json!({})).await).await;
    let grant = users.connect(&code, &state).await.unwrap()["grant"].clone();
    let check = async || {
        users.world.clock.advance(SignedDuration::from_hours(1));
        let answer = users.invoke(json!({"check": true})).await.unwrap();
        answer["connections"][0]["status"].as_str().unwrap().to_owned()
    };
    let logged = async |action: &str| {
        let rows = users.world.rows("activity").await;
        let own = users.world.tenant.to_string();
        let logged =
            rows.iter().filter(|row| row["action"] == action && row["organisation"] == own);
        logged.count()
    };
    check().await;
    users.world.simulator.revoke_authorisations(users.world.tenant);
    for _ in 0..2 {
        assert_eq!(check().await, "Disconnected");
    }
    assert_eq!((logged("connection_lost").await, logged("connection_restored").await), (1, 0));

    let (code, state) = users.agree(&users.authorise(json!({"grant": grant})).await).await;
    users.connect(&code, &state).await.unwrap();
    for _ in 0..2 {
        assert_ne!(check().await, "Disconnected");
    }
    assert_eq!((logged("connection_lost").await, logged("connection_restored").await), (1, 1));
}

#[tokio::test]
async fn a_state_that_was_not_given_out_or_is_over_uses_no_code() {
    let users = Users::new().await;
    let (code, state) = users.agree(&users.authorise(json!({})).await).await;
    users.codes_used();
    for wrong in ["", "state", &state[1..], &state.to_uppercase(), "state/x"] {
        let refused = users.connect(&code, wrong).await.unwrap_err();
        assert!(refused.contains("not given out"), "{refused}");
    }
    users.world.clock.advance(SignedDuration::from_mins(10));
    let late = users.connect(&code, &state).await.unwrap_err();
    assert!(late.contains("is over"), "{late}");
    assert_eq!((users.codes_used(), users.grants().await), (0, 0));
}

#[tokio::test]
async fn a_state_is_used_once() {
    let users = Users::new().await;
    let (code, state) = users.agree(&users.authorise(json!({})).await).await;
    users.connect(&code, &state).await.unwrap();
    users.codes_used();
    let again = users.connect(&code, &state).await.unwrap_err();
    assert!(again.contains("used already"), "{again}");
    assert_eq!(users.codes_used(), 0);
    // Of two at once, one.
    let (code, state) = users.agree(&users.authorise(json!({})).await).await;
    let both = tokio::join!(users.connect(&code, &state), users.connect(&code, &state));
    assert_eq!(usize::from(both.0.is_ok()) + usize::from(both.1.is_ok()), 1, "{both:?}");
}

#[tokio::test]
async fn a_code_that_xero_refuses_makes_no_grant_and_the_way_is_begun_again() {
    let users = Users::new().await;
    let authorise = users.authorise(json!({})).await;
    let (_, state) = users.agree(&authorise).await;
    let refused = users.connect("code-canary", &state).await.unwrap_err();
    let grant = authorise["grant"].as_str().unwrap();
    assert!(refused.contains("invalid_grant") && refused.contains(grant), "{refused}");
    assert!(!refused.contains("canary"), "{refused}");
    let id: GrantId = grant.parse().unwrap();
    assert!(users.secrets().pair(id).await.unwrap().is_none());
    let known = users.world.tables.grant(id).await.unwrap();
    assert!(known.organisations.is_empty() && known.lease.is_none(), "{known:?}");

    let again = users.authorise(json!({"grant": grant})).await;
    let (code, state) = users.agree(&again).await;
    assert_eq!(users.connect(&code, &state).await.unwrap()["grant"], grant);
}

#[tokio::test]
async fn without_a_place_for_the_tokens_nothing_happens_and_the_code_stays_good() {
    let users = Users::new().await;
    let (code, state) = users.agree(&users.authorise(json!({})).await).await;
    users.codes_used();
    fs::write(&users.folder, "in the way").unwrap();

    let refused = users.connect(&code, &state).await.unwrap_err();

    assert!(refused.contains("no place") && refused.contains("not used yet"), "{refused}");
    assert_eq!((users.codes_used(), users.grants().await, users.on_their_way().await), (0, 0, 1));
    fs::remove_file(&users.folder).unwrap();
    users.connect(&code, &state).await.unwrap();
}

#[tokio::test]
async fn a_custom_connection_has_no_users_and_an_address_must_be_safe() {
    let users = Users::new().await;
    let wish = json!({"redirect_uri": BACK, "by": "Ada", "why": "new"});
    let none = users.world.invoke(json!({"authorise": wish})).await.unwrap_err();
    assert!(none.contains("custom connection"), "{none}");
    for address in ["", "back", "http://paymirror.example/back", "file:///etc", "ftp://a/b"] {
        let wish = json!({"redirect_uri": address, "by": "Ada", "why": "new"});
        let refused = users.invoke(json!({"authorise": wish})).await.unwrap_err();
        assert!(refused.contains("`redirect_uri`"), "{address}: {refused}");
    }
    let wish = json!({"redirect_uri": "http://localhost:9500/back", "by": "Ada", "why": "new"});
    users.invoke(json!({"authorise": wish})).await.unwrap();
}

#[tokio::test]
async fn no_token_code_or_state_is_in_a_line_an_error_or_a_row() {
    // N9.
    log_capture::start();
    let users = Users::new().await;
    let authorise = users.authorise(json!({})).await;
    let (code, state) = users.agree(&authorise).await;
    let mut said = String::new();
    let down = Effect::Status { status: 503, headers: vec![], body: "canary".to_owned() };
    users.world.simulator.inject(Fault::on("POST", "/connect/token", down).times(1));
    said.push_str(&format!("{:?}", users.connect(&code, &state).await));
    let (code_2, state_2) = users.agree(&users.authorise(json!({})).await).await;
    said.push_str(&format!("{:?}", users.connect(&code_2, &state_2).await));
    said.push_str(&format!("{:?}", users.connect(&code_2, &state_2).await));
    let wish = json!({"code": code, "state": 1, "by": "Ada", "why": "w"});
    said.push_str(&format!("{:?}", users.invoke(json!({"connect": wish})).await));
    for table in table::schema::TABLES {
        said.push_str(&format!("{:?}", users.world.rows(table.name).await));
    }
    said.push_str(&log_capture::take());
    assert!(said.contains("a user has let us in") && said.contains("may_be_signed_up"), "{said}");
    for secret in [&*code, &*state, &*code_2, &*state_2, "sim.", "refresh-", "canary"] {
        assert!(!said.contains(secret), "{secret}: {said}");
    }
}
