//! A digest of everything in a snapshot and in the settings that a verdict depends on.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::invoice::Snapshot;
use crate::rules_version::ALGORITHM;
use crate::settings::Settings;

/// What separates the settings from the digest.
const MARK: char = '#';

/// The settings under which a fingerprint was made; `None` of one that says nothing of them, as earlier versions
/// made it.
pub(crate) fn judging(fingerprint: &str) -> Option<&str> {
    fingerprint.rsplit_once(MARK).map(|(judging, _)| judging)
}

/// The settings in short, and the digest in hexadecimal. The time of the read is not part of it.
pub(crate) fn of(snapshot: &Snapshot, settings: &Settings) -> String {
    let mut text = format!(
        "{ALGORITHM}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}|{:?}\n",
        settings.forward_days,
        settings.zone.iana_name(),
        snapshot.invoice,
        snapshot.status,
        snapshot.contact_name,
        snapshot.due_on,
        snapshot.figures,
        snapshot.updated_at,
        snapshot.ties_out(),
    );
    let mut payments: Vec<_> = snapshot.payments.iter().collect();
    payments.sort_by_key(|payment| payment.id);
    for payment in payments {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{payment:?}");
    }
    // An invoice without any has the digest that it had before they were read.
    for allocation in &snapshot.allocations {
        let _ = writeln!(text, "{allocation:?}");
    }
    let judging = format!("{}{MARK}", settings.judging());
    Sha256::digest(text.as_bytes()).iter().fold(judging, |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
