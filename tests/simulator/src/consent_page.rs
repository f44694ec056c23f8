//! The page on which a user of Xero chooses organisations, and allows an app what it asks for or does not.

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::Response,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Simulator,
    consent::{Asked, unless_wrong},
    query::Query,
    reply::Reply,
    world::World,
};

/// Who is signed in, unless the page is answered by another user.
const USER: &str = "ada@example.com";

const STYLE: &str = "body{font:16px/1.5 system-ui;max-width:34rem;margin:3rem auto;padding:0 1rem;background:#eef4f8;color:#123}\
    main{background:#fff;padding:1.5rem;border-radius:8px}label{display:block;padding:.3rem 0}code{font-size:.9em}\
    button{font:inherit;padding:.5rem 1.2rem;margin:1rem .6rem 0 0}";

/// Shows the question, with every organisation that the app may be connected with.
pub(crate) fn page(world: &World, asked: &Asked) -> Reply {
    let organisations = world.organisations_of(&asked.client_id).into_iter();
    let organisations = organisations.filter_map(|id| world.books.organisations.get(&id));
    let choices: String = organisations
        .map(|of| {
            let (id, name) = (of.id, escaped(&of.name));
            format!(
                "<label><input type=\"checkbox\" name=\"organisation\" value=\"{id}\"> {name}</label>"
            )
        })
        .collect();
    let scopes: String = asked
        .scope
        .split_whitespace()
        .map(|scope| format!("<li><code>{}</code></li>", escaped(scope)))
        .collect();
    let hidden: String = [
        ("response_type", Some("code")),
        ("client_id", Some(asked.client_id.as_str())),
        ("redirect_uri", Some(asked.redirect_uri.as_str())),
        ("scope", Some(asked.scope.as_str())),
        ("state", asked.state.as_deref()),
    ]
    .into_iter()
    .filter_map(|(name, value)| {
        let value = escaped(value?);
        Some(format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">"))
    })
    .collect();
    let mut reply = Reply::html(200);
    reply.body = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Simulated Xero: consent</title>\
         <style>{STYLE}</style></head><body><main><h1>Simulated Xero</h1>\
         <form method=\"post\" action=\"/identity/connect/authorize\">{hidden}\
         <label>Signed in as <input name=\"user\" value=\"{USER}\"></label>\
         <p>The app <code>{app}</code> asks for:</p><ul>{scopes}</ul>\
         <p>Which organisations may it reach?</p>{choices}\
         <button name=\"answer\" value=\"allow\">Allow access</button>\
         <button name=\"answer\" value=\"cancel\">Cancel</button></form></main></body></html>",
        app = escaped(&asked.client_id),
    );
    reply
}

/// `POST /identity/connect/authorize`: the user has pressed one of the two buttons.
pub(crate) async fn answer(State(simulator): State<Simulator>, body: Bytes) -> Response<Body> {
    let form = Query::parse(std::str::from_utf8(&body).unwrap_or_default());
    let reply = simulator.with(|world, now| answered(world, &form, now));
    unless_wrong(reply).into_response()
}

fn answered(world: &mut World, form: &Query, now: Timestamp) -> anyhow::Result<Reply> {
    let asked = Asked::read(world, form)?;
    if form.value("answer") != Some("allow") {
        // RFC 6749, 4.1.2.1
        return asked.back(("error", "access_denied"));
    }
    let chosen: Vec<Uuid> =
        form.values("organisation").filter_map(|id| Uuid::parse_str(id).ok()).collect();
    let user = form.value("user").unwrap_or(USER).to_owned();
    asked.agreed(world, Some(user), chosen, now)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
