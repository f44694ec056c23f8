//! Laws of the answers to a write, in every shape: N5, X-12, FAULT-26.

use std::sync::{Arc, Mutex};

use payments::upload::{Placed, WriteOutcome};
use proptest::prelude::*;
use xero::{Answers, Client};

use crate::samples::{KEY, answer, bundle, created, payment, payment_id, refused, stamps};
use crate::xero::{Reply, Xero, books, organisation};

/// What one element of an answer looks like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    Stored,
    StoredWithoutStamp,
    Refused,
    RefusedWithoutStamp,
    Nothing,
    Both,
    NoObject,
}

const SHAPES: [Shape; 7] = [
    Shape::Stored,
    Shape::StoredWithoutStamp,
    Shape::Refused,
    Shape::RefusedWithoutStamp,
    Shape::Nothing,
    Shape::Both,
    Shape::NoObject,
];

fn element(shape: Shape, number: u32) -> String {
    let stored = created(number);
    match shape {
        Shape::Stored => stored,
        Shape::StoredWithoutStamp => stored.replace("PM-", "P-"),
        Shape::Refused => refused(number, "no"),
        Shape::RefusedWithoutStamp => refused(number, "no").replace("PM-", "P-"),
        Shape::Nothing => stored.replace(&payment_id(number), ""),
        Shape::Both => stored.replace("\"OK\"", "\"ERROR\""),
        Shape::NoObject => "[]".to_owned(),
    }
}

/// A Xero whose next answer can be set.
struct Puppet {
    runtime: tokio::runtime::Runtime,
    client: Client,
    body: Arc<Mutex<Vec<u8>>>,
}

impl Puppet {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let body: Arc<Mutex<Vec<u8>>> = Arc::default();
        let answer = body.clone();
        let xero = runtime.block_on(Xero::start(books(0), move |seen| {
            let body = answer.lock().unwrap().clone();
            (!seen.is_token()).then(|| Reply::raw(body))
        }));
        Self { client: xero.client(), runtime, body }
    }

    fn put(&self, count: u32, body: impl Into<Vec<u8>>) -> Answers {
        *self.body.lock().unwrap() = body.into();
        self.runtime.block_on(self.client.put(organisation(), &bundle(count), KEY))
    }
}

#[test]
fn law_only_an_element_of_its_own_with_an_id_places_a_stamp() {
    let puppet = Puppet::new();
    let elements = prop::collection::vec((prop::sample::select(&SHAPES[..]), 1_u32..7), 0..8);
    proptest!(|(elements in elements)| {
        let list: Vec<String> = elements.iter().map(|(shape, n)| element(*shape, *n)).collect();
        let answers = puppet.put(5, answer("Payments", &list));
        let mut shown: Vec<_> = answers.iter().map(|(stamp, _)| stamp.clone()).collect();
        let mut sent = stamps(5);
        shown.sort();
        sent.sort();
        prop_assert_eq!(shown, sent, "no stamp is lost, and none is added");
        let bears_stamp = |shape| !matches!(
            shape, Shape::StoredWithoutStamp | Shape::RefusedWithoutStamp | Shape::NoObject
        );
        for number in 1..=5 {
            let of = elements.iter().filter(|(shape, n)| *n == number && bears_stamp(*shape));
            let own: Vec<Shape> = of.map(|(shape, _)| *shape).collect();
            let said = answers.of(&payment(number).stamp);
            match own[..] {
                [Shape::Stored] => {
                    let id = Placed::Payment(payment_id(number).parse().unwrap());
                    prop_assert_eq!(said, WriteOutcome::Placed(id));
                }
                [Shape::Refused] => prop_assert!(matches!(said, WriteOutcome::Refused(_))),
                // Without an element of its own, at most the refusals that no other element can own.
                [] => prop_assert!(matches!(said, WriteOutcome::Unclear | WriteOutcome::Refused(_))),
                _ => prop_assert_eq!(said, WriteOutcome::Unclear),
            }
        }
        prop_assert!(!answers.iter().any(|(_, answer)| *answer == WriteOutcome::TurnedAway));
    });
}

#[test]
fn law_the_order_of_the_elements_changes_no_answer_with_a_stamp() {
    let puppet = Puppet::new();
    let order = Just((1..=6).collect::<Vec<u32>>()).prop_shuffle();
    proptest!(|(order in order, refusals in 0_u32..64)| {
        let list = order.iter().map(|number| {
            let is_refused = refusals >> (number - 1) & 1 == 1;
            element(if is_refused { Shape::Refused } else { Shape::Stored }, *number)
        });
        let answers = puppet.put(6, answer("Payments", &list.collect::<Vec<_>>()));
        for number in 1..=6 {
            let expected = match refusals >> (number - 1) & 1 {
                1 => WriteOutcome::Refused("no".to_owned()),
                _ => WriteOutcome::Placed(Placed::Payment(payment_id(number).parse().unwrap())),
            };
            prop_assert_eq!(answers.of(&payment(number).stamp), expected);
        }
    });
}

#[test]
fn law_hostile_bytes_are_unclear_and_never_a_panic() {
    let puppet = Puppet::new();
    let whole = answer("Payments", &[created(1), refused(2, "no"), created(3)]).into_bytes();
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "\\PC{0,200}".prop_map(String::into_bytes),
        r#"\{"Payments":\[[\[\]{}":,a-z0-9]{0,60}"#.prop_map(String::into_bytes),
    ];
    proptest!(|(bytes in bytes)| {
        let answers = puppet.put(3, bytes);
        prop_assert!(answers.iter().all(|(_, answer)| *answer == WriteOutcome::Unclear));
        prop_assert_eq!(answers.iter().len(), 3);
    });
    // One byte of a good answer changed: never an id that was not in it, never a lost stamp.
    proptest!(|(at in 0..whole.len(), byte in any::<u8>())| {
        let mut changed = whole.clone();
        changed[at] = byte;
        let answers = puppet.put(3, changed);
        prop_assert_eq!(answers.iter().len(), 3);
        prop_assert!(!matches!(answers.of(&payment(2).stamp), WriteOutcome::Placed(_)));
    });
}
