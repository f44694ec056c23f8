//! Writing `/CreditNotes`: create, approve, throw away, void.

use axum::http::Method;
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use super::{
    batch::{Batch, Objections},
    credits::credit_named,
    lines::{line_amounts, lines},
    lists,
    request::{Call, CreditNoteIn, CreditNotesIn},
};
use crate::{
    books::{CreditKind, CreditNoteDraft, CreditNoteStage, Refusal},
    faults::Manner,
    meter::{Created, CreatedKind},
    random::Random,
    reply::Reply,
    wire::{CreditNoteRefused, CreditOut, Unbooked},
    world::World,
};

/// What an element asks for.
enum Wish {
    Create(CreditNoteDraft),
    Status(Uuid, String),
}

/// `PUT /CreditNotes` creates, `POST` creates or changes the status; `target` is the one named in the path.
pub(super) fn write(
    world: &mut World,
    organisation: Uuid,
    call: &Call,
    target: Option<&str>,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    let sent = match call.json::<CreditNotesIn>()?.credit_notes {
        Some(notes) => notes,
        None => vec![call.json::<CreditNoteIn>()?],
    };
    let updates = call.method == Method::POST;
    let books = lists::organisation(world, organisation)?;
    let target = match target {
        Some(id) => Some(credit_named(books, CreditKind::CreditNote, id)?.id),
        None => None,
    };
    let World { ids, .. } = &mut *world;
    let checked = sent
        .iter()
        .map(|sent| match target.or(sent.id).filter(|_| updates) {
            Some(id) => Ok(Wish::Status(id, sent.status.clone().unwrap_or_default())),
            None => draft(sent, ids, now).map(Wish::Create).map_err(|refusal| refusal.0),
        })
        .collect();

    let batch = Batch::of(call, manner);
    let booked = batch.book(world, checked, |world, wish| record(world, organisation, wish, now));

    let books = lists::organisation(world, organisation)?;
    let written = |id: Uuid, own_result| {
        let note = books.credit_documents.get(&id).ok_or_else(Reply::not_found)?;
        let written = CreditOut::new(books, note, true, true);
        lists::raw(&if own_result { written.with_own_result() } else { written })
    };
    let items = batch.elements(&sent, &booked, written, echo)?;
    Ok(lists::reply(world, "CreditNotes", items, None, now))
}

fn draft(
    sent: &CreditNoteIn,
    ids: &mut Random,
    now: Timestamp,
) -> Result<CreditNoteDraft, Refusal> {
    let of_supplier = match sent.kind.as_deref() {
        Some("ACCPAYCREDIT") => true,
        Some("ACCRECCREDIT") => false,
        _ => return Err(Refusal::because("A valid Type must be specified")),
    };
    let stage = match sent.status.as_deref() {
        None | Some("DRAFT") => CreditNoteStage::Draft,
        Some("SUBMITTED") => CreditNoteStage::Submitted,
        Some("AUTHORISED") => CreditNoteStage::Approved,
        Some(_) => return Err(Refusal::because("Credit note not of valid status for creation")),
    };
    let number = sent.credit_note_number.clone().filter(|number| !number.is_empty());
    Ok(CreditNoteDraft {
        of_supplier,
        // Only sales are numbered by Xero.
        number: number.or_else(|| of_supplier.then(String::new)),
        // Of sales only.
        reference: sent.reference.clone().filter(|_| !of_supplier).unwrap_or_default(),
        contact: sent.contact.clone().unwrap_or_default().choice(),
        currency: sent.currency_code.clone(),
        date: sent.date.map_or_else(|| now.to_zoned(TimeZone::UTC).date(), |day| day.0),
        line_amounts: line_amounts(sent.line_amount_types.as_deref())?
            .unwrap_or_else(|| "Exclusive".to_owned()),
        lines: lines(sent.line_items.as_deref().unwrap_or_default(), ids)?,
        stage,
    })
}

fn record(
    world: &mut World,
    organisation: Uuid,
    wish: Wish,
    now: Timestamp,
) -> Result<Uuid, Objections> {
    let books = world.books.organisation(organisation).map_err(|refusal| refusal.0)?;
    let draft = match wish {
        Wish::Status(id, status) => {
            books.set_credit_note_status(id, &status, now).map_err(|refusal| refusal.0)?;
            world.changed = true;
            return Ok(id);
        }
        Wish::Create(draft) => draft,
    };
    let reference = draft.number.clone().unwrap_or_default();
    let id = books.add_credit_note_of(draft, &mut world.ids, now).map_err(|refusal| refusal.0)?;
    world.changed = true;
    let created = Created { kind: CreatedKind::CreditNote, id, at: now, reference };
    world.meters.created(organisation, created);
    Ok(id)
}

fn echo(sent: &CreditNoteIn, unbooked: Unbooked<'_>, own_result: bool) -> CreditNoteRefused {
    let mut echo = CreditNoteRefused::new(unbooked, own_result);
    echo.kind.clone_from(&sent.kind);
    echo.credit_note_number.clone_from(&sent.credit_note_number);
    echo
}
