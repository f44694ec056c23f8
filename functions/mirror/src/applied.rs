//! The outcome of a snapshot that was applied.

use jiff::Timestamp;
use payments::Ignored;

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Applied {
    /// The invoice is none of ours.
    Ignored(Ignored),
    /// The stored invoice is newer, of this version.
    Stale(Timestamp),
    /// The stored invoice is of the same version, and was read at this moment, which has not come yet: by a clock
    /// that is ahead of ours. Until then it is unknown which of the two reads is the later one.
    ReadAhead(Timestamp),
    /// Nothing had to be written.
    Unchanged,
    /// So many decisions were written.
    Changed(usize),
    /// Too many payments would be removed or altered at once: it waits for a person.
    Braked,
}
