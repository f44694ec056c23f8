//! The ways to Xero and back (XC-01, XC-02): yes, no, half of the way, twice, and too late.

use payments::grant::{Grants as _, Pairs as _};

use crate::world::{Browser, World};

#[tokio::test]
async fn a_user_lets_us_in_and_code_and_state_are_gone_from_the_address() {
    // XC-02, XC-11
    let world = World::new().await;
    let mut browser = Browser::default();
    let (link, grant) = world.link(None).await;
    let url = world.launch(&mut browser, &link).await;
    let [harbour, lighthouse, _] = world.names.map(|(id, _)| id);
    let back = world.at_xero(&url, Some(&[harbour, lighthouse])).await;

    let answer = world.get(&mut browser, &back).await;

    assert_eq!((answer.status, answer.location(), answer.text.as_str()), (302, "/choose", ""));
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert_eq!(answer.headers["referrer-policy"], "no-referrer");
    let known = world.tables.grant(grant).await.unwrap();
    assert_eq!(known.organisations, [harbour, lighthouse].into());
    let granted = "accounting.invoices.read accounting.payments.read accounting.settings.read";
    assert_eq!(known.scopes.into_iter().collect::<Vec<_>>().join(" "), granted);
    assert!(world.vault().pair(grant).await.unwrap().is_some());
    let page = world.get(&mut browser, "/choose").await;
    assert!(page.text.contains("Harbour Pty") && page.text.contains("Lighthouse &#38; Sons"));
    assert!(!page.text.contains("Quay"), "{}", page.text);
    assert!(world.signed_up().await.is_empty(), "nothing is signed up unasked");
}

#[tokio::test]
async fn a_user_who_says_no_has_changed_nothing() {
    // XC-02
    let world = World::new().await;
    let mut browser = Browser::default();
    let (link, grant) = world.link(None).await;
    let url = world.launch(&mut browser, &link).await;
    let back = world.at_xero(&url, None).await;
    assert!(back.contains("error=access_denied"), "{back}");

    let answer = world.get(&mut browser, &back).await;

    assert_eq!((answer.status, answer.location()), (302, "/outcome/said-no"));
    let page = world.get(&mut browser, answer.location()).await;
    assert!(page.text.contains("you said no") && page.text.contains("Nothing has changed"));
    assert_eq!(world.tables.grant(grant).await.unwrap().revision, 0);
    assert!(!world.simulator.identity_calls().contains(&"POST /connect/token".to_owned()));
    // The state of a no is used up, and a code that is sent with it afterwards is not used.
    let again = world.get(&mut browser, &back.replace("error=access_denied", "code=x")).await;
    assert_eq!(again.location(), "/outcome/used");
}

#[tokio::test]
async fn half_of_the_way_leaves_nothing_and_a_new_link_goes_all_of_it() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let (link, grant) = world.link(None).await;
    world.launch(&mut browser, &link).await;
    // The user closes Xero's page. Nothing comes back.
    world.later(60);
    assert_eq!(world.tables.grant(grant).await.unwrap().revision, 0);
    let ids = world.names.map(|(id, _)| id);
    world.connected(&mut browser, &ids[..1]).await;
    // Back from Xero, and the user picks nothing.
    let done = world.post(&mut browser, "/choose", "").await;
    assert_eq!((done.status, done.location()), (303, "/done"));
    let page = world.get(&mut browser, "/done").await;
    assert!(page.text.contains("It is connected in Xero, and not used."), "{}", page.text);
    assert!(world.signed_up().await.is_empty());
}

#[tokio::test]
async fn a_link_works_once_and_for_an_hour_and_opening_it_does_not_count() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let (link, _) = world.link(None).await;
    let path = format!("/{}", link.rsplit('/').next().unwrap());
    for _ in 0..3 {
        assert_eq!(world.get(&mut browser, &path).await.status, 200);
    }
    world.launch(&mut browser, &link).await;
    for again in [
        world.get(&mut browser, &path).await,
        world.post(&mut browser, "/launch", path.split_once('?').unwrap().1).await,
    ] {
        assert_eq!(again.status, 410);
        assert!(again.text.contains("This link was used already"), "{}", again.text);
    }
    let (link, _) = world.link(None).await;
    let path = format!("/{}", link.rsplit('/').next().unwrap());
    world.later(60);
    let late = world.get(&mut browser, &path).await;
    assert_eq!(late.status, 410);
    assert!(late.text.contains("This link is too old"), "{}", late.text);
}

#[tokio::test]
async fn a_way_back_works_once_in_the_same_browser_and_for_ten_minutes() {
    // XC-02
    let world = World::new().await;
    let ids = world.names.map(|(id, _)| id);
    let mut browser = Browser::default();
    let (link, _) = world.link(None).await;
    let url = world.launch(&mut browser, &link).await;
    let back = world.at_xero(&url, Some(&ids)).await;
    let mut other = Browser::default();
    let tokens = |world: &World| {
        let calls = world.simulator.identity_calls();
        calls.iter().filter(|call| *call == "POST /connect/token").count()
    };
    // Another browser: one without the cookie, and one with a cookie of its own.
    assert_eq!(world.get(&mut other, &back).await.location(), "/outcome/not-from-here");
    let (others, _) = world.link(None).await;
    world.launch(&mut other, &others).await;
    assert_eq!(world.get(&mut other, &back).await.location(), "/outcome/not-from-here");
    assert_eq!(tokens(&world), 0);
    assert_eq!(world.get(&mut browser, &back).await.location(), "/choose");
    assert_eq!(world.get(&mut browser, &back).await.location(), "/outcome/used");
    assert_eq!(tokens(&world), 1);

    let (link, grant) = world.link(None).await;
    let url = world.launch(&mut browser, &link).await;
    let back = world.at_xero(&url, Some(&ids)).await;
    world.later(10);
    assert_eq!(world.get(&mut browser, &back).await.location(), "/outcome/late");
    assert_eq!((tokens(&world), world.tables.grant(grant).await.unwrap().revision), (1, 0));
    for outcome in ["used", "late", "not-from-here", "refused", "trouble"] {
        let page = world.get(&mut browser, &format!("/outcome/{outcome}")).await;
        assert!(page.text.contains("<h1>") && page.status >= 400, "{outcome}");
    }
}

#[tokio::test]
async fn a_user_who_picks_no_organisation_at_xero_is_told_to_pick_one() {
    let world = World::new().await;
    let mut browser = Browser::default();
    let (link, grant) = world.link(None).await;
    let url = world.launch(&mut browser, &link).await;
    let back = world.at_xero(&url, Some(&[])).await;
    assert_eq!(world.get(&mut browser, &back).await.location(), "/outcome/refused");
    assert!(world.tables.grant(grant).await.unwrap().organisations.is_empty());
    assert!(world.vault().pair(grant).await.unwrap().is_none());
}
