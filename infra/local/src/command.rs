//! `cargo run -- command`: gives the orders of the operators' pages from a command line, to the program that runs on
//! this machine or to a stack on AWS. Each command, its options and its help come from the table in `commands`.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use anyhow::{Context as _, anyhow};
use aws_config::BehaviorVersion;
use aws_sdk_lambda::{
    Client,
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    primitives::Blob,
};
use clap::{Arg, ArgAction, ArgMatches, Args, Command as Clap, FromArgMatches};
use commands::{Attribution, Command, FUNCTION, Field, FieldKind, Kind, Request};
use serde_json::Value;

use crate::{clients, simulator::sample_xero};

/// How long the function may take, and a little longer.
const WAIT_MAX: Duration = Duration::from_secs(310);

/// What stands behind `command`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Line {
    order: Option<Order>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
struct Order {
    kind: Kind,
    fields: BTreeMap<String, String>,
    by: Option<String>,
    why: Option<String>,
    stack: Option<String>,
}

/// Commands that a function executes; the names that pages show are changed on a page.
fn kinds() -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(|kind| *kind != Kind::Rename)
}

fn hyphened(name: &str) -> String {
    name.replace('_', "-")
}

/// The names of options live as long as the program, which reads its command line once.
fn fixed(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn subcommand(kind: Kind) -> Clap {
    let spec = kind.spec();
    let note = spec.confirmation.map(|text| text.trim_end_matches(" Go on?").to_owned());
    let about = spec.about.trim().trim_end_matches('.').to_owned();
    let text = |name: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name("TEXT").help(help).required(!spec.is_read_only)
    };
    let clap =
        Clap::new(fixed(hyphened(spec.code))).about(about).after_help(note.unwrap_or_default());
    clap.args(spec.fields.iter().map(argument))
        .arg(text("by", "Who orders it"))
        .arg(text("why", "Why, for the activity log"))
        .arg(Arg::new("stack").long("stack").value_name("NAME").help(
            "The stack on AWS whose function executes it; the program on this machine if left out",
        ))
}

fn argument(field: &Field) -> Arg {
    let arg = Arg::new(field.name).long(fixed(hyphened(field.name))).help(field.help);
    match field.kind {
        FieldKind::Flag => arg.action(ArgAction::SetTrue),
        FieldKind::List => arg
            .action(ArgAction::Append)
            .value_name(fixed(field.label.to_uppercase()))
            .required(field.is_required),
        FieldKind::Text | FieldKind::Number => arg
            .value_name(fixed(field.label.to_uppercase().replace(' ', "_")))
            // On this machine there is one organisation.
            .required(field.is_required && field.name != "organisation"),
    }
}

impl Args for Line {
    fn augment_args(clap: Clap) -> Clap {
        clap.subcommands(kinds().map(subcommand)).subcommand_required(false)
    }

    fn augment_args_for_update(clap: Clap) -> Clap {
        Self::augment_args(clap)
    }
}

impl FromArgMatches for Line {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let Some((name, matches)) = matches.subcommand() else { return Ok(Self::default()) };
        let Some(kind) = kinds().find(|kind| hyphened(kind.code()) == name) else {
            return Ok(Self::default());
        };
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let value = |field: &Field| match field.kind {
            FieldKind::Flag => matches.get_flag(field.name).then(|| "true".to_owned()),
            FieldKind::List => matches.get_many::<String>(field.name).map(|texts| {
                let texts: Vec<_> = texts.map(String::as_str).collect();
                texts.join("\n")
            }),
            FieldKind::Text | FieldKind::Number => text(field.name),
        };
        let fields = kind.spec().fields.iter();
        let fields = fields.filter_map(|field| Some((field.name.to_owned(), value(field)?)));
        let (by, why, stack) = (text("by"), text("why"), text("stack"));
        Ok(Self { order: Some(Order { kind, fields: fields.collect(), by, why, stack }) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Gives the order and prints the answer; without an order, lists the commands.
///
/// # Errors
///
/// A field makes no sense, or the function does not answer, or it fails.
pub(crate) async fn run(line: &Line, port: u16) -> anyhow::Result<ExitCode> {
    let Some(order) = &line.order else {
        for kind in kinds() {
            println!("  {:<24}{}", hyphened(kind.code()), kind.spec().about.trim());
        }
        println!("\n`cargo run -- command NAME --help` lists the options of a command.");
        return Ok(ExitCode::SUCCESS);
    };
    let request = order.request()?;
    let event = serde_json::to_string(&request)?;
    let (client, name) = match &order.stack {
        None => (here(port).await, FUNCTION.to_owned()),
        Some(stack) => (aws().await, format!("{stack}-{FUNCTION}")),
    };
    let answer = client.invoke().function_name(&name).payload(Blob::new(event)).send();
    let answer = answer.await.with_context(|| format!("the function {name} does not answer"))?;
    let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
    let said: Value = serde_json::from_slice(&payload).context("the answer is no JSON")?;
    if answer.function_error.is_some() {
        let message = said.get("errorMessage").and_then(Value::as_str);
        return Err(anyhow!("{}", message.unwrap_or("the function failed and gave no reason")));
    }
    println!("{}", serde_json::to_string_pretty(&said)?);
    Ok(ExitCode::SUCCESS)
}

impl Order {
    fn request(&self) -> anyhow::Result<Request> {
        let mut fields = self.fields.clone();
        let has_organisation = self.kind.spec().fields.iter().any(|f| f.name == "organisation");
        if self.stack.is_none() && has_organisation {
            let sample = || sample_xero("").tenant_id;
            fields.entry("organisation".to_owned()).or_insert_with(sample);
        }
        let attribution = match (&self.by, &self.why) {
            (None, None) => None,
            (by, why) => {
                let text = |text: &Option<String>| text.clone().unwrap_or_default();
                Some(Attribution::new(&text(by), &text(why))?)
            }
        };
        Ok(Request::new(Command::of(self.kind, &fields)?, attribution)?)
    }
}

async fn here(port: u16) -> Client {
    let config = clients::lambda_at(&format!("http://127.0.0.1:{port}")).await;
    once(config)
}

async fn aws() -> Client {
    let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
    once(aws_sdk_lambda::config::Builder::from(&config))
}

/// An order is given once and never repeated: it may not be safe to repeat.
fn once(config: aws_sdk_lambda::config::Builder) -> Client {
    let timeouts = TimeoutConfig::builder().read_timeout(WAIT_MAX).build();
    Client::from_conf(config.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(line: &[&str]) -> Line {
        let clap = Line::augment_args(Clap::new("command"));
        Line::from_arg_matches(&clap.try_get_matches_from(line).unwrap()).unwrap()
    }

    #[test]
    fn every_command_of_the_table_has_its_options() {
        Line::augment_args(Clap::new("command")).debug_assert();
        assert_eq!(read(&["command"]), Line::default());
    }

    #[test]
    fn the_organisation_of_this_machine_need_not_be_named() {
        let line = read(&["command", "sync-now", "--by", "Ada", "--why", "a payment is missing"]);
        let event = serde_json::to_value(line.order.unwrap().request().unwrap()).unwrap();
        let organisation = sample_xero("").tenant_id;
        assert_eq!(event["command"], json!({"sync_now": {"organisation": organisation}}));
        let attribution = json!({"by": "Ada", "reason": "a payment is missing"});
        assert_eq!(event["attribution"], attribution);
        let line = ["command", "sync-now", "--by", "Ada", "--why", "w", "--stack", "paymirror"];
        let error = read(&line).order.unwrap().request().unwrap_err().to_string();
        assert!(error.contains("which organisation"), "{error}");
    }

    #[test]
    fn every_command_of_the_runbook_is_taken() {
        for words in harness::runbook::commands() {
            let line = ["command".to_owned()].into_iter().chain(words.iter().cloned());
            let clap = Line::augment_args(Clap::new("command")).try_get_matches_from(line);
            let matches = clap.unwrap_or_else(|error| panic!("{words:?}: {error}"));
            let order = Line::from_arg_matches(&matches).unwrap().order.unwrap();
            assert_eq!(order.stack.as_deref(), Some("paymirror"), "{words:?}");
            if let Err(error) = order.request() {
                panic!("{words:?}: {error}");
            }
        }
    }

    #[test]
    fn an_order_that_changes_something_needs_who_and_why() {
        let clap = || Line::augment_args(Clap::new("command"));
        assert!(clap().try_get_matches_from(["command", "hold", "--payment", "P-1"]).is_err());
        let look = read(&["command", "look-at-dead-letters", "--queue", "changes"]);
        assert!(look.order.unwrap().request().is_ok());
    }
}
