//! The way of a call: token, tenant, limits, faults, memory, endpoint, and out again.

use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::Response,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    admitted_call::AdmittedCall,
    dispatch::answered,
    idempotency::{Claim, claim},
    late_requests,
    request::{BODY_BYTES_MAX, Call},
    route::Route,
};
use crate::{
    Simulator,
    connection::Scissors,
    faults::{self, Effect, Manner, Outcome},
    identity,
    limits::Caller,
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
    let accepts_gzip = call.header("accept-encoding").is_some_and(|kinds| kinds.contains("gzip"));
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
            let asked = AdmittedCall { call, caller: caller.clone(), route, manner };
            if let Some(millis) = faults::postponement(&effects) {
                simulator.with(|world, now| late_requests::postpone(world, &asked, millis, now));
            }
            let act = || simulator.with(|world, now| remembered(world, &asked, now));
            faults::carry_out(&effects, act).await
        }
    };
    simulator.with(|world, now| {
        if outcome.from_the_api {
            outcome.reply.headers.extend(remaining(world, &caller, now));
            // Of this clock, and not of the machine's.
            outcome.reply.headers.push(("Date".to_owned(), http_date(now)));
        }
        outcome.reply.packed = accepts_gzip && world.oddities.gzip;
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
    let organisations = world.organisations_of_token(&token);
    let organisation = match (call.header("xero-tenant-id"), organisations.as_slice()) {
        // A custom connection has one organisation and need not name it (facts.md 2.1).
        (None, [only]) => Some(*only),
        (None, _) => None,
        (Some(text), _) => {
            Uuid::parse_str(text).ok().filter(|tenant| organisations.contains(tenant))
        }
    };
    let mut refuse = |status, title, detail| {
        Reply::raw_json(status, identity::problem(status, title, detail, world))
    };
    let Some(organisation) = organisation else {
        return Err(refuse(403, "Forbidden", "AuthenticationUnsuccessful"));
    };
    // Not a 403: a scope that is missing is a matter of the token (facts.md 2.2).
    if !route.is_open_to(&call.method, &token.scopes) {
        return Err(refuse(401, "Unauthorized", "AuthorizationUnsuccessful"));
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

/// Answers from the memory of `Idempotency-Key`, or carries the call out and remembers the reply.
fn remembered(world: &mut World, asked: &AdmittedCall, now: Timestamp) -> Reply {
    match claim(world, asked, now) {
        Claim::Answered(reply) => reply,
        Claim::Unkeyed => answered(world, asked, now),
        Claim::New(key) => {
            let reply = answered(world, asked, now);
            world.memory.keep(key, asked, &reply, now);
            reply
        }
    }
}

fn http_date(now: Timestamp) -> String {
    now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
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
