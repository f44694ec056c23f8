//! The command line: what `cargo run` understands.

use std::{path::PathBuf, process::ExitCode, time::Duration, time::Instant};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Parser, Subcommand, value_parser};
use host::env::Environment;
use tokio::runtime;

use crate::{
    Parts, Stack, command, connect,
    external_endpoints::{DYNAMODB_URL, Elsewhere, SQS_URL, XERO_API_URL},
    hints,
    interrupt::Interrupt,
    logs,
    ports::Ports,
    story, terminal,
};

/// Exit code of a process that was interrupted before it was done.
const INTERRUPTED: u8 = 130;

/// The whole of Paymirror on this machine: engines in place of AWS, a simulated Xero, and the same
/// functions as on Lambda.
///
/// Without a command it starts everything, plays a short story, and stays up until Ctrl-C.
#[derive(Debug, Parser)]
#[command(name = "local", bin_name = "cargo run --", version, after_help = AFTER_HELP)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    /// End after the story: exit code 0 if everything in it came true, 1 if not
    #[arg(long, conflicts_with = "no_story")]
    once: bool,
    /// Only serve
    #[arg(long)]
    no_story: bool,
    #[command(flatten)]
    options: Options,
}

const AFTER_HELP: &str = "\
Parts can live elsewhere; then they are not started here:
  AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL_SQS   other engines
  XERO_API_URL, XERO_IDENTITY_URL                   another Xero, together with XERO_CLIENT_ID,
                                                    XERO_CLIENT_SECRET, XERO_TENANT_ID and
                                                    XERO_WEBHOOK_KEYS
  RUST_LOG                                          what is logged";

/// One part of the system in a process of its own.
#[derive(Clone, Debug, Eq, PartialEq, Subcommand)]
enum Command {
    /// Start DynamoDB, SQS and the Xero simulator: all but the functions
    Engines,
    /// Start the functions only; everything else runs in another process
    Functions,
    /// Start the Xero simulator only
    Simulator,
    /// Let a user of Xero grant organisations, while `cargo run` stays up in another terminal
    Connect,
    /// Print what can be tried while `cargo run` stays up in another terminal, to paste
    Try,
    /// Order what the operators' pages order, here or in a stack on AWS; without a name, list the commands
    #[command(name = "command")]
    Operate(command::Line),
}

#[derive(Args, Debug)]
struct Options {
    /// Where everything is kept
    #[arg(long, global = true, value_name = "DIR", default_value = ".local")]
    data: PathBuf,
    /// Port of the webhook endpoint; for each port, 0 takes a free one
    #[arg(long, global = true, value_name = "PORT", default_value_t = Ports::default().webhook)]
    port_webhook: u16,
    /// Port of the Lambda Invoke API
    #[arg(long, global = true, value_name = "PORT", default_value_t = Ports::default().invoke)]
    port_invoke: u16,
    /// Port of the DynamoDB API
    #[arg(long, global = true, value_name = "PORT", default_value_t = Ports::default().dynamodb)]
    port_dynamodb: u16,
    /// Port of the SQS API
    #[arg(long, global = true, value_name = "PORT", default_value_t = Ports::default().sqs)]
    port_sqs: u16,
    /// Port of the S3 API
    #[arg(long, global = true, value_name = "PORT", default_value_t = Ports::default().s3)]
    port_s3: u16,
    /// Port of the Xero simulator
    #[arg(long, global = true, value_name = "PORT", default_value_t = Ports::default().simulator)]
    port_simulator: u16,
    /// How long the mirror gathers changes before it reads Xero; 2000 when deployed
    #[arg(long, global = true, value_name = "MS", default_value_t = 2_000)]
    window_changes: u64,
    /// How long the intake gathers messages; 1000 when deployed
    #[arg(long, global = true, value_name = "MS", default_value_t = 1_000)]
    window_intake: u64,
    /// After how long the messages of a killed function come back; 722 and 361 when deployed
    #[arg(long, global = true, value_name = "S", default_value_t = 30,
          value_parser = value_parser!(u64).range(1..=43_200))]
    visibility_timeout: u64,
}

/// Parses the command line and does what it says; never returns early.
#[must_use]
pub fn main() -> ExitCode {
    let line = CommandLine::parse();
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let ended = runtime.context("no runtime").and_then(|runtime| runtime.block_on(run(line)));
    match ended {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(line: CommandLine) -> anyhow::Result<ExitCode> {
    let mut interrupt = Interrupt::listen()?;
    let CommandLine { command, once, no_story, options } = line;
    if let Some(command) = command {
        ensure!(!once, "--once is for the story, which `{command:?}` does not play");
        logs::to_stderr()?;
        if command == Command::Try {
            hints::print_kept(&options.data)?;
            return Ok(ExitCode::SUCCESS);
        }
        if let Command::Operate(line) = &command {
            return command::run(line, options.port_invoke).await;
        }
        if command == Command::Connect {
            return tokio::select! {
                connected = connect::run(ports(&options), &options.data) => connected,
                () = interrupt.wait() => Ok(ExitCode::from(INTERRUPTED)),
            };
        }
        return serve_part(command, &options, &mut interrupt).await;
    }
    let elsewhere = Elsewhere::from_env(&Environment::process())?;
    let story = !no_story && elsewhere.xero.is_none();
    if once && !story {
        bail!("the story plays in the simulated Xero, and {XERO_API_URL} points to another one");
    }
    let log = logs::to_file(&options.data)?;
    println!("Paymirror on this machine. Data and log lines are in {}.\n", options.data.display());
    let started = Instant::now();
    let stack = tokio::select! {
        stack = start(Parts::ALL, &options, elsewhere) => stack?,
        () = interrupt.wait() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    println!("\n  ready in {}", terminal::milliseconds(started.elapsed()));

    let came_true = if story {
        tokio::select! {
            played = story::play(&stack) => played?,
            () = interrupt.wait() => {
                stack.stop().await;
                return Ok(ExitCode::from(INTERRUPTED));
            }
        }
    } else {
        true
    };
    if once {
        stack.stop().await;
        return Ok(if came_true { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    hints::print(&stack, &log, &options.data).await?;
    interrupt.wait().await;
    stop(stack).await;
    Ok(ExitCode::SUCCESS)
}

async fn serve_part(
    command: Command,
    options: &Options,
    interrupt: &mut Interrupt,
) -> anyhow::Result<ExitCode> {
    let parts = Parts {
        engines: command == Command::Engines,
        simulator: command != Command::Functions,
        functions: command == Command::Functions,
    };
    let mut elsewhere = Elsewhere::from_env(&Environment::process())?;
    if parts.engines {
        let nothing = elsewhere.dynamodb_url.is_some()
            && elsewhere.sqs_url.is_some()
            && elsewhere.s3_url.is_some();
        ensure!(!nothing, "{DYNAMODB_URL} and {SQS_URL} point elsewhere: nothing to start");
    }
    if command == Command::Simulator {
        ensure!(elsewhere.xero.take().is_none(), "{XERO_API_URL} points to another Xero");
    }
    let stack = start(parts, options, elsewhere).await?;
    println!("\n  ready; Ctrl-C ends it");
    interrupt.wait().await;
    stop(stack).await;
    Ok(ExitCode::SUCCESS)
}

async fn start(parts: Parts, options: &Options, elsewhere: Elsewhere) -> anyhow::Result<Stack> {
    Stack::builder()
        .data(&options.data)
        .ports(ports(options))
        .parts(parts)
        .elsewhere(elsewhere)
        .visibility(Duration::from_secs(options.visibility_timeout))
        .windows(
            Duration::from_millis(options.window_changes),
            Duration::from_millis(options.window_intake),
        )
        .on_step(terminal::step)
        .start()
        .await
}

const fn ports(options: &Options) -> Ports {
    Ports {
        webhook: options.port_webhook,
        invoke: options.port_invoke,
        dynamodb: options.port_dynamodb,
        sqs: options.port_sqs,
        s3: options.port_s3,
        simulator: options.port_simulator,
    }
}

async fn stop(stack: Stack) {
    let started = Instant::now();
    println!("\nending: batches in work are finished first");
    stack.stop().await;
    println!(
        "ended in {}; the next start finds its data",
        terminal::milliseconds(started.elapsed())
    );
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn options_stand_before_or_after_the_command() {
        for line in [["x", "--port-sqs", "0", "engines"], ["x", "engines", "--port-sqs", "0"]] {
            let line = CommandLine::parse_from(line);

            assert_eq!(line.command, Some(Command::Engines));
            assert_eq!(line.options.port_sqs, 0);
        }
    }
}
