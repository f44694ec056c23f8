//! A call that Xero refuses as a whole because of one element: it is halved until the element is found, and the
//! others go in the same run (AMB-30).

use payments::upload::Upload;
use queue::Uploads;
use xero::StampedKind;

use crate::error::RunError;
use crate::outgoing_rows::{CALLS_MAX, Picked, Rows};
use crate::run::{Run, Stop};

impl<Q: Uploads> Run<'_, Q> {
    /// Sends parts of one kind. A part that is still planned after its call was refused along with others:
    /// nothing of it is in Xero. It goes again without those that Xero has named, or in halves.
    pub(crate) async fn send_bundle(
        &self,
        kind: StampedKind,
        picked: Vec<Picked>,
        rows: &mut Rows,
    ) -> Result<Option<Stop>, RunError> {
        // Once for all calls of this sending: they follow one another.
        let mut groups = vec![Box::pin(self.still_absent(picked, rows)).await?];
        let mut is_first = true;
        while let Some(group) = groups.pop() {
            if group.is_empty() {
                continue;
            }
            if self.is_over() {
                return Ok(Some(Stop::OutOfTime));
            }
            if !is_first && !rows.halvings.take() {
                self.leave(&group, rows).await?;
                continue;
            }
            is_first = false;
            if let Some(stop) = self.send_once(kind, &group, rows).await? {
                return Ok(Some(stop));
            }
            let count = group.len();
            let mut left: Vec<Picked> =
                group.into_iter().filter(|picked| rows.is_planned(picked)).collect();
            if left.len() == count && count > 1 {
                groups.push(left.split_off(count.div_ceil(2)));
            }
            groups.push(left);
        }
        Ok(None)
    }

    /// Leaves parts to the next run: they have what they have reserved, and nothing of them is in Xero.
    async fn leave(&self, group: &[Picked], rows: &mut Rows) -> Result<(), RunError> {
        let left: Vec<Upload> =
            group.iter().filter_map(|picked| rows.remove(&picked.payment)).collect();
        if let Some(first) = left.first() {
            let why = format!(
                "Xero refuses calls as a whole, and {CALLS_MAX} calls did not show for which of the payments; {} \
                 of them wait for the next run",
                left.len()
            );
            self.message("CALLS_REFUSED", &first.receipt.id.to_string(), &why).await?;
        }
        Ok(())
    }
}
