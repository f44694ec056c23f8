//! What `cargo run` does, as the process that it starts.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Command, Output},
};

use uuid::Uuid;

/// A data directory that is removed again.
struct Data(PathBuf);

impl Data {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("paymirror-cli-{}", Uuid::new_v4())))
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const FREE_PORTS: [&str; 12] = [
    "--port-webhook",
    "0",
    "--port-invoke",
    "0",
    "--port-dynamodb",
    "0",
    "--port-sqs",
    "0",
    "--port-s3",
    "0",
    "--port-simulator",
    "0",
];

fn run(data: &Data, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_local"))
        .arg("--data")
        .arg(&data.0)
        .args(["--window-changes", "0", "--window-intake", "0"])
        .args(arguments)
        .env_remove("XERO_API_URL")
        .env_remove("AWS_ENDPOINT_URL_DYNAMODB")
        .env_remove("AWS_ENDPOINT_URL_SQS")
        .output()
        .expect("the binary runs")
}

#[test]
fn the_story_comes_true_and_comes_true_again_on_the_same_data() {
    let data = Data::new();
    let arguments: Vec<_> = FREE_PORTS.into_iter().chain(["--once"]).collect();

    let first = run(&data, &arguments);
    let second = run(&data, &arguments);

    let first_text = String::from_utf8_lossy(&first.stdout);
    let second_text = String::from_utf8_lossy(&second.stdout);
    assert!(first.status.success(), "{first_text}");
    assert!(second.status.success(), "{second_text}");
    assert!(!first_text.contains("earlier run"), "{first_text}");
    assert!(second_text.contains("with the tables of an earlier run"), "{second_text}");
    assert!(
        second_text.contains("ahead of this machine's, since nights were played"),
        "{second_text}"
    );
    for text in [first_text, second_text] {
        assert!(text.contains("200 in Xero, 50.00 AUD as a prepayment; 30 wait"), "{text}");
        assert!(text.contains("steps came true"), "{text}");
    }
}

#[test]
fn a_port_in_use_is_named_with_the_option_that_changes_it() {
    let data = Data::new();
    let holder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = holder.local_addr().expect("an address").port().to_string();
    let mut arguments = FREE_PORTS.to_vec();
    arguments[5] = &port;

    let ended = run(&data, &arguments);

    let text = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1));
    assert!(
        text.contains(&format!("port {port} is in use, and the DynamoDB API wants it")),
        "{text}"
    );
    assert!(text.contains("--port-dynamodb"), "{text}");
}

#[test]
fn help_names_the_parts_and_the_variables() {
    let ended = run(&Data::new(), &["--help"]);

    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success());
    for word in ["engines", "functions", "simulator", "--once", "--no-story", "XERO_API_URL"] {
        assert!(text.contains(word), "{word} is missing in: {text}");
    }
}
