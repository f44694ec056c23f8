//! What a full sweep reads of the invoices that are stored, and asks Xero for.

/// Which of the stored invoices a full sweep looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FullSweep {
    /// What is unsettled, and a thirtieth of everything else.
    Unsettled,
    /// All that were ever stored, and none of the settled ones in Xero.
    Everything,
}

/// The invoices of an organisation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    stored: u32,
    unsettled: u32,
}

/// Rows of a page of Xero's list, and invoices that one call asks for.
const PAGE: u32 = 1_000;
const IDS: u32 = 40;
/// Nights in which everything is looked at once.
const NIGHTS: u32 = payments::sweep::ROTATION_DAYS;
/// Rows of 700 bytes in a read unit of 4 KB; one that is asked for by its key takes a whole unit.
const ROWS_A_UNIT: u32 = 4;

impl Past {
    /// Of a large organisation after a year, and of a small one.
    pub(crate) const fn of(is_large: bool) -> Self {
        if is_large {
            Self { stored: 100_000, unsettled: 6_000 }
        } else {
            Self { stored: 2_000, unsettled: 150 }
        }
    }

    const fn part(self) -> u32 {
        self.stored.div_ceil(NIGHTS)
    }

    /// Calls of Xero's API.
    pub(crate) const fn calls(self, way: FullSweep) -> u32 {
        let pages = self.unsettled.div_ceil(PAGE);
        match way {
            FullSweep::Unsettled => pages + self.part().div_ceil(IDS),
            FullSweep::Everything => pages,
        }
    }

    /// Rows that are read. The open ones of Xero are compared with theirs by their keys.
    pub(crate) fn rows(self, way: FullSweep) -> u64 {
        u64::from(self.unsettled)
            + u64::from(match way {
                FullSweep::Unsettled => self.unsettled + self.part(),
                FullSweep::Everything => self.stored,
            })
    }

    /// Read units of DynamoDB.
    pub(crate) fn units(self, way: FullSweep) -> u64 {
        u64::from(self.unsettled)
            + u64::from(match way {
                FullSweep::Unsettled => self.unsettled + self.part() / ROWS_A_UNIT,
                FullSweep::Everything => self.stored / ROWS_A_UNIT,
            })
    }
}
