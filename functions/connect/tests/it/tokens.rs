//! Tokens in the table, encrypted with the key of one secret (infra/decisions/0028): what they cost, what a thief and a
//! forger of rows get, and how they come there from the secrets of an earlier version.

use access::TokenVault;
use aws_sdk_dynamodb::config::{BehaviorVersion, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::{CrashPoint, Moment, SecretsEngine, http, log_capture};
use host::SdkConfig;
use host::clock::Clock;
use host::grants::{FormerSecrets, text_of};
use host::secrets::{Secret, SecretsManager};
use payments::grant::{GrantError, Grants as _, Pair, Pairs as _};
use payments::{GrantId, OrganisationId};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::world::{Browser, World};

const KEY: &str = "stack/grants-key";
const PREFIX: &str = "stack/grants/";
/// A user for each organisation.
const USERS: [&str; 3] = ["ada", "ben", "cyd"];

/// A text of which a key is made: this letter, often enough.
fn key(letter: &str) -> String {
    letter.repeat(64)
}

fn one_key(letter: &str) -> String {
    format!(r#"{{"token_key":"{}"}}"#, key(letter))
}

fn two_keys(new: &str, old: &str) -> String {
    format!(r#"{{"token_key":"{}","older_token_keys":["{}"]}}"#, key(new), key(old))
}

/// A world with Secrets Manager, in which a user lets us reach what is picked.
struct Stack {
    world: World,
    secrets: SecretsEngine,
    browser: Browser,
}

impl Stack {
    async fn new() -> Self {
        let secrets = SecretsEngine::start().await;
        secrets.put(KEY, one_key("a"));
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .endpoint_url(&secrets.url)
            .http_client(http::aws())
            .region(http::region())
            .credentials_provider(SharedCredentialsProvider::new(http::credentials()))
            .build();
        let world = World::with(|common, _| {
            let (tables, clock) = (common.tables_of_a_process(), Clock::new(common.time()));
            Box::new(move || {
                let key = Secret::stored(SecretsManager::new(&aws), KEY.to_owned());
                let former = FormerSecrets::new(&aws, PREFIX.to_owned());
                TokenVault::in_table(&tables, key, former, &clock)
            })
        })
        .await;
        Self { world, secrets, browser: Browser::default() }
    }

    fn organisation(&self, n: usize) -> OrganisationId {
        self.world.names[n].0
    }

    /// A user, whose only organisation this is.
    async fn user_of(&mut self, n: usize) -> GrantId {
        self.browser = Browser::default();
        let (link, grant) = self.world.link(None).await;
        let url = self.world.launch(&mut self.browser, &link).await;
        let picked = [self.organisation(n)];
        let back = self.world.at_xero_as(USERS[n], &url, Some(&picked)).await;
        assert_eq!(self.world.get(&mut self.browser, &back).await.location(), "/choose");
        grant
    }

    /// A user of an earlier version: the tokens are in a secret of their own, and not in the table.
    async fn former_user_of(&mut self, n: usize) -> GrantId {
        let grant = self.user_of(n).await;
        let pair = self.world.vault().pair(grant).await.unwrap().unwrap();
        self.world.vault().delete(grant).await.unwrap();
        self.secrets.put(&former(grant), text_of(&pair).expose_secret());
        grant
    }

    /// A new process calls Xero for an organisation.
    async fn call(&self, n: usize) -> Result<(), String> {
        let called = self.world.access().organisation(self.organisation(n)).await;
        called.map(drop).map_err(|error| error.to_string())
    }

    /// The row with the tokens of a grant.
    async fn row(&self, grant: GrantId) -> Option<Item> {
        let get = self.world.direct.get_item().table_name("grants");
        let key = AttributeValue::S(format!("tokens/{grant}"));
        get.key("grant", key).send().await.unwrap().item
    }

    async fn put(&self, grant: GrantId, mut row: Item) {
        row.insert("grant".to_owned(), AttributeValue::S(format!("tokens/{grant}")));
        let put = self.world.direct.put_item().table_name("grants");
        put.set_item(Some(row)).send().await.unwrap();
    }

    fn end_with(&self, crash_point: &std::sync::Arc<CrashPoint>) {
        self.world.end_with(crash_point);
        self.secrets.end_with(crash_point);
    }
}

type Item = std::collections::HashMap<String, AttributeValue>;

fn former(grant: GrantId) -> String {
    format!("{PREFIX}{grant}")
}

fn pair(generation: u64) -> Pair {
    Pair {
        generation,
        access_token: format!("access-canary-{generation}").into(),
        access_until: "2026-03-02T03:30:00Z".parse().unwrap(),
        got_at: "2026-03-02T03:00:00Z".parse().unwrap(),
        refresh_token: format!("refresh-canary-{generation}").into(),
    }
}

#[tokio::test]
async fn a_thousand_grants_cost_one_secret() {
    let stack = Stack::new().await;
    let vault = stack.world.vault();
    for n in 0..1000 {
        vault.store_pair(GrantId::new(Uuid::from_u128(n)), &pair(1)).await.unwrap();
    }
    for n in 0..1000 {
        let kept = vault.pair(GrantId::new(Uuid::from_u128(n))).await.unwrap().unwrap();
        assert_eq!(kept.refresh_token.expose_secret(), "refresh-canary-1");
    }
    assert_eq!(stack.secrets.count(), 1, "the key");
    let written = ["CreateSecret", "PutSecretValue"].map(|name| stack.secrets.take_calls(name));
    assert_eq!(written, [0, 0]);
    assert_eq!(stack.secrets.take_calls("GetSecretValue"), 1, "the key is read once");
}

#[tokio::test]
async fn the_table_alone_yields_no_token() {
    // N9
    log_capture::start();
    let mut stack = Stack::new().await;
    let grant = stack.user_of(0).await;
    let kept = stack.world.vault().pair(grant).await.unwrap().unwrap();
    let tokens = [kept.access_token.expose_secret(), kept.refresh_token.expose_secret()];
    let rows = stack.world.direct.scan().table_name("grants").send().await.unwrap().items.unwrap();
    assert!(rows.iter().any(|row| row.contains_key("tokens")));
    for value in rows.iter().flat_map(|row| row.values()) {
        let text = harness::dynamodb::text(value);
        let bytes = BASE64.decode(&text).unwrap_or(text.into_bytes());
        for token in tokens {
            assert!(!bytes.windows(8).any(|part| part == &token.as_bytes()[..8]), "{value:?}");
        }
    }
    // The same tokens again are another text.
    let first = stack.row(grant).await.unwrap();
    let other = Pair { generation: kept.generation + 1, ..kept.clone() };
    stack.world.vault().store_pair(grant, &other).await.unwrap();
    let second = stack.row(grant).await.unwrap();
    assert_ne!((&first["nonce"], &first["tokens"]), (&second["nonce"], &second["tokens"]));
    let said = format!("{:?} {}", stack.world.access(), log_capture::take());
    for secret in [tokens[0], tokens[1], &key("a")] {
        assert!(!said.contains(secret));
    }
}

#[tokio::test]
async fn rows_that_were_exchanged_are_refused_by_name_and_others_go_on() {
    let mut stack = Stack::new().await;
    let grants = [stack.user_of(0).await, stack.user_of(1).await, stack.user_of(2).await];
    let [mine, yours] = [stack.row(grants[0]).await.unwrap(), stack.row(grants[1]).await.unwrap()];
    stack.put(grants[0], yours.clone()).await;
    stack.put(grants[1], mine.clone()).await;
    for n in [0, 1] {
        log_capture::start();
        stack.call(n).await.unwrap_err();
        let said = log_capture::take();
        assert!(said.contains(&format!("in the row of grant {}", grants[n])), "{said}");
    }
    stack.call(2).await.unwrap();
    // Nothing is lost by it: the rows as they were are taken again.
    stack.put(grants[0], mine).await;
    stack.world.later(10);
    stack.call(0).await.unwrap();
    let grant = stack.world.tables.grant(grants[1]).await.unwrap();
    assert!(grant.dead.is_none());
    // And a user who authorises again replaces one that is spoilt.
    let link = stack.world.link_of(grants[1], None).await;
    let url = stack.world.launch(&mut stack.browser, &link).await;
    let picked = [stack.organisation(1)];
    let back = stack.world.at_xero_as(USERS[1], &url, Some(&picked)).await;
    assert_eq!(stack.world.get(&mut stack.browser, &back).await.location(), "/choose");
    stack.call(1).await.unwrap();
}

#[tokio::test]
async fn each_attribute_of_a_row_is_proven() {
    let stack = Stack::new().await;
    let vault = stack.world.vault();
    let grant = GrantId::new(Uuid::from_u128(7));
    vault.store_pair(grant, &pair(3)).await.unwrap();
    let good = stack.row(grant).await.unwrap();
    let number = |n: &str| AttributeValue::N(n.to_owned());
    let text = BASE64.decode(good["tokens"].as_s().unwrap()).unwrap();
    let flipped = [&[text[0] ^ 1], &text[1..]].concat();
    let bytes = |bytes: Vec<u8>| AttributeValue::S(BASE64.encode(bytes));
    for (name, value) in [
        ("generation", number("4")),
        ("version", number("2")),
        ("encrypted_with", AttributeValue::S("0".repeat(16))),
        ("nonce", bytes(vec![0; 12])),
        ("nonce", bytes(vec![0; 11])),
        ("tokens", bytes(flipped)),
        ("tokens", bytes(text[..text.len() - 1].to_vec())),
        ("tokens", bytes(Vec::new())),
        ("tokens", AttributeValue::S("no base64".to_owned())),
    ] {
        let mut row = good.clone();
        row.insert(name.to_owned(), value);
        stack.put(grant, row).await;
        let refused = vault.pair(grant).await.unwrap_err();
        let GrantError::Unavailable(cause) = &refused else { panic!("{refused:?}") };
        assert!(cause.to_string().contains(&grant.to_string()), "{name}: {cause}");
        assert!(!format!("{refused:?} {cause:?}").contains("canary"), "{name}");
    }
    stack.put(grant, good).await;
    vault.pair(grant).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_pair_is_replaced_by_a_later_one_only() {
    let stack = Stack::new().await;
    let vault = stack.world.vault();
    let grant = GrantId::new(Uuid::from_u128(7));
    vault.store_pair(grant, &pair(3)).await.unwrap();
    for generation in [2, 3] {
        let refused = vault.store_pair(grant, &pair(generation)).await.unwrap_err();
        assert!(matches!(refused, GrantError::Changed), "{refused:?}");
    }
    vault.store_pair(grant, &pair(4)).await.unwrap();
    assert_eq!(vault.generation(grant).await.unwrap(), 4);
}

#[tokio::test]
async fn two_processes_that_renew_at_once_agree() {
    let mut stack = Stack::new().await;
    stack.user_of(0).await;
    stack.world.later(30);
    let before = stack.world.simulator.refreshes();
    let (one, other) = tokio::join!(stack.call(0), stack.call(0));
    one.unwrap();
    other.unwrap();
    assert_eq!(stack.world.simulator.refreshes() - before, 1);
}

#[tokio::test]
async fn tokens_move_from_their_secret_into_the_table_with_the_next_renewal() {
    let mut stack = Stack::new().await;
    let grant = stack.former_user_of(0).await;
    // They serve as they are.
    stack.call(0).await.unwrap();
    assert!(stack.row(grant).await.is_none());
    assert_eq!(stack.secrets.count(), 2);
    stack.world.later(30);
    // The secret cannot be deleted: the tokens are kept all the same, and it is tried again.
    stack.secrets.refuse(Some("DeleteSecret"));
    stack.call(0).await.unwrap();
    assert_eq!(stack.row(grant).await.unwrap()["generation"].as_n().unwrap(), "2");
    assert_eq!(stack.secrets.ends_in(&former(grant)), None);
    stack.call(0).await.unwrap();
    stack.secrets.refuse(None);
    stack.world.later(30);
    stack.call(0).await.unwrap();
    assert_eq!(stack.row(grant).await.unwrap()["generation"].as_n().unwrap(), "3");
    assert_eq!((stack.secrets.ends_in(&former(grant)), stack.secrets.count()), (Some(7), 1));
    // From now on Secrets Manager is asked for the key alone.
    for name in ["DeleteSecret", "GetSecretValue"] {
        stack.secrets.take_calls(name);
    }
    stack.world.later(30);
    stack.call(0).await.unwrap();
    let asked = ["DeleteSecret", "GetSecretValue"].map(|name| stack.secrets.take_calls(name));
    assert_eq!(asked, [0, 1]);
}

#[tokio::test]
async fn what_an_earlier_version_renews_meanwhile_counts() {
    // Both versions run while a deployment is under way.
    let mut stack = Stack::new().await;
    let grant = stack.former_user_of(0).await;
    let vault = stack.world.vault();
    stack.secrets.refuse(Some("DeleteSecret"));
    vault.store_pair(grant, &pair(2)).await.unwrap();
    let later = Pair { got_at: "2026-03-02T04:00:00Z".parse().unwrap(), ..pair(3) };
    stack.secrets.put(&former(grant), text_of(&later).expose_secret());
    assert_eq!(vault.pair(grant).await.unwrap().unwrap().generation, 3);
    stack.secrets.refuse(None);
    vault.store_pair(grant, &pair(4)).await.unwrap();
    assert_eq!(vault.pair(grant).await.unwrap().unwrap().generation, 4);
    assert_eq!(stack.secrets.count(), 1);
}

#[tokio::test]
async fn wherever_the_process_ends_that_moves_the_tokens_the_grant_lives_on() {
    // FAULT-29
    let mut calls = 0;
    let mut call = 0;
    while call <= calls {
        for moment in [Moment::Before, Moment::After] {
            let mut stack = Stack::new().await;
            let grant = stack.former_user_of(0).await;
            stack.world.later(29);
            let crash_point = CrashPoint::at_effect(call, moment);
            stack.end_with(&crash_point);
            let ended = crash_point.run(stack.call(0)).await;
            stack.end_with(&CrashPoint::counting());
            if call == 0 {
                ended.unwrap().unwrap();
                calls = crash_point.calls().len();
                assert!(calls > 6, "{calls}");
                continue;
            }
            let what = format!("ended {moment:?} call {call} of {calls}");
            assert!(ended.is_none(), "{what}");
            for minutes in [2, 28, 24 * 60] {
                stack.world.later(minutes);
                stack.call(0).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            let there = stack.world.tables.grant(grant).await.unwrap();
            assert_eq!((there.dead, there.lease), (None, None), "{what}");
            assert_eq!(stack.secrets.count(), 1, "{what}");
        }
        call += 1;
    }
}

#[tokio::test]
async fn a_new_key_takes_over_with_the_next_renewal_and_the_old_one_is_read_until_then() {
    log_capture::start();
    let mut stack = Stack::new().await;
    let grant = stack.user_of(0).await;
    let waits = stack.user_of(1).await;
    let name = |row: Item| row["encrypted_with"].as_s().unwrap().clone();
    let old = name(stack.row(grant).await.unwrap());
    // As infra/account/token_key.py names it.
    assert_eq!(old, "152310f958c2c768");
    stack.world.later(30);
    let process = stack.world.vault();
    process.pair(grant).await.unwrap();
    stack.secrets.put(KEY, two_keys("b", "a"));
    stack.world.later(2);
    stack.call(0).await.unwrap();
    let new = name(stack.row(grant).await.unwrap());
    assert_ne!(new, old);
    // A process that has read the secret before finds the new key, and the other grant's row still opens.
    process.pair(grant).await.unwrap().unwrap();
    process.pair(waits).await.unwrap().unwrap();
    // The old key is taken away too early: nothing is lost, and the line says which key is missing.
    stack.secrets.put(KEY, one_key("b"));
    stack.call(0).await.unwrap();
    stack.call(1).await.unwrap_err();
    let said = log_capture::take();
    assert!(said.contains(&old) && said.contains(&waits.to_string()), "{said}");
    assert!(!said.contains(&key("a")) && !said.contains(&key("b")));
    stack.secrets.put(KEY, two_keys("b", "a"));
    stack.world.later(10);
    stack.call(1).await.unwrap();
    assert_eq!(name(stack.row(waits).await.unwrap()), new);
    stack.secrets.put(KEY, one_key("b"));
    stack.world.later(30);
    stack.call(1).await.unwrap();
}

#[tokio::test]
async fn without_a_key_no_code_is_used() {
    let mut stack = Stack::new().await;
    stack.secrets.put(KEY, r#"{"token_key":"short"}"#);
    let (link, _) = stack.world.link(None).await;
    let url = stack.world.launch(&mut stack.browser, &link).await;
    let back = stack.world.at_xero(&url, Some(&[stack.organisation(0)])).await;
    let answer = stack.world.get(&mut stack.browser, &back).await;
    assert_ne!(answer.location(), "/choose");
    assert!(!stack.world.simulator.identity_calls().contains(&"POST /connect/token".to_owned()));
    // The code is still good.
    stack.secrets.put(KEY, one_key("a"));
    stack.world.later(2);
    let answer = stack.world.get(&mut stack.browser, &back).await;
    assert_eq!(answer.location(), "/choose");
}

#[tokio::test]
async fn tokens_that_nothing_hangs_on_are_deleted_here_and_in_the_secret_of_an_earlier_version() {
    // XC-05
    let mut stack = Stack::new().await;
    let grant = stack.former_user_of(0).await;
    let form = format!("organisation={}", stack.organisation(0));
    stack.world.post(&mut stack.browser, "/choose", &form).await;
    let (access, organisation) = (stack.world.access(), stack.organisation(0));
    stack.world.later(30);
    stack.call(0).await.unwrap();
    assert!(stack.row(grant).await.is_some());
    stack.secrets.put(&former(grant), "left over");
    let said = ("Wilma", "the customer has gone");
    let now = stack.world.now();
    let done = access.disconnect(&stack.world.tables, organisation, said, now).await.unwrap();
    assert_eq!(done.not_confirmed, None);
    assert!(stack.row(grant).await.is_none());
    assert_eq!(stack.secrets.count(), 1);
}
