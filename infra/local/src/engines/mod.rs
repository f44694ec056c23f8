//! The engines that stand in for AWS: DynamoDB, SQS and S3.
//!
//! They run on a runtime of their own, so that ending it ends everything of theirs at once.

mod dynamodb;
mod journal;
pub mod queues;
pub(crate) mod s3;
mod sqs;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;

use crate::{
    isolated_runtime::Half,
    ports::{Place, Ports},
};

/// What the engines are started with.
#[derive(Clone, Debug)]
pub struct Engines {
    /// Where the data is kept; in memory when there is no directory.
    pub data: Option<PathBuf>,
    /// Which of the engines are ours: an engine that lives elsewhere is not started.
    pub dynamodb: bool,
    /// The same for SQS.
    pub sqs: bool,
    /// The same for S3.
    pub s3: bool,
    /// Where they listen.
    pub ports: Ports,
    /// Visibility timeout of the queues.
    pub visibility: Duration,
}

/// Engines that are running.
#[derive(Debug)]
pub struct RunningEngines {
    half: Half,
    /// Where the DynamoDB engine listens.
    pub dynamodb: Option<SocketAddr>,
    /// Where the SQS engine listens.
    pub sqs: Option<SocketAddr>,
    /// Where the S3 engine listens.
    pub s3: Option<SocketAddr>,
    /// Its folder.
    _folder: Option<s3::Folder>,
    /// Whether there were tables from an earlier run.
    pub found_tables: bool,
    /// How many messages of an earlier run were sent again.
    pub found_messages: usize,
}

impl Engines {
    /// Starts them; when this returns, both answer.
    ///
    /// # Errors
    ///
    /// A port is in use, or the data cannot be read or written.
    pub async fn start(self) -> anyhow::Result<RunningEngines> {
        if let Some(data) = &self.data {
            std::fs::create_dir_all(data)
                .with_context(|| format!("cannot make the directory {}", data.display()))?;
        }
        let half = Half::new("engines")?;
        let data = self.data.clone();
        let started = half.run(async move { self.serve(data.as_deref()).await }).await?;
        Ok(RunningEngines {
            half,
            dynamodb: started.dynamodb,
            sqs: started.sqs,
            s3: started.s3,
            _folder: started.folder,
            found_tables: started.found_tables,
            found_messages: started.found_messages,
        })
    }

    async fn serve(self, data: Option<&Path>) -> anyhow::Result<Started> {
        let mut started = Started::default();
        if self.dynamodb {
            let (listener, address) = Place::dynamodb(self.ports.dynamodb).listen().await?;
            let (database, found) = dynamodb::open(data)?;
            tokio::spawn(dynamodb::serve(listener, database, address));
            started.dynamodb = Some(address);
            started.found_tables = found;
        }
        if self.sqs {
            let (listener, address) = Place::sqs(self.ports.sqs).listen().await?;
            let (engine, found) = sqs::Sqs::open(data, address, self.visibility).await?;
            tokio::spawn(engine.serve(listener));
            started.sqs = Some(address);
            started.found_messages = found;
        }
        if self.s3 {
            let (listener, address) = Place::s3(self.ports.s3).listen().await?;
            let folder = s3::Folder::open(data)?;
            folder.serve(listener)?;
            started.s3 = Some(address);
            started.folder = Some(folder);
        }
        Ok(started)
    }
}

#[derive(Debug, Default)]
struct Started {
    dynamodb: Option<SocketAddr>,
    sqs: Option<SocketAddr>,
    s3: Option<SocketAddr>,
    folder: Option<s3::Folder>,
    found_tables: bool,
    found_messages: usize,
}

impl RunningEngines {
    /// Ends them. Nothing needs to be saved: tables and messages are on disk already.
    pub async fn stop(self) {
        self.half.end().await;
    }
}
