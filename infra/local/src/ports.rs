//! Where the parts listen, and what to say when another process already does.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::{Context as _, anyhow};
use tokio::net::TcpListener;

/// The ports of all parts on 127.0.0.1; 0 takes any free one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ports {
    /// The webhook's function URL.
    pub webhook: u16,
    /// The Lambda Invoke API.
    pub invoke: u16,
    /// The DynamoDB API.
    pub dynamodb: u16,
    /// The SQS API.
    pub sqs: u16,
    /// The S3 API.
    pub s3: u16,
    /// The Xero simulator.
    pub simulator: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { webhook: 9000, invoke: 9001, dynamodb: 8000, sqs: 9324, s3: 9444, simulator: 9400 }
    }
}

impl Ports {
    /// Free ports for everything, so that many stacks can run side by side.
    #[must_use]
    pub const fn free() -> Self {
        Self { webhook: 0, invoke: 0, dynamodb: 0, sqs: 0, s3: 0, simulator: 0 }
    }
}

/// Something that wants to listen.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    what: &'static str,
    option: &'static str,
    port: u16,
}

impl Place {
    /// The webhook's function URL on `port`.
    #[must_use]
    pub const fn webhook(port: u16) -> Self {
        Self { what: "the webhook endpoint", option: "--port-webhook", port }
    }

    /// The Lambda Invoke API on `port`.
    #[must_use]
    pub const fn invoke(port: u16) -> Self {
        Self { what: "the Lambda Invoke API", option: "--port-invoke", port }
    }

    /// The DynamoDB API on `port`.
    #[must_use]
    pub const fn dynamodb(port: u16) -> Self {
        Self { what: "the DynamoDB API", option: "--port-dynamodb", port }
    }

    /// The SQS API on `port`.
    #[must_use]
    pub const fn sqs(port: u16) -> Self {
        Self { what: "the SQS API", option: "--port-sqs", port }
    }

    /// The S3 API on `port`.
    #[must_use]
    pub const fn s3(port: u16) -> Self {
        Self { what: "the S3 API", option: "--port-s3", port }
    }

    /// The Xero simulator on `port`.
    #[must_use]
    pub const fn simulator(port: u16) -> Self {
        Self { what: "the Xero simulator", option: "--port-simulator", port }
    }

    /// Listens here, on the loopback address only: nothing of this is for a network.
    ///
    /// # Errors
    ///
    /// The port is in use (the message names the port, who wanted it and the option that changes
    /// it), or the machine refuses.
    pub async fn listen(self) -> anyhow::Result<(TcpListener, SocketAddr)> {
        let Self { what, option, port } = self;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
            if error.kind() == ErrorKind::AddrInUse {
                anyhow!(
                    "port {port} is in use, and {what} wants it. Stop the program that has it \
                         (another `cargo run`, perhaps), or choose another port with \
                         `{option} <PORT>` (0 takes a free one)."
                )
            } else {
                anyhow::Error::new(error).context(format!("{what} cannot listen on {port}"))
            }
        })?;
        let address = listener.local_addr().with_context(|| format!("{what} has no address"))?;
        Ok((listener, address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_names_the_port_who_wanted_it_and_the_option() {
        let (_holder, address) = Place::sqs(0).listen().await.expect("a free port");

        let error = Place::webhook(address.port()).listen().await.expect_err("the port is taken");

        let text = error.to_string();
        assert!(text.contains(&format!("port {} is in use", address.port())), "{text}");
        assert!(text.contains("the webhook endpoint wants it"), "{text}");
        assert!(text.contains("--port-webhook <PORT>"), "{text}");
    }

    #[tokio::test]
    async fn port_zero_takes_a_free_one() {
        let (_listener, address) = Place::invoke(0).listen().await.expect("a free port");

        assert_ne!(address.port(), 0);
        assert!(address.ip().is_loopback());
    }
}
