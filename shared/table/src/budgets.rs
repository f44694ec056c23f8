//! The count of the calls to Xero: one row per organisation, and one for the app as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use payments::OrganisationId;
use payments::budget::{
    AppAllotment, AppMinute, Budget, CallBudget, CallPermit, ClockId, DAY_MAX, DayWord, Denied,
    Exhausted, Fetched, Hour, Open, Purpose, Wait, Word,
};

use crate::attributes::{Item, Reader, Writer};
use crate::error::{ReadError, WriteError};
use crate::races::Races;
use crate::schema::BUDGETS;
use crate::tables::Tables;

/// The row of what all organisations share.
const APP: &str = "app";
/// How often a lost race for a row is run again. Fifty at once on one row are done in fifty turns at most;
/// a caller that loses that often asks again after a moment.
const RACES_MAX: u32 = 60;
/// How long a setting that was read is believed.
const SETTING_LASTS: SignedDuration = SignedDuration::from_mins(5);

/// The count of calls, kept in the table `budgets`.
#[derive(Clone, Debug)]
pub struct Budgets {
    tables: Tables,
    /// The clock of this machine.
    clock: ClockId,
    /// `calls_per_day` of the organisations that were asked for, and when it was read.
    days: Arc<Mutex<BTreeMap<OrganisationId, (u32, Timestamp)>>>,
}

impl Tables {
    /// The count of calls to Xero in these tables.
    pub fn budgets(&self) -> Budgets {
        self.budgets_by(ClockId::default())
    }

    /// The same, kept by a machine that has a clock of its own.
    pub fn budgets_by(&self, clock: ClockId) -> Budgets {
        Budgets { tables: self.clone(), clock, days: Arc::default() }
    }

    /// What an organisation has used of its calls.
    ///
    /// # Errors
    /// `Unavailable`, `Unreadable`.
    pub async fn budget(&self, organisation: OrganisationId) -> Result<Budget, ReadError> {
        let row = self.one(BUDGETS, &[("organisation", organisation.to_string())]).await?;
        row.map_or_else(
            || Ok(Budget::unused(organisation)),
            |item| read_budget(organisation, Reader::new(BUDGETS, &item)),
        )
    }

    async fn app_minute(&self) -> Result<AppMinute, ReadError> {
        let row = self.one(BUDGETS, &[("organisation", APP.to_owned())]).await?;
        row.map_or_else(|| Ok(AppMinute::default()), |item| read_app(Reader::new(BUDGETS, &item)))
    }

    /// Stores a row in place of the revision that was read. An answer that was lost on the way looks like
    /// a lost race: then a call is counted twice, and never none.
    async fn store_budget(&self, row: Item, read: u64) -> Result<(), WriteError> {
        let put = self.client().put_item().table_name(self.name(BUDGETS)).set_item(Some(row));
        let put = match read {
            0 => put.condition_expression("attribute_not_exists(organisation)"),
            read => put
                .condition_expression("revision = :read")
                .expression_attribute_values(":read", AttributeValue::N(read.to_string())),
        };
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Err(WriteError::Conflict)
            }
            Err(error) => Err(WriteError::unavailable(BUDGETS, error)),
        }
    }
}

impl CallBudget for Budgets {
    async fn enter(
        &self,
        organisation: OrganisationId,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<CallPermit, Denied> {
        let day_max = self.day_max(organisation, now).await?;
        let mut races = Races::up_to(RACES_MAX);
        loop {
            let mut budget = self.tables.budget(organisation).await.map_err(unknown)?;
            // Nothing is taken from the app for a call that is not allowed anyway.
            budget.enter_by(self.clock, purpose, day_max, now)?;
            if budget.needs_grant(now) {
                budget.grant = Some(self.grant(now).await?);
            }
            let (after, pass) = budget.enter_by(self.clock, purpose, day_max, now)?;
            let row = budget_row(&after, budget.revision.saturating_add(1), day_max, now);
            let written = races.won(self.tables.store_budget(row, budget.revision).await);
            if written.map_err(|error| not_counted(error, Exhausted::Concurrent, now))?.is_some() {
                return Ok(pass);
            }
        }
    }

    async fn leave(&self, pass: CallPermit, word: Word, now: Timestamp) {
        let mut races = Races::up_to(RACES_MAX);
        loop {
            match races.won(self.try_leave(pass, word, now).await) {
                Ok(Some(())) | Err(WriteError::LostRaces(_)) => return,
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(
                        organisation = %pass.organisation,
                        error = %error,
                        "the end of a call was not counted; it counts as open a while"
                    );
                    return;
                }
            }
        }
    }
}

impl Budgets {
    async fn try_leave(
        &self,
        pass: CallPermit,
        word: Word,
        now: Timestamp,
    ) -> Result<(), WriteError> {
        let organisation = pass.organisation;
        let read = self.tables.budget(organisation).await;
        let budget = read.map_err(|error| WriteError::Malformed(Box::new(error)))?;
        let day_max = self.known_day_max(organisation).map_or(DAY_MAX, |(day_max, _)| day_max);
        let after = budget.leave_by(self.clock, pass, word, now);
        let row = budget_row(&after, budget.revision.saturating_add(1), day_max, now);
        self.tables.store_budget(row, budget.revision).await
    }

    /// Takes some calls from the app's minute.
    async fn grant(&self, now: Timestamp) -> Result<AppAllotment, Denied> {
        let mut races = Races::up_to(RACES_MAX);
        loop {
            let app = self.tables.app_minute().await.map_err(unknown)?;
            let (after, grant) = app.grant(now)?;
            let row = app_row(&after, app.revision.saturating_add(1));
            let written = races.won(self.tables.store_budget(row, app.revision).await);
            if written.map_err(|error| not_counted(error, Exhausted::AppMinute, now))?.is_some() {
                return Ok(grant);
            }
        }
    }

    async fn day_max(&self, organisation: OrganisationId, now: Timestamp) -> Result<u32, Denied> {
        if let Some((day_max, read_at)) = self.known_day_max(organisation)
            && now.duration_since(read_at).abs() < SETTING_LASTS
        {
            return Ok(day_max);
        }
        let settings = self.tables.settings(organisation).await.map_err(unknown)?;
        let day_max = settings.map_or(DAY_MAX, |settings| settings.calls_per_day);
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.insert(organisation, (day_max, now));
        Ok(day_max)
    }

    fn known_day_max(&self, organisation: OrganisationId) -> Option<(u32, Timestamp)> {
        let days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        days.get(&organisation).copied()
    }
}

fn unknown(error: impl std::error::Error + Send + Sync + 'static) -> Denied {
    Denied::Unknown(Box::new(error))
}

/// If so many want the same row, it is better to come again.
fn not_counted(error: WriteError, exhausted: Exhausted, now: Timestamp) -> Denied {
    if !matches!(error, WriteError::LostRaces(_)) {
        return unknown(error);
    }
    let until = now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(now);
    Wait { exhausted, until }.into()
}

/// A row of about a kilobyte: moments are numbers, milliseconds since 1970. They are rounded up, so
/// that no minute ends early.
fn budget_row(budget: &Budget, revision: u64, day_max: u32, now: Timestamp) -> Item {
    let list = |values: Vec<AttributeValue>| AttributeValue::L(values);
    let open = budget.open.iter().map(|open| {
        AttributeValue::M(
            Writer::default()
                .number("number", open.number)
                .number("at", millis(open.at))
                .number("by", open.by.0)
                .finish(),
        )
    });
    let hours = budget.hours.iter().map(|hour| {
        AttributeValue::M(
            Writer::default()
                .number("hour", hour.hour)
                .number("live", hour.live)
                .number("upload", hour.upload)
                .number("other", hour.other)
                .finish(),
        )
    });
    // Each clock once, and the calls name it by its place.
    let ids: BTreeSet<_> = budget.answered_by.iter().copied().collect();
    let place = |id: &ClockId| {
        AttributeValue::N(ids.iter().take_while(|other| *other != id).count().to_string())
    };
    let answered_by = budget.answered_by.iter().map(place);
    let clocks = ids.iter().map(|id| {
        let last = budget.clocks.get(id).map(|at| millis(*at));
        AttributeValue::M(Writer::default().number("clock", id.0).number_if("at", last).finish())
    });
    let answered = budget.answered.iter().map(|at| AttributeValue::N(millis(*at).to_string()));
    Writer::default()
        .text("organisation", budget.organisation)
        .number("revision", revision)
        .value("answered", list(answered.collect()))
        .value("answered_by", list(answered_by.collect()))
        .value("clocks", list(clocks.collect()))
        .value("open", list(open.collect()))
        .value("hours", list(hours.collect()))
        .number_if("day_word_at", budget.day_word.map(|word| millis(word.at)))
        .number_if("day_word_left", budget.day_word.map(|word| word.left))
        .number_if("day_word_since", budget.day_word.map(|word| word.since))
        .text_if("blocked_by", budget.blocked.map(|wait| wait.exhausted))
        .instant_if("blocked_until", budget.blocked.map(|wait| wait.until))
        .text_if("month", budget.fetched.map(|fetched| fetched.month))
        .number_if("bytes_in_month", budget.fetched.map(|fetched| fetched.bytes))
        .number_if("granted", budget.grant.map(|grant| grant.left))
        .number_if("granted_until", budget.grant.map(|grant| millis(grant.until)))
        // For people, who cannot add up a list in the console; never read by us.
        .instant("as_of", now)
        .number("calls_in_last_minute", budget.in_minute())
        .number("calls_in_last_day", budget.in_day())
        .number("calls_left_today", budget.day_left(day_max, now))
        .finish()
}

fn read_budget(organisation: OrganisationId, row: Reader<'_>) -> Result<Budget, ReadError> {
    let open = |open: Reader<'_>| {
        let by = open.number_if("by")?.map_or(ClockId::UNKNOWN, ClockId);
        Ok(Open { number: open.number("number")?, at: moment(open, "at")?, by })
    };
    let hour = |hour: Reader<'_>| {
        Ok(Hour {
            hour: hour.number("hour")?,
            live: hour.number("live")?,
            upload: hour.number("upload")?,
            other: hour.number("other")?,
        })
    };
    let day_word = match row.number_if::<u32>("day_word_left")? {
        None => None,
        Some(left) => Some(DayWord {
            at: moment(row, "day_word_at")?,
            left,
            since: row.number("day_word_since")?,
        }),
    };
    let blocked = match row.parsed_if("blocked_until")? {
        None => None,
        Some(until) => {
            Some(Wait { exhausted: row.code("blocked_by", Exhausted::from_code)?, until })
        }
    };
    let fetched = match row.parsed_if("month")? {
        None => None,
        Some(month) => Some(Fetched { month, bytes: row.number("bytes_in_month")? }),
    };
    let grant = match row.number_if("granted")? {
        None => None,
        Some(left) => Some(AppAllotment { left, until: moment(row, "granted_until")? }),
    };
    let (answered_by, clocks) = read_clocks(row)?;
    Ok(Budget {
        organisation,
        revision: row.number("revision")?,
        answered_by,
        clocks,
        answered: row
            .list_of_numbers("answered")?
            .into_iter()
            .map(|millis| instant_of(row, "answered", millis))
            .collect::<Result<_, _>>()?,
        open: row.maps("open")?.into_iter().map(open).collect::<Result<_, ReadError>>()?,
        hours: row.maps("hours")?.into_iter().map(hour).collect::<Result<_, ReadError>>()?,
        day_word,
        blocked,
        fetched,
        grant,
    })
}

/// By which clock each call was answered, and the latest moment of each. A row of an earlier release has none.
fn read_clocks(row: Reader<'_>) -> Result<(Vec<ClockId>, BTreeMap<ClockId, Timestamp>), ReadError> {
    if !row.has("clocks") {
        return Ok(Default::default());
    }
    let (mut ids, mut clocks) = (Vec::new(), BTreeMap::new());
    for clock in row.maps("clocks")? {
        let id = ClockId(clock.number("clock")?);
        if let Some(at) = clock.number_if("at")? {
            clocks.insert(id, instant_of(clock, "at", at)?);
        }
        ids.push(id);
    }
    let id = |place: i64| usize::try_from(place).ok().and_then(|place| ids.get(place)).copied();
    let answered_by = row.list_of_numbers("answered_by")?.into_iter();
    let answered_by = answered_by.map(|place| id(place).unwrap_or(ClockId::UNKNOWN)).collect();
    Ok((answered_by, clocks))
}

fn app_row(app: &AppMinute, revision: u64) -> Item {
    let granted = app.granted.iter().map(|(at, count)| {
        AttributeValue::M(
            Writer::default().number("at", millis(*at)).number("count", count).finish(),
        )
    });
    Writer::default()
        .text("organisation", APP)
        .number("revision", revision)
        .value("granted_lately", AttributeValue::L(granted.collect()))
        .finish()
}

fn read_app(row: Reader<'_>) -> Result<AppMinute, ReadError> {
    let granted = |granted: Reader<'_>| Ok((moment(granted, "at")?, granted.number("count")?));
    Ok(AppMinute {
        revision: row.number("revision")?,
        granted: row
            .maps("granted_lately")?
            .into_iter()
            .map(granted)
            .collect::<Result<_, ReadError>>()?,
    })
}

fn millis(at: Timestamp) -> i64 {
    let whole = at.as_millisecond();
    let rest = at.as_nanosecond() % 1_000_000 != 0;
    whole.saturating_add(i64::from(rest))
}

fn moment(row: Reader<'_>, name: &str) -> Result<Timestamp, ReadError> {
    instant_of(row, name, row.number(name)?)
}

fn instant_of(row: Reader<'_>, name: &str, millis: i64) -> Result<Timestamp, ReadError> {
    Timestamp::from_millisecond(millis).map_err(|_| row.wrong(name, "is no moment"))
}
