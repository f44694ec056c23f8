//! What a stranger, another site and a reader of logs get: nothing.

use harness::log_capture;

use crate::world::{ADDRESS, Browser, World};

#[tokio::test]
async fn a_stranger_with_the_address_can_connect_nothing() {
    // XC-01
    let world = World::new().await;
    let mut browser = Browser::default();
    let link = "a".repeat(64);
    for path in ["/launch", "/launch?link=", "/launch?link=x", &format!("/launch?link={link}")] {
        let page = world.get(&mut browser, path).await;
        assert_eq!(page.status, 404, "{path}");
        let form = path.split_once('?').map_or("", |(_, form)| form);
        assert_eq!(world.post(&mut browser, "/launch", form).await.status, 404, "{path}");
    }
    for path in ["/choose", "/done"] {
        assert_eq!(world.get(&mut browser, path).await.status, 403, "{path}");
    }
    let state = "b".repeat(64);
    for query in ["", "?code=c", &format!("?code=c&state={state}"), "?error=access_denied"] {
        let page = world.get(&mut browser, &format!("/callback{query}")).await;
        assert_eq!((page.status, page.location()), (302, "/outcome/not-from-here"), "{query}");
    }
    assert_eq!(world.get(&mut browser, "/").await.status, 200);
    assert_eq!(world.get(&mut browser, "/outcome/%3Cscript%3E").await.status, 404);
    assert!(world.rows("grants").await.is_empty());
    assert!(browser.cookie.is_none());
    assert!(world.simulator.identity_calls().is_empty());
}

#[tokio::test]
async fn a_form_of_another_site_does_nothing() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let ids = world.names.map(|(id, _)| id);
    world.connected(&mut browser, &ids).await;
    let form = format!("organisation={}", ids[0]);
    for path in ["/choose", "/disconnect", "/launch"] {
        for site in ["cross-site", "same-site", "none"] {
            let page = world.send(&mut browser, "POST", path, &form, site).await;
            assert_eq!(page.status, 403, "{path} {site}");
        }
    }
    assert!(world.signed_up().await.is_empty());
    // An organisation that Xero did not show to this browser is none that it may pick.
    let foreign = "organisation=00000000-0000-0000-0000-000000000001";
    world.post(&mut browser, "/choose", foreign).await;
    assert!(world.signed_up().await.is_empty());
}

#[tokio::test]
async fn each_answer_forbids_frames_scripts_and_being_kept() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let (link, _) = world.link(None).await;
    let path = format!("/{}", link.rsplit('/').next().unwrap());
    for path in ["/", "/callback", "/choose", "/done", "/nothing", path.as_str()] {
        let page = world.get(&mut browser, path).await;
        let policy = &page.headers["content-security-policy"];
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("script") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.headers["x-frame-options"], "DENY");
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["cache-control"], "no-store");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        assert!(page.headers["strict-transport-security"].contains("31536000"));
    }
    // What a person or Xero has named is text.
    let invited = world.get(&mut browser, &path).await.text;
    assert!(invited.contains("a &#60;new&#62; customer"), "{invited}");
    world.launch(&mut browser, &link).await;
    let cookie = browser.cookie.clone().unwrap();
    assert!(cookie.starts_with("__Host-paymirror="), "{cookie}");
    world.connected(&mut browser, &world.names.map(|(id, _)| id)).await;
    let page = world.get(&mut browser, "/choose").await.text;
    assert!(page.contains("&#60;b&#62;Quay&#60;/b&#62;") && !page.contains("<b>"), "{page}");
}

#[tokio::test]
async fn the_way_back_is_our_own_address_whatever_a_browser_says_of_its_host() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let (link, _) = world.link(None).await;
    let url = world.launch(&mut browser, &link).await;
    let redirect = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
    assert_eq!(redirect, format!("{ADDRESS}callback"));
    let asked = url.query_pairs().find(|(name, _)| name == "scope").unwrap().1;
    assert!(!asked.contains("accounting.payments ") && asked.contains("accounting.payments.read"));
}

#[tokio::test]
async fn no_link_code_state_cookie_or_token_is_in_a_line_or_a_row() {
    // XC-02, N9
    log_capture::start();
    let world = World::new().await;
    let mut browser = Browser::default();
    let (link, grant) = world.link(None).await;
    let url = world.launch(&mut browser, &link).await;
    let back = world.at_xero(&url, Some(&world.names.map(|(id, _)| id))).await;
    world.get(&mut browser, &back).await;
    world.get(&mut browser, &back).await;
    world.post(&mut browser, "/choose", &format!("organisation={}", world.names[0].0)).await;
    let (again, _) = world.link(None).await;
    let url = world.launch(&mut browser, &again).await;
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    world.get(&mut browser, &format!("/callback?code=canary-code&state={state}")).await;
    let said = ("Ada", "it ends");
    world.access().disconnect(&world.tables, world.names[0].0, said, world.now()).await.unwrap();

    let mut seen = log_capture::take();
    assert!(seen.contains("a user has let us in") && seen.contains(&grant.to_string()), "{seen}");
    assert!(seen.contains("Xero gave no tokens"), "{seen}");
    for table in table::schema::TABLES {
        seen.push_str(&format!("{:?}", world.rows(table.name).await));
    }
    let texts: Vec<String> = [back.as_str(), link.as_str(), again.as_str()]
        .iter()
        .flat_map(|text| text.split(['=', '&']).map(str::to_owned).collect::<Vec<_>>())
        .filter(|text| text.len() >= 32 && !text.contains('/'))
        .collect();
    assert_eq!(texts.len(), 4, "code, state and two links: {texts:?}");
    let cookie = browser.cookie.unwrap().split_once('=').unwrap().1.to_owned();
    for secret in
        [texts, vec![state, cookie, "canary".into(), "sim.".into(), "refresh-".into()]].concat()
    {
        assert!(!seen.contains(&secret), "{secret}");
    }
}
