//! The intent to receive: Xero tries whether the receiver accepts good signatures and no bad one.

use serde::Serialize;
use tokio::time::Instant;

use super::{
    delivery::{elapsed_ms, post},
    envelope::{self, ENTROPY_LENGTH},
};
use crate::{Simulator, random::Random};

/// The digits of base64, to make a signature wrong in one of them.
const BASE64_DIGITS: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Digits of a signature; one `=` follows them.
const SIGNATURE_DIGITS: usize = 43;

/// What came of an intent to receive.
#[derive(Clone, Debug, Serialize)]
pub struct IntentToReceive {
    /// Whether the webhook may be used.
    pub passed: bool,
    /// Why not, in the words of the portal.
    pub problems: Vec<String>,
    /// Every call that was made.
    pub probes: Vec<Probe>,
}

/// One call of an intent to receive.
#[derive(Clone, Debug, Serialize)]
pub struct Probe {
    /// How the signature was made.
    pub signature: Signature,
    /// The status of the answer; `None` when there was no answer.
    pub status: Option<u16>,
    /// Bytes in the answer's body.
    pub body_length: usize,
    /// Whether the answer set a cookie.
    pub sets_cookie: bool,
    /// How long the answer took.
    pub elapsed_ms: u64,
}

/// How the signature of a probe was made. The bad ones differ from the good one by one digit, which
/// many take for an error of their own (facts.md 1.9).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    /// Right.
    Good,
    /// Wrong in the first digit.
    FirstDigit,
    /// Wrong in some digit.
    SomeDigit,
    /// Wrong in the last digit, in bits that a lenient decoder drops (facts.md 1.4).
    LastDigit,
}

/// The calls, in order.
const PROBES: [Signature; 5] = [
    Signature::SomeDigit,
    Signature::Good,
    Signature::FirstDigit,
    Signature::LastDigit,
    Signature::Good,
];

impl Simulator {
    /// Asks the receiver to prove itself. A webhook that passes is enabled again.
    pub async fn intent_to_receive(&self) -> IntentToReceive {
        let settings = self.with(|world, _| world.outbox.settings.clone());
        let mut probes = Vec::new();
        let mut problems = Vec::new();
        for signature in PROBES {
            let (body, signed) = self.with(|world, _| {
                let entropy = world.noise.capitals(ENTROPY_LENGTH);
                let body = envelope::body(&[], 0, 0, &entropy);
                let right = envelope::sign(&settings.key, body.as_bytes());
                let signed = spoil(&right, signature, &mut world.noise);
                (body, signed)
            });
            let started = Instant::now();
            let answer = post(self, &settings.url, &signed, &body).await;
            let elapsed_ms = elapsed_ms(started);
            let probe = match answer {
                Ok(answer) => Probe {
                    signature,
                    status: Some(answer.status),
                    body_length: answer.body_length,
                    sets_cookie: answer.sets_cookie,
                    elapsed_ms,
                },
                Err(error) => {
                    problems.push(format!("No response: {error:#}"));
                    Probe {
                        signature,
                        status: None,
                        body_length: 0,
                        sets_cookie: false,
                        elapsed_ms,
                    }
                }
            };
            problems.extend(objections(&probe));
            probes.push(probe);
        }
        problems.dedup();
        let passed = problems.is_empty();
        if passed {
            self.with(|world, now| world.enable_webhook(now));
        }
        IntentToReceive { passed, problems, probes }
    }
}

fn objections(probe: &Probe) -> Vec<String> {
    let mut objections = Vec::new();
    match (probe.signature, probe.status) {
        (Signature::Good, Some(status)) if status != 200 => {
            objections.push(format!("Response not 200 but {status}"));
        }
        (Signature::Good, _) | (_, Some(401) | None) => {}
        (_, Some(status)) => {
            objections.push(format!("Response to incorrectly signed payload not 401 but {status}"))
        }
    }
    if probe.body_length > 0 {
        objections.push("Response contains a body".to_owned());
    }
    if probe.sets_cookie {
        objections.push("Response sets a cookie".to_owned());
    }
    objections
}

/// Makes a right signature wrong in one digit.
fn spoil(right: &str, how: Signature, noise: &mut Random) -> String {
    let index = match how {
        Signature::Good => return right.to_owned(),
        Signature::FirstDigit => 0,
        Signature::SomeDigit => noise.below(SIGNATURE_DIGITS),
        Signature::LastDigit => SIGNATURE_DIGITS - 1,
    };
    let mut digits = right.as_bytes().to_vec();
    let Some(digit) = digits.get_mut(index) else {
        return String::new();
    };
    let value = BASE64_DIGITS.iter().position(|known| known == digit).unwrap_or(0);
    // The next digit; of the last one only the two unused bits change, since it ends in 00.
    let other = BASE64_DIGITS[(value + 1) % BASE64_DIGITS.len()];
    *digit = other;
    String::from_utf8(digits).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spoiled_signatures_differ_in_one_digit() {
        let right = "lz3n6VrAwOiFpeRUrI6WZrDh9OJRmCgEQytwqfxzGBA=";
        let mut noise = Random::new(Some(1), 1);

        for how in [Signature::FirstDigit, Signature::SomeDigit, Signature::LastDigit] {
            let wrong = spoil(right, how, &mut noise);
            let different = right.bytes().zip(wrong.bytes()).filter(|(a, b)| a != b);
            assert_eq!((wrong.len(), different.count()), (44, 1), "{how:?}");
        }
        assert_eq!(
            spoil(right, Signature::LastDigit, &mut noise),
            "lz3n6VrAwOiFpeRUrI6WZrDh9OJRmCgEQytwqfxzGBB="
        );
    }
}
