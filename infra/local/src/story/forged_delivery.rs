//! A stranger who would like to be taken for Xero.

use anyhow::Context as _;
use reqwest::{Client, header::CONTENT_TYPE};
use xero_simulator::Delivery;

/// A delivery that was signed by Xero, altered in one character.
#[derive(Debug)]
pub(super) struct Forgery {
    pub(super) what: &'static str,
    body: String,
    signature: String,
}

/// The forgeries of a good delivery.
pub(super) fn forgeries(good: &Delivery) -> [Forgery; 2] {
    [
        Forgery {
            what: "one letter of the body",
            // Still JSON, still the same events: only the signature shows it.
            body: good.body.replacen("UPDATE", "UPDATF", 1),
            signature: good.signature.clone(),
        },
        Forgery {
            what: "one digit of the signature",
            body: good.body.clone(),
            signature: altered(&good.signature),
        },
    ]
}

fn altered(signature: &str) -> String {
    let (first, rest) = signature.split_at_checked(1).unwrap_or_default();
    let other = if first == "A" { "B" } else { "A" };
    format!("{other}{rest}")
}

impl Forgery {
    /// Posts it; the answer is the status.
    pub(super) async fn post(&self, http: &Client, url: &str) -> anyhow::Result<u16> {
        let answer = http
            .post(url)
            .header(CONTENT_TYPE, "application/json; charset=utf-8")
            .header("x-xero-signature", &self.signature)
            .body(self.body.clone())
            .send()
            .await
            .context("the webhook endpoint does not answer")?;
        Ok(answer.status().as_u16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_altered_signature_differs_in_one_digit() {
        for signature in ["AAAA", "zAAA"] {
            let altered = altered(signature);
            let different = signature.bytes().zip(altered.bytes()).filter(|(a, b)| a != b);

            assert_eq!((altered.len(), different.count()), (4, 1));
        }
    }
}
