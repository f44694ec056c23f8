//! Connections that can be cut in the middle of anything.
//!
//! axum has no way to close a connection without an answer, so the socket itself is wrapped: once
//! cut, it refuses to write, and the server drops it.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// A listener whose connections can be cut, one at a time or all together.
#[derive(Debug)]
pub(crate) struct CuttableListener {
    listener: TcpListener,
    stopped: Arc<AtomicBool>,
}

impl CuttableListener {
    pub(crate) fn new(listener: TcpListener) -> Self {
        Self { listener, stopped: Arc::default() }
    }

    /// Cuts every connection when it is dropped: a server that was stopped must not go on talking.
    pub(crate) fn stop_guard(&self) -> StopGuard {
        StopGuard(Arc::clone(&self.stopped))
    }
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Small answers and no pipelining: waiting to fill a packet would only cost time.
        let _ = stream.set_nodelay(true);
        let scissors = Scissors {
            left: Arc::new(AtomicUsize::new(usize::MAX)),
            stopped: Arc::clone(&self.stopped),
        };
        (CuttableStream { stream, scissors }, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// See [`CuttableListener::stop_guard`].
#[derive(Debug)]
pub(crate) struct StopGuard(Arc<AtomicBool>);

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Cuts the connection that a call came in on.
#[derive(Clone, Debug)]
pub(crate) struct Scissors {
    /// Bytes that may still be written.
    left: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
}

impl Scissors {
    /// Lets `bytes` more through and cuts then.
    pub(crate) fn cut_after(&self, bytes: usize) {
        self.left.store(bytes, Ordering::Release);
    }

    fn left(&self) -> usize {
        if self.stopped.load(Ordering::Acquire) {
            return 0;
        }
        self.left.load(Ordering::Acquire)
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Scissors {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().scissors.clone()
    }
}

/// A socket with scissors at it.
#[derive(Debug)]
pub(crate) struct CuttableStream {
    stream: TcpStream,
    scissors: Scissors,
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = self.scissors.left();
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let allowed = &bytes[..bytes.len().min(left)];
        let written = Pin::new(&mut self.stream).poll_write(context, allowed);
        if let Poll::Ready(Ok(count)) = written
            && left != usize::MAX
        {
            self.scissors.left.store(left - count, Ordering::Release);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
