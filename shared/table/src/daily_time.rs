//! Times of each day, as they stand in an organisation's row.

use jiff::civil::Time;
use payments::upload::UploadSettings;

use crate::attributes::Reader;
use crate::error::ReadError;

/// As people write it: without seconds, if there are none.
pub(crate) fn time_text(time: Time) -> String {
    let whole = time.second() == 0 && time.subsec_nanosecond() == 0;
    if whole { format!("{:02}:{:02}", time.hour(), time.minute()) } else { time.to_string() }
}

/// A time of each day.
pub(crate) fn read_time(row: Reader<'_>, name: &'static str) -> Result<Option<Time>, ReadError> {
    let time: Option<Time> = row.parsed_if(name)?;
    if time.is_some_and(|time| !UploadSettings::always_exists(time)) {
        return Err(row.wrong(name, "is before 04:00, a time that some days do not have"));
    }
    Ok(time)
}
