//! A browser, the function, a Xero with three organisations, and tables.

use std::collections::BTreeMap;
use std::path::PathBuf;

use access::{TokenVault, Xero};
use connect::Connector;
use host::clock::Clock;
use host::grants::GrantFiles;
use jiff::{SignedDuration, Timestamp};
use payments::budget::Purpose;
use payments::oauth_state::{Invitation, LINK_MAX};
use payments::permission::{self, Feature};
use payments::{GrantId, OrganisationId};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;
use xero::Config;
use xero_simulator::{Limits, NewOrganisation, Options};

pub const ADDRESS: &str = "https://connect.example/";
const START: &str = "2026-03-02T03:00:00Z";

/// An answer to the browser.
pub struct Page {
    pub status: i64,
    pub headers: BTreeMap<String, String>,
    pub text: String,
}

impl Page {
    pub fn location(&self) -> &str {
        self.headers.get("location").map_or("", String::as_str)
    }
}

/// A browser: its cookies, and everything that it was shown.
#[derive(Default)]
pub struct Browser {
    pub cookie: Option<String>,
    pub shown: String,
}

pub struct World {
    common: harness::World,
    pub connect: Connector,
    pub names: [(OrganisationId, &'static str); 3],
    pub folder: PathBuf,
    vault: Box<dyn Fn() -> TokenVault>,
}

impl std::ops::Deref for World {
    type Target = harness::World;

    fn deref(&self) -> &harness::World {
        &self.common
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl World {
    /// One in which tokens are in files.
    pub async fn new() -> Self {
        let folder = |_: &harness::World, folder: &PathBuf| -> Box<dyn Fn() -> TokenVault> {
            let folder = folder.clone();
            Box::new(move || GrantFiles::new(folder.clone()).into())
        };
        Self::with(folder).await
    }

    /// One in which a new process has this vault.
    pub async fn with(
        vault: impl FnOnce(&harness::World, &PathBuf) -> Box<dyn Fn() -> TokenVault>,
    ) -> Self {
        let options = Options { limits: Limits::NONE, ..Options::default() };
        let named = |name: &str| NewOrganisation { name: name.to_owned(), ..Default::default() };
        let at: Timestamp = START.parse().unwrap();
        let common = harness::World::new(at, named("Harbour Pty"), options).await;
        let add =
            |name| OrganisationId::new(common.simulator.add_organisation(named(name)).unwrap());
        let names = [
            (common.organisation(), "Harbour Pty"),
            (add("Lighthouse & Sons"), "Lighthouse & Sons"),
            (add("<b>Quay</b>"), "<b>Quay</b>"),
        ];
        let folder = std::env::temp_dir().join(format!("paymirror-connect-{}", Uuid::new_v4()));
        let login = format!("{}/identity/connect/authorize", common.xero_url).parse().unwrap();
        let vault = vault(&common, &folder);
        let connect = Connector::new(
            common.client(&common.xero.url, Config::default()),
            common.tables_of_a_process(),
            vault(),
            login,
            ADDRESS.parse().unwrap(),
            Clock::new(common.time()),
        );
        Self { common, connect, names, folder, vault }
    }

    /// Where a new process has its tokens.
    pub fn vault(&self) -> TokenVault {
        (self.vault)()
    }

    /// What commands and schedules use.
    pub fn access(&self) -> Xero {
        let client = self.client(&self.xero.url, Config::default());
        let tables = self.tables_of_a_process();
        Xero::with(client, &tables, Purpose::Sweep).with_grants(self.vault(), &tables)
    }

    /// An operator's link, and the grant that comes of it.
    pub async fn link(&self, again: Option<OrganisationId>) -> (String, GrantId) {
        let grant = GrantId::new(Uuid::new_v4());
        (self.link_of(grant, again).await, grant)
    }

    /// An operator's link, by which a user brings this grant to life.
    pub async fn link_of(&self, grant: GrantId, again: Option<OrganisationId>) -> String {
        let invitation = Invitation {
            grant,
            organisation: again,
            scopes: permission::scopes(&[Feature::Mirror].into()),
            until: self.now() + LINK_MAX,
            used: false,
            by: "Wilma".to_owned(),
            why: "a <new> customer".to_owned(),
        };
        let address: Url = ADDRESS.parse().unwrap();
        let url = self.access().invite(&self.tables, &address, &invitation, self.now()).await;
        url.unwrap().into()
    }

    pub async fn get(&self, browser: &mut Browser, path: &str) -> Page {
        self.send(browser, "GET", path, "", "same-origin").await
    }

    pub async fn post(&self, browser: &mut Browser, path: &str, form: &str) -> Page {
        self.send(browser, "POST", path, form, "same-origin").await
    }

    pub async fn send(
        &self,
        browser: &mut Browser,
        method: &str,
        path: &str,
        form: &str,
        site: &str,
    ) -> Page {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let event = json!({
            "version": "2.0", "rawPath": path, "rawQueryString": query, "body": form,
            "headers": {"sec-fetch-site": site, "host": "evil.example"},
            "cookies": browser.cookie.iter().collect::<Vec<_>>(),
            "requestContext": {"timeEpoch": 0, "domainName": "x.lambda-url.example", "http": {"method": method, "path": path}},
            "isBase64Encoded": false,
        });
        let request = serde::Deserialize::deserialize(event).unwrap();
        let answer = serde_json::to_value(self.connect.handle(&request).await).unwrap();
        if let Some(cookie) = answer["cookies"][0].as_str() {
            browser.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        }
        let headers = answer["headers"].as_object().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let page = Page {
            status: answer["statusCode"].as_i64().unwrap(),
            headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
            text: answer["body"].as_str().unwrap_or_default().to_owned(),
        };
        browser.shown.push_str(&format!("{:?} {}", page.headers, page.text));
        page
    }

    /// Opens the link, presses the button, and returns the address at Xero.
    pub async fn launch(&self, browser: &mut Browser, link: &str) -> Url {
        let link = link.strip_prefix(ADDRESS.trim_end_matches('/')).unwrap();
        let invited = self.get(browser, link).await;
        assert_eq!(invited.status, 200, "{}", invited.text);
        let launched = self.post(browser, "/launch", link.split_once('?').unwrap().1).await;
        assert_eq!(launched.status, 303, "{}", launched.text);
        launched.location().parse().unwrap()
    }

    /// What the user does at Xero: picks these organisations, or says no. Returns the path of the way back.
    pub async fn at_xero(&self, url: &Url, picked: Option<&[OrganisationId]>) -> String {
        self.at_xero_as("ada", url, picked).await
    }

    pub async fn at_xero_as(
        &self,
        user: &str,
        url: &Url,
        picked: Option<&[OrganisationId]>,
    ) -> String {
        let http = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let mut form: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        form.push(("user".to_owned(), user.to_owned()));
        let answer = if picked.is_some() { "allow" } else { "cancel" };
        form.push(("answer".to_owned(), answer.to_owned()));
        for organisation in picked.unwrap_or_default() {
            form.push(("organisation".to_owned(), organisation.to_string()));
        }
        let mut page = url.clone();
        page.set_query(None);
        let answer = http.post(page).form(&form).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        format!("/{}", back.strip_prefix(ADDRESS).unwrap())
    }

    /// All of the way: a user lets us reach these.
    pub async fn connected(&self, browser: &mut Browser, picked: &[OrganisationId]) -> GrantId {
        let (link, grant) = self.link(None).await;
        let url = self.launch(browser, &link).await;
        let back = self.at_xero(&url, Some(picked)).await;
        let answer = self.get(browser, &back).await;
        assert_eq!((answer.status, answer.location()), (302, "/choose"));
        grant
    }

    pub async fn signed_up(&self) -> Vec<OrganisationId> {
        let rows = self.rows("organisations").await;
        rows.iter().map(|row| row["organisation"].parse().unwrap()).collect()
    }

    pub fn later(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }
}
