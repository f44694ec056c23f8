//! Grants in the tables: each step on the condition of the one before, and its messages for operators
//! with it or not at all (X-14, FAULT-29).

use std::collections::BTreeSet;

use harness::Do;
use harness::dynamodb::having;
use jiff::{SignedDuration, Timestamp};
use payments::grant::{Failing, Grant, GrantEnd, GrantError, Grants as _, Pair};
use payments::{GrantId, OrganisationId};
use proptest::prelude::*;
use uuid::Uuid;

use crate::round_trips::law;
use crate::samples::{now, organisation};
use crate::world::World;

pub fn id(n: u128) -> GrantId {
    GrantId::new(Uuid::from_u128(n))
}

/// For the sample organisation; those after the first, for one elsewhere.
pub fn authorised(n: u128) -> Grant {
    let elsewhere = OrganisationId::new(Uuid::from_u128(n));
    let organisation = if n == 1 { organisation() } else { elsewhere };
    Grant::new(id(n)).authorised(&pair(1), BTreeSet::from([organisation]))
}

fn pair(generation: u64) -> Pair {
    Pair {
        generation,
        access_token: "access".into(),
        access_until: now() + SignedDuration::from_mins(30),
        got_at: now(),
        refresh_token: "refresh".into(),
    }
}

fn organisations(count: u128) -> BTreeSet<OrganisationId> {
    (1..=count).map(|n| OrganisationId::new(Uuid::from_u128(n))).collect()
}

/// Stores it as it is now, and returns it.
async fn stored(world: &World, grant: Grant) -> Grant {
    let before = world.tables.grant(grant.id).await.unwrap();
    world.tables.store_grant(&before, grant, now()).await.unwrap()
}

#[tokio::test]
async fn an_organisation_is_found_on_its_grant_and_nowhere_else() {
    let world = World::new().await;
    let grant = Grant::new(id(1)).authorised(&pair(1), organisations(3));
    let grant = stored(&world, grant).await;
    for organisation in organisations(3) {
        assert_eq!(world.tables.grant_of(organisation).await.unwrap(), Some(grant.clone()));
    }
    assert_eq!(world.tables.grant_of(organisation()).await.unwrap(), None);
    // The user leaves the third one out when authorising again.
    let again = grant.authorised(&pair(2), organisations(2));
    stored(&world, again).await;
    let third = OrganisationId::new(Uuid::from_u128(3));
    assert_eq!(world.tables.grant_of(third).await.unwrap(), None);
}

#[tokio::test]
async fn of_ten_who_want_the_lease_one_gets_it() {
    // FAULT-29
    let world = World::new().await;
    let grant = stored(&world, authorised(1)).await;
    let leased = grant.lease_for_writing(now()).unwrap();
    let asked: Vec<_> = (0..10)
        .map(|_| {
            let (tables, before, after) = (world.tables.clone(), grant.clone(), leased.clone());
            tokio::spawn(async move { tables.store_grant(&before, after, now()).await })
        })
        .collect();
    let mut won = 0;
    for asked in asked {
        match asked.await.unwrap() {
            Ok(stored) => {
                won += 1;
                assert_eq!(stored.revision, grant.revision + 1);
            }
            Err(error) => assert!(matches!(error, GrantError::Changed), "{error:?}"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_death_is_told_to_every_organisation_once_and_ends_when_a_user_comes_back() {
    // X-14, FAULT-29
    let world = World::new().await;
    let grant = Grant::new(id(1)).authorised(&pair(1), organisations(2));
    let grant = stored(&world, grant).await;
    let dead = grant.ended(GrantEnd::InvalidGrant, now());
    let dead = world.tables.store_grant(&grant, dead, now()).await.unwrap();
    // A process that has read it alive comes too late.
    let late = grant.ended(GrantEnd::InvalidGrant, now() + SignedDuration::from_secs(5));
    let late = world.tables.store_grant(&grant, late, now()).await;
    assert!(matches!(late, Err(GrantError::Changed)));
    let messages = world.rows("messages").await;
    assert_eq!(having(&messages, &[("kind", "CONNECTION_LOST")]).len(), 2, "{messages:#?}");
    assert_eq!(world.rows("activity").await.len(), 2);

    let back = dead.authorised(&pair(2), organisations(2));
    world.tables.store_grant(&dead, back, now()).await.unwrap();
    assert_eq!(world.rows("messages").await.len(), 0);
    let activity = world.rows("activity").await;
    assert_eq!(having(&activity, &[("action", "connection_restored")]).len(), 2);
}

/// The old grant's list keeps the organisation; what becomes of that grant is none of its business any more.
#[tokio::test]
async fn an_organisation_that_has_moved_hears_nothing_of_its_old_grant() {
    // X-14, CC-03
    let world = World::new().await;
    let old = stored(&world, Grant::new(id(1)).authorised(&pair(1), organisations(2))).await;
    let new = stored(&world, Grant::new(id(2)).authorised(&pair(1), organisations(1))).await;
    let moved = OrganisationId::new(Uuid::from_u128(1));
    assert_eq!(world.tables.grant_of(moved).await.unwrap(), Some(new));

    let warned = world.tables.store_grant(&old, old.warned(14), now()).await.unwrap();
    let dead = warned.ended(GrantEnd::InvalidGrant, now());
    let dead = world.tables.store_grant(&warned, dead, now()).await.unwrap();
    let stayed = Uuid::from_u128(2).to_string();
    for table in ["messages", "activity"] {
        let messages = world.rows(table).await;
        assert!(
            !messages.is_empty() && messages.iter().all(|row| row["organisation"] == stayed),
            "{messages:#?}"
        );
    }

    // The other one moves as well, away from a grant that is dead: its connection is back.
    let third =
        Grant::new(id(3)).authorised(&pair(1), [OrganisationId::new(Uuid::from_u128(2))].into());
    let third = stored(&world, third).await;
    assert!(world.rows("messages").await.is_empty());
    let activity = world.rows("activity").await;
    assert_eq!(having(&activity, &[("action", "connection_restored")]).len(), 1, "{activity:#?}");
    // And hears of it once: neither does the dead one come back for it, nor its new one.
    stored(&world, third.authorised(&pair(2), third.organisations.clone())).await;
    assert_eq!(world.rows("activity").await.len(), 2);
    drop(dead);
}

#[tokio::test]
async fn a_warning_is_given_with_the_row_and_ends_with_the_next_use() {
    let world = World::new().await;
    let grant = stored(&world, authorised(1)).await;
    let warned = world.tables.store_grant(&grant, grant.warned(14), now()).await.unwrap();
    let messages = world.rows("messages").await;
    assert_eq!(having(&messages, &[("kind", "CONNECTION_EXPIRES")]).len(), 1);
    let used = warned.saved(&pair(2));
    world.tables.store_grant(&warned, used, now()).await.unwrap();
    assert_eq!(world.rows("messages").await.len(), 0);
}

#[tokio::test]
async fn an_outage_is_no_lost_race_and_too_many_organisations_are_refused() {
    let world = World::new().await;
    let grant = stored(&world, authorised(1)).await;
    world.proxy.plan(|_| Do::Refuse("ProvisionedThroughputExceededException"));
    let failed = world.tables.store_grant(&grant, grant.failed(now()), now()).await;
    assert!(matches!(failed, Err(GrantError::Unavailable(_))));
    assert!(matches!(world.tables.grant(grant.id).await, Err(GrantError::Unavailable(_))));
    world.proxy.heal();
    let many = grant.authorised(&pair(2), organisations(25));
    let many = world.tables.store_grant(&grant, many, now()).await;
    let most = stored(&world, grant.authorised(&pair(2), organisations(24))).await;
    let dead = stored(&world, most.warned(1).ended(GrantEnd::InvalidGrant, now())).await;
    stored(&world, dead.authorised(&pair(3), organisations(24))).await;
    assert!(matches!(many, Err(GrantError::Unavailable(_))));
}

fn arb_instant() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000_000_000).prop_map(|n| Timestamp::from_microsecond(n).unwrap())
}

prop_compose! {
    fn arb_grant()(
        generation in 0_u64..1_000,
        moments in prop::array::uniform4(arb_instant()),
        lease in prop::option::of(arb_instant()),
        failing in prop::option::of((arb_instant(), 1_u32..9, arb_instant())),
        warned in prop::option::of(1_u32..15),
        dead in prop::option::of((arb_instant(), prop::sample::select(GrantEnd::ALL))),
        count in 0_u128..9,
    ) -> Grant {
        let failing = failing.map(|(since, times, until)| Failing { since, times, until });
        let dead = dead.map(|(at, why)| payments::grant::Dead { at, why });
        Grant {
            generation,
            access_until: moments[0],
            refreshed_at: moments[1],
            lease,
            failing,
            dead,
            warned,
            organisations: organisations(count),
            ..Grant::new(id(1))
        }
    }
}

#[test]
fn law_whatever_is_stored_comes_back() {
    law(128, arb_grant(), async |world, _, grant| {
        let stored = stored(world, grant.clone()).await;
        assert_eq!(stored, Grant { revision: stored.revision, ..grant });
        assert_eq!(world.tables.grant(stored.id).await.unwrap(), stored);
    });
}
