//! What operators read about an organisation in the morning, before collection work begins (CC-20).

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::connection::{AccessMode, ConnectionStatus, HealthIssue, SWITCHED_OFF_AFTER};
use crate::failures::Failures;
use crate::morning_close::MorningClose;
use crate::sweep::CertificateState;
use crate::upload::{NightReport, UploadState};

/// The facts about an organisation in the morning.
#[derive(Clone, Debug)]
pub struct Morning<'a> {
    /// The day, by the organisation's clock.
    pub day: Date,
    /// Its clock.
    pub zone: &'a TimeZone,
    /// How its connection with Xero is.
    pub status: ConnectionStatus,
    /// How Xero lets us in.
    pub mode: AccessMode,
    /// Its troubles, the worst first.
    pub troubles: &'a [HealthIssue],
    /// Since when changes in Xero have come without a webhook (CM-42).
    pub silent_since: Option<Timestamp>,
    /// "Last Sync": when a sweep last succeeded.
    pub last_success_at: Option<Timestamp>,
    /// Whether the last certificate is complete; `None` if there is none.
    pub certificate: Option<CertificateState>,
    /// The closes of the business days.
    pub close: &'a MorningClose,
    /// The last night's upload; `None` if nothing is uploaded.
    pub night: Option<&'a NightReport>,
    /// Discrepancies that are open.
    pub open: u32,
    /// Since when the oldest of them is.
    pub oldest_open: Option<Timestamp>,
    /// How many of them are open for more than 48 hours (SP-19).
    pub late: u32,
    /// How many of them have no owner (SP-36).
    pub without_owner: u32,
    /// Actions that are open: as many customers wait (EX-27).
    pub actions: u32,
    /// Whether there are more actions than were counted.
    pub more_actions: bool,
    /// Since when the oldest of them is.
    pub oldest_action: Option<Timestamp>,
    /// Payments on their way to Xero that are on hold, by what they wait for: each waits for a person.
    pub held: &'a [(&'static str, u32)],
    /// Reports of the business's own system that could not be taken in.
    pub parked_reports: u32,
    /// What fails of the work.
    pub failures: &'a Failures,
}

impl Morning<'_> {
    /// Whether collection work can begin without anybody looking further.
    pub fn is_well(&self) -> bool {
        let night = self.night.is_none_or(|night| {
            night.stopped.is_none()
                && [UploadState::Refused, UploadState::PartlyUploaded, UploadState::Unknown]
                    .into_iter()
                    .all(|state| night.totals.in_state(state) == 0)
        });
        let nothing_open = self.open == 0 && self.actions == 0 && self.parked_reports == 0;
        let nothing_open = nothing_open && self.held.is_empty();
        self.status == ConnectionStatus::Active && night && nothing_open && self.close.is_well()
    }

    /// The verdict as a code: `well`, or `look`.
    pub fn verdict(&self) -> &'static str {
        if self.is_well() { "well" } else { "look" }
    }

    /// All of it in words: the verdict first, then each matter on a line of its own. Counts and times only, no
    /// names and no amounts: it goes out by mail.
    pub fn text(&self) -> String {
        let verdict =
            if self.is_well() { "all is well" } else { "look here before collection work begins" };
        let mut text = format!("{}: {verdict}\n", self.day);
        let _ = writeln!(
            text,
            "Connection: {}; last sync {}",
            self.status,
            self.time(self.last_success_at)
        );
        for (place, trouble) in self.troubles.iter().enumerate() {
            let class = self.failures.class(*trouble);
            let _ = write!(text, "- {trouble} ({class})");
            // An event has room for a thousand characters, and the worst one decides (AMB-22).
            let _ = match place {
                0 => writeln!(text, ": {}", trouble.remedy_in(self.mode)),
                _ => writeln!(text),
            };
        }
        if let Some(since) = self.silent_since {
            let off_at = since.saturating_add(SWITCHED_OFF_AFTER).unwrap_or(since);
            let (since, off_at) = (self.time(Some(since)), self.time(Some(off_at)));
            let _ =
                writeln!(text, "Webhook: silent since {since}; Xero switches it off at {off_at}");
        }
        let certificate = match self.certificate {
            Some(CertificateState::Complete) => "every payment in Xero is accounted for",
            Some(CertificateState::Incomplete) => "not every payment in Xero is accounted for",
            Some(CertificateState::Failed) => "could not be made",
            None => "there is none yet",
        };
        let _ = writeln!(text, "Certificate: {certificate}");
        if let Some(close) = self.close.line(|at| self.time(Some(at))) {
            let _ = writeln!(text, "{close}");
        }
        if let Some(night) = self.night {
            let _ = writeln!(text, "{}", uploaded(night));
        }
        let open = self.open((self.open, false), self.oldest_open);
        let late = Some(self.late).filter(|late| *late > 0);
        let late = late.map(|late| format!("; {late} open for more than 48 hours"));
        let free = Some(self.without_owner).filter(|free| *free > 0);
        let free = free.map(|free| format!("; {free} without an owner"));
        let (late, free) = (late.unwrap_or_default(), free.unwrap_or_default());
        let _ = writeln!(text, "Discrepancies: {open}{late}{free}");
        let actions = (self.actions, self.more_actions);
        let _ = writeln!(text, "Actions: {}", self.open(actions, self.oldest_action));
        if !self.held.is_empty() {
            let all = self.held.iter().fold(0_u32, |sum, (_, count)| sum.saturating_add(*count));
            let by: Vec<_> = self.held.iter().map(|(hold, n)| format!("{hold} {n}")).collect();
            let _ = writeln!(text, "Held: {all} wait for a person ({})", by.join(", "));
        }
        if self.parked_reports > 0 {
            let _ = writeln!(text, "Reports: {} could not be taken in", self.parked_reports);
        }
        text
    }

    fn open(&self, (count, more): (u32, bool), oldest: Option<Timestamp>) -> String {
        let at_least = if more { "at least " } else { "" };
        match count {
            0 => "none is open".to_owned(),
            count => format!("{at_least}{count} open, the oldest since {}", self.time(oldest)),
        }
    }

    fn time(&self, at: Option<Timestamp>) -> String {
        match at {
            Some(at) => at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string(),
            None => "never".to_owned(),
        }
    }
}

fn uploaded(night: &NightReport) -> String {
    let of = |state| night.totals.in_state(state);
    let mut text = format!(
        "Night of {} ({}): {} uploaded, {} wait",
        night.night,
        night.state,
        of(UploadState::Uploaded),
        night.carried
    );
    for (state, what) in [
        (UploadState::PartlyUploaded, "only partly"),
        (UploadState::Refused, "refused by Xero"),
        (UploadState::Unknown, "unknown whether they are in Xero"),
        (UploadState::Held, "on hold"),
        (UploadState::Skipped, "skipped"),
    ] {
        if of(state) > 0 {
            let _ = write!(text, ", {} {what}", of(state));
        }
    }
    if let Some(stopped) = &night.stopped {
        let _ = write!(text, "; it stopped: {stopped}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upload::{NightState, Totals};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn night() -> NightReport {
        let scheduled = at("2026-11-24T11:00:00Z");
        let organisation = "8b0a6c1e-92d4-4f57-b3c8-71e2d5a9f046".parse().unwrap();
        NightReport {
            state: NightState::Finished,
            totals: Totals { by_state: [("uploaded", 200)].into(), ..Totals::default() },
            carried: 30,
            ..NightReport::begun(organisation, "2026-11-24".parse().unwrap(), scheduled, scheduled)
        }
    }

    static NOT_CLOSED: MorningClose =
        MorningClose { last: None, causes: Vec::new(), overdue: None };
    static WELL: Failures =
        Failures { runs: Vec::new(), refused: 0, unknown: 0, standing: 0, parked: 0 };

    fn morning<'a>(zone: &'a TimeZone, night: &'a NightReport) -> Morning<'a> {
        Morning {
            day: jiff::civil::date(2026, 11, 25),
            zone,
            mode: AccessMode::CustomConnection,
            status: ConnectionStatus::Active,
            troubles: &[],
            silent_since: None,
            last_success_at: Some(at("2026-11-24T19:30:00Z")),
            certificate: Some(CertificateState::Complete),
            close: &NOT_CLOSED,
            night: Some(night),
            open: 0,
            oldest_open: None,
            late: 0,
            without_owner: 0,
            actions: 0,
            more_actions: false,
            oldest_action: None,
            held: &[],
            parked_reports: 0,
            failures: &WELL,
        }
    }

    #[test]
    fn a_morning_on_which_all_is_well_says_so_and_when_it_was_last_sure() {
        // CC-20, CC-05: Last Sync is the last success, by the organisation's clock.
        let (zone, night) = (TimeZone::get("Australia/Sydney").unwrap(), night());
        assert_eq!(
            morning(&zone, &night).text(),
            "2026-11-25: all is well\n\
             Connection: Active; last sync 2026-11-25 06:30\n\
             Certificate: every payment in Xero is accounted for\n\
             Night of 2026-11-24 (finished): 200 uploaded, 30 wait\n\
             Discrepancies: none is open\n\
             Actions: none is open\n"
        );
    }

    #[test]
    fn a_webhook_that_is_silent_has_the_hour_at_which_xero_switches_it_off() {
        // CM-42, X-03: 24 hours, by the organisation's clock.
        let (zone, night) = (TimeZone::get("Australia/Sydney").unwrap(), night());
        let silent = Morning {
            status: ConnectionStatus::Error,
            troubles: &[HealthIssue::WebhookSilent],
            silent_since: Some(at("2026-11-24T13:05:00Z")),
            ..morning(&zone, &night)
        };
        let text = silent.text();
        let line = text.lines().find(|line| line.starts_with("Webhook"));
        let expected =
            "Webhook: silent since 2026-11-25 00:05; Xero switches it off at 2026-11-26 00:05";
        assert_eq!(line, Some(expected), "{text}");
    }

    #[test]
    fn whatever_is_wrong_is_told_with_its_class_and_its_cure() {
        // CC-16 to CC-20, AMB-22
        let (zone, mut night) = (TimeZone::get("Australia/Sydney").unwrap(), night());
        night.totals.by_state.insert("unknown", 2);
        night.stopped = Some("Xero's call limit; it goes on".to_owned());
        let morning = Morning {
            status: ConnectionStatus::Disconnected,
            troubles: &[HealthIssue::Refused],
            last_success_at: None,
            certificate: None,
            open: 3,
            oldest_open: Some(at("2026-11-22T23:00:00Z")),
            late: 1,
            without_owner: 2,
            actions: 2,
            oldest_action: Some(at("2026-11-20T01:30:00Z")),
            ..morning(&zone, &night)
        };
        let text = morning.text();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "2026-11-25: look here before collection work begins");
        assert_eq!(lines[1], "Connection: Disconnected; last sync never");
        let remedy = HealthIssue::Refused.remedy();
        assert_eq!(lines[2], format!("- REFUSED (Authentication): {remedy}"));
        assert_eq!(
            lines[4],
            "Night of 2026-11-24 (finished): 200 uploaded, 30 wait, 2 unknown whether they are in Xero; it \
             stopped: Xero's call limit; it goes on"
        );
        assert_eq!(
            lines[5],
            "Discrepancies: 3 open, the oldest since 2026-11-23 10:00; 1 open for more than 48 hours; 2 without an owner"
        );
        // EX-27
        assert_eq!(lines[6], "Actions: 2 open, the oldest since 2026-11-20 12:30");
        let many = Morning { actions: 100, more_actions: true, ..morning };
        assert!(many.text().contains("\nActions: at least 100 open, "));
    }

    #[test]
    fn nothing_that_somebody_should_look_at_is_well() {
        let (zone, fine) = (TimeZone::UTC, night());
        assert!(morning(&zone, &fine).is_well());
        for state in ["refused", "partly_uploaded", "unknown"] {
            let mut night = night();
            night.totals.by_state.insert(state, 1);
            assert!(!morning(&zone, &night).is_well(), "{state}");
        }
        let stopped = NightReport { stopped: Some("off".to_owned()), ..night() };
        assert!(!morning(&zone, &stopped).is_well());
        assert!(!Morning { open: 1, ..morning(&zone, &fine) }.is_well());
        assert!(!Morning { actions: 1, ..morning(&zone, &fine) }.is_well(), "a customer waits");
        let held = Morning { held: &[("LOCKED_PERIOD", 2)], ..morning(&zone, &fine) };
        assert!(!held.is_well() && held.text().contains("\nHeld: 2 wait for a person (LOCKED"));
        let overdue = Some((jiff::civil::date(2026, 11, 24), at("2026-11-24T07:00:00Z")));
        let close = MorningClose { overdue, ..MorningClose::default() };
        let late = Morning { close: &close, ..morning(&zone, &fine) };
        assert!(!late.is_well());
        assert!(late.text().contains("\nClose: 2026-11-24 is late: it ended 2026-11-24 07:00 and"));
        let parked = Morning { parked_reports: 1, ..morning(&zone, &fine) };
        assert!(!parked.is_well() && parked.text().contains("\nReports: 1 could not be taken in"));
        assert!(!Morning { status: ConnectionStatus::Error, ..morning(&zone, &fine) }.is_well());
    }
}
