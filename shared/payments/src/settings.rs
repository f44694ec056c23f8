//! What an organisation has chosen.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::budget::DAY_MAX;
use crate::close::CloseSettings;
use crate::feed::FeedSettings;
use crate::ids::OrganisationId;
use crate::number::NumberPrefix;
use crate::reason::Ignored;
use crate::rules_version;
use crate::shadow::Shadow;
use crate::sweep::DailyTimes;
use crate::upload::UploadSettings;

/// Payments that may be removed or altered within an hour, if the organisation's row does not say otherwise.
pub const MASS_CHANGE_MAX: u32 = 100;

/// Most days ahead that `forward_days` may allow.
pub const FORWARD_DAYS_MAX: u16 = 3660;

/// The settings of one organisation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which organisation.
    pub organisation: OrganisationId,
    /// Whether payments are mirrored at all (CM-01).
    pub mirror_enabled: bool,
    /// What stands in front of a local invoice number in Xero.
    pub prefix: NumberPrefix,
    /// The organisation's time zone: it decides what "today" is (AMB-20).
    pub zone: TimeZone,
    /// How many days ahead a Xero payment may be dated; `None` lets all in (CM-40, CM-41).
    pub forward_days: Option<u16>,
    /// The day from which payments should no longer be entered or journaled by hand (CM-03, CM-04).
    pub cutover_on: Option<Date>,
    /// How often Xero may be called in 24 hours: [`DAY_MAX`](crate::budget::DAY_MAX), or 1,000 for an app
    /// of the free tier.
    pub calls_per_day: u32,
    /// How many payments may be removed or altered within an hour before a person is asked; `None` lets all
    /// through.
    pub mass_change_max: Option<u32>,
    /// When its days are closed (SP-13).
    pub close: CloseSettings,
    /// The times of the day's work, where they are not the stack's (CC-22).
    pub daily: DailyTimes,
    /// What brings receipts, with its schedules (CC-27).
    pub feeds: FeedSettings,
    /// Uploading; none if it has not been set up.
    pub upload: Option<UploadSettings>,
    /// When a person disconnected it from Xero. From then on it neither mirrors nor uploads, with any other setting
    /// (XC-05).
    pub disconnected_at: Option<Timestamp>,
    /// Set while everything is decided and nothing is done (CM-03, CM-30): then neither direction is on.
    pub shadow: Option<Shadow>,
}

impl Settings {
    /// The settings of an organisation that has just been signed up, in this time zone: it mirrors all payments, and
    /// nothing has been chosen.
    pub fn new(organisation: OrganisationId, zone: TimeZone) -> Self {
        Self {
            organisation,
            mirror_enabled: true,
            prefix: NumberPrefix::default(),
            zone,
            forward_days: None,
            cutover_on: None,
            calls_per_day: DAY_MAX,
            mass_change_max: Some(MASS_CHANGE_MAX),
            close: CloseSettings::default(),
            daily: DailyTimes::default(),
            feeds: FeedSettings::default(),
            upload: None,
            disconnected_at: None,
            shadow: None,
        }
    }

    /// The same for an organisation that is disconnected: neither direction is at work.
    #[must_use]
    pub fn disconnected(mut self, at: Timestamp) -> Self {
        self.disconnected_at = Some(at);
        self.shadow = None;
        self.switched(false, false)
    }

    /// The same in shadow: neither direction is at work, with any setting. So no path that asks whether a
    /// direction is on can write to Xero or change a payment (CM-03, CM-30).
    #[must_use]
    pub fn in_shadow(self, since: Timestamp) -> Self {
        let uploads = self.upload.as_ref().is_some_and(|upload| upload.enabled);
        let shadow = Shadow { since, mirrors: self.mirror_enabled, uploads };
        Self { shadow: Some(shadow), ..self.switched(false, false) }
    }

    /// The settings by which is decided what would be done: those of an organisation in shadow with its directions as
    /// they are set, and all others as they are. Who decides by them carries out nothing while `shadow` is set.
    #[must_use]
    pub fn deciding(self) -> Self {
        match self.shadow {
            Some(shadow) => self.switched(shadow.mirrors, shadow.uploads),
            None => self,
        }
    }

    fn switched(mut self, mirrors: bool, uploads: bool) -> Self {
        self.mirror_enabled = mirrors;
        if let Some(upload) = &mut self.upload {
            upload.enabled = uploads;
        }
        self
    }

    /// Why nothing is mirrored, if nothing is (CM-01, XC-06).
    pub fn mirror_off(&self) -> Option<Ignored> {
        match self.disconnected_at {
            Some(_) => Some(Ignored::Disconnected),
            None if self.shadow.is_some() && !self.mirror_enabled => Some(Ignored::Shadow),
            None => (!self.mirror_enabled).then_some(Ignored::Disabled),
        }
    }

    /// Whether anything is done for it at all: it mirrors, or uploads, or both (AMB-37).
    pub fn is_at_work(&self) -> bool {
        self.mirror_enabled || self.upload.as_ref().is_some_and(|upload| upload.enabled)
    }

    /// The rules and the settings by which the payments of an invoice are judged, in short: what was judged under
    /// others may have to be judged again (CM-41, AMB-35).
    pub fn judging(&self) -> String {
        let days = self.forward_days.map_or_else(|| "off".to_owned(), |days| days.to_string());
        let zone = self.zone.iana_name().unwrap_or("unknown");
        format!("{} forward_days={days} time_zone={zone}", rules_version::rules())
    }

    /// The same, the settings by which it is known which invoices are ours, and the day after which warnings are
    /// raised: if they change, everything is gone through again (AMB-35).
    pub fn going_through(&self) -> String {
        let cutover = self.cutover_on.map_or_else(|| "none".to_owned(), |day| day.to_string());
        format!("{} prefix={} cutover_on={cutover}", self.judging(), self.prefix)
    }

    /// The cut-over day in such a text; `None` if it says nothing of it, as those of earlier versions.
    pub fn cutover_in(going_through: &str) -> Option<Option<Date>> {
        let (_, day) = going_through.rsplit_once(" cutover_on=")?;
        if day == "none" { Some(None) } else { day.parse().ok().map(Some) }
    }

    /// The settings by which payments to go up are kept back for their date, in short (AMB-35).
    pub fn starting(&self) -> Option<String> {
        let upload = self.upload.as_ref()?;
        let zone = self.zone.iana_name().unwrap_or("unknown");
        Some(format!("upload_start={} time_zone={zone}", upload.start))
    }

    /// The calendar day in the organisation's time zone.
    pub fn today(&self, now: Timestamp) -> Date {
        self.day_of(now)
    }

    /// The calendar day of an instant in the organisation's time zone.
    pub fn day_of(&self, instant: Timestamp) -> Date {
        instant.to_zoned(self.zone.clone()).date()
    }
}
