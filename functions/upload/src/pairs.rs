//! Payments that name no invoice, and what another hand has entered on their contact: what does not agree stands
//! there, and what a person has said of it is not asked again (A8.3).

use std::collections::{BTreeMap, BTreeSet};

use payments::upload::{
    Claim, Counterpart, MoneyInXero, Night, OnContact, PaymentPair, Suspicion, Upload, XeroMoney,
    flagged_with, standings,
};
use payments::{CustomerId, Discrepancy, PaymentId, XeroContactId};
use queue::Uploads;
use table::{ContactBecause, Races, ReadError};

use crate::error::RunError;
use crate::known_money::{KINDS, Watch};
use crate::run::{Move, Run};

/// For how many nights after a payment has gone up the same money, entered by another hand, is looked for. As many
/// days, too: an organisation whose nights were off for a month has no use for what went up before.
const WATCHED_NIGHTS: u8 = 10;

impl<Q: Uploads> Run<'_, Q> {
    /// Says of the contacts of payments that are held as possible duplicates, and name no invoice, that they are.
    pub(crate) async fn tell_contacts(&self, moves: &[Move]) -> Result<(), RunError> {
        let held: Vec<_> = moves
            .iter()
            .filter_map(|moved| {
                Some((&moved.after.receipt.customer, moved.after.held_on_contact()?))
            })
            .collect();
        let ids: BTreeSet<_> =
            held.iter().filter_map(|(customer, _)| (*customer).clone()).collect();
        let ids = Vec::from_iter(ids);
        let customers = self.tables.each_customer(self.organisation(), &ids).await?;
        for (customer, found) in held {
            let customer = customer.as_ref().and_then(|id| customers.get(id)?.as_ref().ok());
            let former: Vec<_> =
                customer.iter().flat_map(|known| known.former_contacts()).collect();
            self.raise(&found, &former).await?;
        }
        Ok(())
    }

    /// Says of a contact that something does not agree; of one that was merged into it, where it stands there
    /// already, so that a person is asked once.
    async fn raise(&self, found: &OnContact, former: &[XeroContactId]) -> Result<(), RunError> {
        let organisation = self.organisation();
        let mut races = Races::default();
        loop {
            let mut found = found.clone();
            let mut known = None;
            for contact in [found.contact].iter().chain(former) {
                let of_contact = self.of_contact(*contact).await?;
                known = of_contact.into_iter().find(|known| known.key == found.key);
                if known.is_some() {
                    found.contact = *contact;
                    break;
                }
            }
            let because = self.because_of_pair();
            let known = known.as_ref();
            let raised =
                self.tables.raise_contact_discrepancy(organisation, &found, known, because).await;
            if races.won(raised)?.is_some() {
                return Ok(());
            }
        }
    }

    fn because_of_pair(&self) -> ContactBecause {
        ContactBecause { cause: "upload", rule: "A8.3", now: self.now() }
    }

    /// What does not agree about a contact; nothing if it cannot be read, which hides nothing of the money itself.
    async fn of_contact(&self, contact: XeroContactId) -> Result<Vec<Discrepancy>, RunError> {
        match self.tables.contact_discrepancies(self.organisation(), contact).await {
            Ok(known) => Ok(known),
            Err(ReadError::Unreadable { .. }) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Closes what was open about payments that are not held for it any more: their facts have changed, or a person
    /// has answered.
    pub(crate) async fn close_settled_pairs(&self) -> Result<(), RunError> {
        let organisation = self.organisation();
        let open = self.tables.open_about_contacts(organisation).await?;
        let pairs: Vec<_> = open
            .iter()
            .filter_map(|(contact, found)| Some((contact, found, PaymentPair::of(&found.key)?)))
            .collect();
        let ids: BTreeSet<_> = pairs.iter().map(|(_, _, pair)| pair.payment.clone()).collect();
        let known = self.tables.found_uploads(organisation, &Vec::from_iter(ids)).await?;
        for (contact, found, pair) in pairs {
            let upload = known.uploads.iter().find(|upload| upload.receipt.id == pair.payment);
            // Of one that cannot be read, nothing says that it is settled (AMB-30).
            let is_unread = known.unreadable.iter().any(|row| row.key == pair.payment.as_str());
            if !is_unread && !pair.is_open(upload) {
                self.close_on_contact(*contact, found).await?;
            }
        }
        Ok(())
    }

    /// Closes what does not agree about a contact any more.
    pub(crate) async fn close_on_contact(
        &self,
        contact: XeroContactId,
        found: &Discrepancy,
    ) -> Result<(), RunError> {
        let (organisation, because) = (self.organisation(), self.because_of_pair());
        self.tables.close_contact_discrepancy(organisation, contact, found, because).await?;
        Ok(())
    }

    /// Which local payments a person has said that money is the same as (A8.3): what stands in their line, as of a
    /// moment ago and whether or not its contact was merged, and what was said of these contacts until now.
    pub(crate) async fn said_to_be_the_same(
        &self,
        contacts: &BTreeSet<XeroContactId>,
    ) -> Result<BTreeMap<Counterpart, PaymentId>, RunError> {
        let mut payments = BTreeSet::new();
        for contact in contacts {
            let known = self.of_contact(*contact).await?;
            let pairs = known.iter().filter_map(|known| PaymentPair::of(&known.key));
            payments.extend(pairs.map(|pair| pair.payment));
        }
        let uploads = self.tables.uploads(self.organisation(), &Vec::from_iter(payments)).await?;
        let mut rows = self.said_same().await?;
        rows.extend(uploads);
        let same = rows.iter().flat_map(|upload| {
            upload.same_as.iter().map(|same| (same.clone(), upload.receipt.id.clone()))
        });
        Ok(same.collect())
    }

    /// Takes up the payments without an invoice that went up in the last nights, so that the money around their days
    /// is read together with that of this night's payments.
    pub(crate) async fn watch(&self) -> Result<(), RunError> {
        let organisation = self.organisation();
        let mut uploads = Vec::new();
        // The latest one is this night.
        let count = usize::from(WATCHED_NIGHTS).saturating_add(1);
        let nights = self.tables.nights(organisation, count).await?;
        let is_watched = |night: Night| night.plus(u32::from(WATCHED_NIGHTS)) >= self.night;
        for report in nights.iter().filter(|report| is_watched(report.night)) {
            uploads.extend(self.tables.uploads_of_night(organisation, report.night).await?);
        }
        let ids: BTreeSet<CustomerId> =
            uploads.iter().filter_map(|upload| upload.receipt.customer.clone()).collect();
        let customers = self.tables.each_customer(organisation, &Vec::from_iter(ids)).await?;
        let mut watch = Watch::default();
        for upload in uploads {
            let customer = upload.receipt.customer.as_ref().and_then(|id| customers.get(id));
            let customer = customer.and_then(|known| known.as_ref().ok());
            let Some((customer, contact)) = customer.zip(customer.and_then(|one| one.contact))
            else {
                continue;
            };
            if let Some(claim) = upload.sent_claim(contact) {
                watch.former.insert(contact, customer.former_contacts().collect());
                watch.claims.push(claim);
                watch.uploads.insert(upload.receipt.id.clone(), upload);
            }
        }
        self.known_money.borrow_mut().watch = watch;
        Ok(())
    }

    /// Flags what another hand has entered since payments without an invoice went up. What this night's payments are
    /// held for, and what was flagged or answered before, is left out.
    pub(crate) async fn flag_entered_since(&self) -> Result<(), RunError> {
        let Watch { uploads, mut former, mut claims } =
            std::mem::take(&mut self.known_money.borrow_mut().watch);
        if claims.is_empty() {
            return Ok(());
        }
        for kind in KINDS {
            self.read_unread(kind, &claims.iter().collect::<Vec<_>>()).await?;
        }
        for claim in &mut claims {
            self.follow_contact(claim, uploads.get(&claim.payment), &mut former);
        }
        let days = self.uploading.same_money_days;
        let mut money: Vec<XeroMoney> = self.known_money.borrow().money.values().cloned().collect();
        let asked_about = self.asked_about().await?;
        money.retain(|money| !asked_about.contains(&Counterpart::Xero(money.id)));
        claims.retain(|claim| money.iter().any(|money| claim.concerns(money, days)));
        money.retain(|money| claims.iter().any(|claim| claim.concerns(money, days)));
        for claim in &mut claims {
            let Some((contact, _)) = claim.unnamed else { continue };
            let mut known = self.of_contact(contact).await?;
            for contact in former.get(&contact).into_iter().flatten() {
                known.extend(self.of_contact(*contact).await?);
            }
            claim.apart_from.extend(flagged_with(&claim.payment, known.iter()));
        }
        self.name_owners(&mut money).await?;
        let contacts: BTreeMap<_, _> =
            claims.iter().filter_map(|claim| Some((&claim.payment, claim.unnamed?.0))).collect();
        for (payment, standing) in standings(&claims, &money, days) {
            let MoneyInXero::Possible(suspicion) = standing else { continue };
            let (upload, contact) = (uploads.get(&payment), contacts.get(&payment));
            let flag = |(upload, contact): (&Upload, &XeroContactId)| {
                upload.entered_since(*contact, &suspicion)
            };
            if let Some(found) = upload.zip(contact).and_then(flag) {
                self.raise(&found, &[]).await?;
            }
        }
        Ok(())
    }

    /// What went up stands on the contact that its own was merged into, whether or not its customer has paid since.
    fn follow_contact(
        &self,
        claim: &mut Claim,
        upload: Option<&Upload>,
        former: &mut BTreeMap<XeroContactId, Vec<XeroContactId>>,
    ) {
        let known = self.known_money.borrow();
        let parts = upload.into_iter().flat_map(|upload| &upload.parts);
        let now = parts.filter_map(|part| known.ours.get(&part.stamp).copied());
        let now: Vec<XeroContactId> = now.collect::<BTreeSet<_>>().into_iter().collect();
        // A part may stand on an invoice of another contact, which the payment has named: then it is not followed.
        let (Some((contact, _)), [now]) = (&mut claim.unnamed, now.as_slice()) else { return };
        if contact != now {
            let mut before = former.get(contact).cloned().unwrap_or_default();
            before.push(*contact);
            former.entry(*now).or_default().extend(before);
            *contact = *now;
        }
    }

    /// What payments are held for at this moment.
    async fn asked_about(&self) -> Result<BTreeSet<Counterpart>, RunError> {
        let held = self.whole_line(payments::upload::Line::Held).await?;
        let suspicions = held.into_iter().filter_map(|row| row.suspicion);
        Ok(suspicions.flat_map(|Suspicion { with, .. }| with).collect())
    }
}
