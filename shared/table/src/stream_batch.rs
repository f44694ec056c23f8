//! A batch of a DynamoDB stream as Lambda hands it over, and the answer to it. Only what is needed of it.

use crate::stream::Image;
use serde::{Deserialize, Serialize};

/// A batch of the stream.
#[derive(Debug, Deserialize)]
pub struct StreamEvent {
    /// The changes of rows, in the order of the stream.
    #[serde(rename = "Records")]
    pub records: Vec<Record>,
}

/// One change of a row.
#[derive(Debug, Deserialize)]
pub struct Record {
    /// `INSERT`, `MODIFY` or `REMOVE`.
    #[serde(default, rename = "eventName")]
    name: String,
    #[serde(default)]
    dynamodb: Change,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    #[serde(default)]
    sequence_number: String,
    #[serde(default)]
    new_image: Image,
}

impl Record {
    /// Whether a row was added. The log is only ever added to; any other change is no decision.
    pub fn is_new(&self) -> bool {
        self.name == "INSERT"
    }

    /// The row.
    pub fn image(&self) -> &Image {
        &self.dynamodb.new_image
    }

    /// Its place in the stream.
    pub fn sequence_number(&self) -> &str {
        &self.dynamodb.sequence_number
    }
}

/// From where on the stream is to come again; from nowhere, if the list is empty.
#[derive(Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl BatchAnswer {
    /// Everything before this place is done. One is enough: Lambda goes on from the lowest that is named.
    pub fn from(sequence_number: &str) -> Self {
        let failure = Failure { item_identifier: sequence_number.to_owned() };
        Self { batch_item_failures: vec![failure] }
    }
}

/// A record without a place in the stream. Lambda always gives one, so the caller is not Lambda. Lambda
/// takes an empty name for "all failed", and an answer without one for "all done", so nothing is announced.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("record {position} of {records} has no sequence number, so all of them are to come again")]
pub struct Unnamed {
    /// Which record, from 0.
    pub position: usize,
    /// How many records there were.
    pub records: usize,
}
