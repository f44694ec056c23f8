//! The way of a call: token, tenant, limits, faults, memory, endpoint, and out again.

use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{Method, Response},
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    idempotency::{KEY_LENGTH_MAX, Recall},
    invoices, organisation, payments,
    request::{BODY_BYTES_MAX, Call},
    route::Route,
};
use crate::{
    Simulator,
    connection::Scissors,
    faults::{self, Effect, Manner, Outcome},
    identity,
    limits::Caller,
    query::QUERY_LENGTH_MAX,
    reply::Reply,
    world::World,
};

/// Answers a call of the Accounting API.
pub(crate) async fn answer(
    State(simulator): State<Simulator>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return Reply::text(413, "Request body too large").into_response();
    };
    let call = Call::new(parts.method, &parts.uri, parts.headers, body);
    // In a task of its own: a caller who hangs up does not stop what Xero is doing.
    match tokio::spawn(handle(simulator, call)).await {
        // The visit ends when the answer is handed over.
        Ok((outcome, _visit)) => outcome.finish(&scissors).await,
        Err(_) => Reply::text(500, "the simulator failed").into_response(),
    }
}

/// A call that counts as in flight for as long as this lives.
struct Visit {
    simulator: Simulator,
    caller: Caller,
    entered: bool,
}

impl Drop for Visit {
    fn drop(&mut self) {
        let (caller, entered) = (&self.caller, self.entered);
        self.simulator.with(|world, _| {
            world.meters.left(caller.1);
            if entered {
                world.gate.leave(caller);
            }
        });
    }
}

async fn handle(simulator: Simulator, call: Call) -> (Outcome, Option<Visit>) {
    let route = Route::of(&call.segments());
    let identified = simulator.with(|world, now| identify(world, &call, &route, now));
    let caller = match identified {
        Ok(caller) => caller,
        Err(reply) => return (Outcome::plain(reply), None),
    };
    let admitted = simulator.with(|world, now| admit(world, &call, &route, &caller, now));
    let visit =
        Visit { simulator: simulator.clone(), caller: caller.clone(), entered: admitted.is_ok() };
    let mut outcome = match admitted {
        Err(reply) => Outcome::plain(reply),
        Ok(effects) => {
            tokio::time::sleep(simulator.inner.latency).await;
            let manner = Manner::of(&effects);
            let act = || {
                simulator.with(|world, now| remembered(world, &call, &route, &caller, &manner, now))
            };
            faults::carry_out(&effects, act).await
        }
    };
    simulator.with(|world, now| {
        if outcome.from_the_api {
            outcome.reply.headers.extend(remaining(world, &caller, now));
        }
        let reply = &outcome.reply;
        world.meters.answered(caller.1, reply.status == 429, reply.body.len());
    });
    (outcome, Some(visit))
}

/// Who calls, on whose books, and whether the token is enough for that.
fn identify(
    world: &mut World,
    call: &Call,
    route: &Route,
    now: Timestamp,
) -> Result<Caller, Reply> {
    let token = world
        .tokens
        .check(call.header("authorization"), now)
        .map_err(|bad| Reply::raw_json(401, identity::unauthorized(bad, world)))?;
    let organisations = world.organisations_of(&token.client);
    let organisation = match (call.header("xero-tenant-id"), organisations.as_slice()) {
        // A custom connection has one organisation and need not name it (xero.md 2.1).
        (None, [only]) => Some(*only),
        (None, _) => None,
        (Some(text), _) => {
            Uuid::parse_str(text).ok().filter(|tenant| organisations.contains(tenant))
        }
    };
    let mut forbid =
        |detail| Reply::raw_json(403, identity::problem(403, "Forbidden", detail, world));
    let Some(organisation) = organisation else {
        return Err(forbid("AuthenticationUnsuccessful"));
    };
    if !route.is_open_to(&call.method, &token.scopes) {
        return Err(forbid("AuthorizationUnsuccessful"));
    }
    Ok((token.client, organisation))
}

/// Counts the call, and says what is to go wrong with it unless a limit turns it away.
fn admit(
    world: &mut World,
    call: &Call,
    route: &Route,
    caller: &Caller,
    now: Timestamp,
) -> Result<Vec<Effect>, Reply> {
    let ids = call.query.list("IDs").map_or(0, |ids| ids.len());
    let name = format!("{} {}", call.method, route.name());
    world.meters.arrived(caller.1, name, ids, now);
    match world.gate.enter(caller, now) {
        Ok(()) => Ok(world.faults.take(call.method.as_str(), &call.path)),
        Err(turned) => Err(faults::rate_limited(turned.problem, turned.retry_after)),
    }
}

/// Looks into the memory of `Idempotency-Key` before anything is done, and keeps the reply after.
fn remembered(
    world: &mut World,
    call: &Call,
    route: &Route,
    caller: &Caller,
    manner: &Manner,
    now: Timestamp,
) -> Reply {
    let reply = |world: &mut World| {
        let reply =
            dispatch(world, call, route, caller.1, manner, now).unwrap_or_else(|reply| reply);
        if call.accepts_json() { reply } else { reply.into_xml() }
    };
    let key = call.header("idempotency-key").filter(|_| call.method != Method::GET);
    let Some(key) = key else {
        return reply(world);
    };
    if key.chars().count() > KEY_LENGTH_MAX {
        let detail = "The Idempotency-Key must not be longer than 128 characters";
        return Reply::raw_json(400, identity::problem(400, "Bad Request", detail, world));
    }
    let key = (caller.0.clone(), key.to_owned());
    match world.memory.recall(&key, call, caller.1, now) {
        Recall::Replay(reply) => reply,
        Recall::Conflict => {
            let detail = "The Idempotency-Key has already been used with a different request";
            Reply::raw_json(400, identity::problem(400, "Bad Request", detail, world))
        }
        Recall::New => {
            let reply = reply(world);
            world.memory.keep(key, call, caller.1, &reply, now);
            reply
        }
    }
}

fn dispatch(
    world: &mut World,
    call: &Call,
    route: &Route,
    organisation: Uuid,
    manner: &Manner,
    now: Timestamp,
) -> Result<Reply, Reply> {
    // The web server in front of the API does this, without an explanation (xero.md 3.5).
    if call.raw_query.len() > QUERY_LENGTH_MAX {
        return Err(Reply::text(404, ""));
    }
    match (route, call.method.as_str()) {
        (Route::Organisation, "GET") => organisation::show(world, organisation, now),
        (Route::Invoices, "GET") => invoices::list(world, organisation, call, manner, now),
        (Route::Invoice(name), "GET") => invoices::show(world, organisation, name, manner, now),
        (Route::Invoices, "PUT" | "POST") => invoices::write(world, organisation, call, None, now),
        (Route::Invoice(name), "POST") => {
            invoices::write(world, organisation, call, Some(name.as_str()), now)
        }
        (Route::Payments, "GET") => payments::list(world, organisation, call, manner, now),
        (Route::Payment(id), "GET") => payments::show(world, organisation, id, manner, now),
        (Route::Payments, "PUT" | "POST") => payments::create(world, organisation, call, now),
        (Route::Payment(id), "POST") => payments::delete(world, organisation, call, id, now),
        (Route::Unknown, _) => Err(Reply::not_found()),
        _ => Err(Reply::text(405, "Method not allowed")),
    }
}

fn remaining(world: &mut World, caller: &Caller, now: Timestamp) -> Vec<(String, String)> {
    let left = world.gate.remaining(caller, now);
    [
        ("X-DayLimit-Remaining", left.day),
        ("X-MinLimit-Remaining", left.minute),
        ("X-AppMinLimit-Remaining", left.app_minute),
    ]
    .into_iter()
    .filter_map(|(name, left)| Some((name.to_owned(), left?.to_string())))
    .collect()
}
