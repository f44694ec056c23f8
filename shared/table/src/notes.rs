//! Notes in the activity log of things that were deliberately left alone.

use jiff::Timestamp;
use payments::{Action, OrganisationId};

use crate::activity::day;
use crate::attributes::{Writer, instant};
use crate::error::WriteError;
use crate::schema::ACTIVITY;
use crate::tables::{Tables, owner};

/// Something that was seen and deliberately left alone.
#[derive(Clone, Debug)]
pub struct IgnoredEvent<'a> {
    /// Whose it is, as far as it is known.
    pub organisation: Option<OrganisationId>,
    /// What makes it one and the same when it is noted twice.
    pub id: &'a str,
    /// Why it was left alone.
    pub reason: &'a str,
    /// What it was, without content.
    pub what: &'a str,
    /// How many there were.
    pub count: u32,
    /// When it arrived.
    pub received_at: Timestamp,
}

impl Tables {
    /// Records in the activity log that something was left alone. Noting it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn note(&self, noted: &IgnoredEvent<'_>) -> Result<(), WriteError> {
        let (date, at) = (noted.received_at.strftime("%Y-%m-%d"), instant(noted.received_at));
        let row = Writer::default()
            .text(
                "day",
                noted.organisation.map_or_else(
                    || format!("unknown/{date}"),
                    |organisation| day(organisation, noted.received_at),
                ),
            )
            .text("at", format!("{at}#{}", noted.id))
            .text("organisation", owner(noted.organisation))
            .logged(Action::Ignored)
            .text("reason", noted.reason)
            .text("what", noted.what)
            .number("count", noted.count);
        self.put_row(ACTIVITY, row.finish()).await
    }
}
