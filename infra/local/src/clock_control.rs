//! Time travel, on this machine only: a night that lies ahead can be played now.
//!
//! Invoking `upload` for a night puts the clock of the functions and of the simulator forward
//! to that night's time first. Nothing of this is in the functions: they receive the time.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, header::CONTENT_TYPE};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::json;
use tokio::sync::Mutex;
use url::{Host, Url};

use crate::{clock::LocalClock, external_endpoints::Xero, lambda::Function};

/// Furthest that one invocation travels: a mistyped year could not be taken back.
pub const TRAVEL_MAX: SignedDuration = SignedDuration::from_hours(31 * 24);
/// How long the other process may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Clocks that differ by less are taken for the same: the question itself takes a moment.
const SAME: SignedDuration = SignedDuration::from_millis(500);

/// Whose clock goes with ours.
#[derive(Clone, Debug)]
pub enum Companion {
    /// The simulator is in this process, and has the very same clock.
    Simulator,
    /// A simulator in another process.
    Other(OtherClock),
    /// Xero itself, whose time cannot be moved.
    Xero,
}

/// The clock of a simulator in another process.
#[derive(Clone, Debug)]
pub struct OtherClock {
    url: String,
    http: Client,
}

/// What a simulator's clock shows.
#[derive(Deserialize)]
struct Shown {
    now: Timestamp,
}

impl Companion {
    /// The kind of Xero, as far as time goes: a server at an address of this machine is taken for a
    /// simulator.
    ///
    /// # Errors
    ///
    /// There can be no client for HTTP.
    pub(crate) fn of(xero: &Xero, simulator_is_here: bool) -> anyhow::Result<Self> {
        if simulator_is_here {
            return Ok(Self::Simulator);
        }
        if !is_this_machine(&xero.api_url) {
            return Ok(Self::Xero);
        }
        let http = Client::builder().timeout(ANSWER_WITHIN).build().context("no HTTP client")?;
        Ok(Self::Other(OtherClock { url: format!("{}/_control/clock", xero.api_url), http }))
    }
}

/// Whether `url` is on this machine.
pub(crate) fn is_this_machine(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl OtherClock {
    async fn now(&self) -> anyhow::Result<Timestamp> {
        let answer = self.http.get(&self.url).send().await;
        read(answer).await.context("the simulator does not say the time")
    }

    async fn advance(&self, by: SignedDuration) -> anyhow::Result<()> {
        let seconds = u32::try_from(by.as_secs()).context("too far ahead")?;
        let body = json!({ "advance_seconds": seconds }).to_string();
        let request = self.http.post(&self.url).header(CONTENT_TYPE, "application/json");
        let answer = request.body(body).send().await;
        read(answer).await.context("the simulator's clock is not put forward")?;
        Ok(())
    }
}

async fn read(answer: Result<reqwest::Response, reqwest::Error>) -> anyhow::Result<Timestamp> {
    let text = answer?.error_for_status()?.text().await?;
    let shown: Shown = serde_json::from_str(&text)?;
    Ok(shown.now)
}

/// Puts the clocks of one machine forward together.
#[derive(Debug)]
pub(crate) struct TimeTravel {
    clock: LocalClock,
    companion: Companion,
    /// One journey at a time.
    travelling: Mutex<()>,
}

/// An invocation that runs a night; any other has nothing to do with time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NightEvent {
    scheduled_time: Timestamp,
    #[serde(rename = "organisation")]
    _organisation: Option<IgnoredAny>,
}

impl TimeTravel {
    pub(crate) fn new(clock: LocalClock, companion: Companion) -> Self {
        Self { clock, companion, travelling: Mutex::default() }
    }

    /// Makes this clock and that of a simulator in another process the same: the later one counts.
    pub(crate) async fn follow(&self) {
        let Companion::Other(other) = &self.companion else { return };
        let followed = async {
            let difference = other.now().await?.duration_since(self.clock.now());
            let whole = SignedDuration::from_secs(difference.abs().saturating_add(SAME).as_secs());
            if difference.is_negative() {
                if !whole.is_zero() {
                    other.advance(whole).await?;
                }
                return Ok(());
            }
            self.clock.advance(whole)
        };
        if let Err(error) = followed.await {
            tracing::warn!(
                error = format!("{error:#}"),
                "the simulator's clock may differ from ours"
            );
        }
    }

    /// Sees to it that the time of the night has come that is about to be run.
    pub(crate) async fn before(&self, function: Function, event: &[u8]) {
        let night = serde_json::from_slice::<NightEvent>(event);
        let Ok(NightEvent { scheduled_time, .. }) = night else { return };
        if function != Function::Upload {
            return;
        }
        if let Err(error) = self.to(scheduled_time).await {
            // The function says itself that this time has not come.
            tracing::warn!(error = format!("{error:#}"), %scheduled_time, "no time travel");
        }
    }

    async fn to(&self, at: Timestamp) -> anyhow::Result<()> {
        let _alone = self.travelling.lock().await;
        let way = seconds_up(at.duration_since(self.clock.now()));
        if !way.is_positive() {
            return Ok(());
        }
        ensure!(way <= TRAVEL_MAX, "it is more than {} days ahead", TRAVEL_MAX.as_hours() / 24);
        match &self.companion {
            Companion::Xero => return Ok(()),
            Companion::Simulator => {}
            Companion::Other(other) => {
                let their_way = seconds_up(at.duration_since(other.now().await?));
                if their_way.is_positive() {
                    other.advance(their_way).await?;
                }
            }
        }
        self.clock.advance(way)?;
        tracing::info!(now = %self.clock.now(), clock = %self.clock, "the clock was put forward");
        Ok(())
    }
}

/// Whole seconds, so that clocks that are put forward together stay together.
fn seconds_up(duration: SignedDuration) -> SignedDuration {
    let up = i64::from(duration.subsec_nanos() > 0);
    SignedDuration::from_secs(duration.as_secs().saturating_add(up))
}

#[cfg(test)]
mod tests {
    use xero_simulator::{AdvancingClock, ManualClock};

    use super::*;

    fn travel(companion: Companion) -> (TimeTravel, LocalClock) {
        let start = "2026-11-25T01:00:00.250Z".parse().expect("a moment");
        let advancing = AdvancingClock::over(ManualClock::new(start).clock());
        let clock = LocalClock::open(advancing, None).expect("there is no file");
        (TimeTravel::new(clock.clone(), companion), clock)
    }

    fn night(at: &str) -> Vec<u8> {
        json!({ "scheduled_time": at, "organisation": null }).to_string().into_bytes()
    }

    #[tokio::test]
    async fn only_a_night_ahead_moves_the_clock_and_never_back() {
        let (travel, clock) = travel(Companion::Simulator);
        for (function, event) in [
            (Function::Mirror, night("2026-11-25T11:00:00Z")),
            (Function::Upload, night("2026-11-24T11:00:00Z")),
            (Function::Upload, night("2036-11-25T11:00:00Z")),
            (Function::Upload, br#"{"catch_up":true}"#.to_vec()),
            (
                Function::Upload,
                br#"{"preview":true,"scheduled_time":"2026-11-25T11:00:00Z"}"#.to_vec(),
            ),
        ] {
            travel.before(function, &event).await;
            assert!(clock.ahead().is_zero(), "{}", String::from_utf8_lossy(&event));
        }

        travel.before(Function::Upload, &night("2026-11-25T11:00:00Z")).await;

        assert_eq!(clock.now().to_string(), "2026-11-25T11:00:00.25Z");
    }

    #[tokio::test]
    async fn nobody_moves_the_time_of_xero_itself() {
        let (travel, clock) = travel(Companion::Xero);

        travel.before(Function::Upload, &night("2026-11-25T11:00:00Z")).await;

        assert!(clock.ahead().is_zero());
    }

    #[test]
    fn only_this_machine_is_taken_for_a_simulator() {
        for (url, expected) in [
            ("http://127.0.0.1:9400", true),
            ("http://localhost:9400", true),
            ("http://[::1]:9400", true),
            ("https://api.xero.com", false),
            ("https://localhost.example.com", false),
            ("no address", false),
        ] {
            assert_eq!(is_this_machine(url), expected, "{url}");
        }
    }
}
