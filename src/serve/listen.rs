//! From a listening socket to connections, until it is time to stop.

use super::app::App;
use super::connection::serve;
use super::metrics::Held;
use crate::{Error, Result};
use std::net::{TcpListener, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;
use tokio::select;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

/// How often to look whether to stop.
const LOOK: Duration = Duration::from_millis(50);
/// How long to wait where a connection cannot be taken, for lack of file descriptors above all.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections beyond the limit that are told so at a time; others are closed.
const TURNED_AWAY: usize = 32;
/// Threads that prepare pictures, of which a large one takes some hundred megabytes.
const PREPARING: usize = 4;

/// Takes an address; port 0 is any that is free.
///
/// # Errors
/// [`Error::Io`], when there is no such address here or it is taken.
pub fn bind(host: &str, port: u16) -> Result<TcpListener> {
    let name = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let addresses = (host, port).to_socket_addrs().map_err(Error::io("listen", &name))?.collect::<Vec<_>>();
    TcpListener::bind(&addresses[..]).map_err(Error::io("listen", name))
}

/// Answers requests until `stop` says so, and then those that are under way.
pub fn run(listener: TcpListener, app: Arc<App>, stop: impl Fn() -> bool) -> Result<()> {
    let failed = || Error::io("serve", "the connections");
    listener.set_nonblocking(true).map_err(failed())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(available_parallelism().map_or(1, NonZeroUsize::get).min(PREPARING))
        .build()
        .map_err(failed())?;
    let listened = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed())?;
        listen(listener, app, stop).await;
        Ok(())
    });
    // A picture that is still being read is of a client that has gone.
    runtime.shutdown_background();
    listened
}

async fn listen(listener: tokio::net::TcpListener, app: Arc<App>, stop: impl Fn() -> bool) {
    let limits = app.limits;
    let (stopping, stopped) = watch::channel(());
    let [places, standing] = [limits.connections, TURNED_AWAY].map(|count| Arc::new(Semaphore::new(count)));
    let mut connections = JoinSet::new();
    let mut look = interval(LOOK);
    loop {
        select! {
            _ = look.tick() => if stop() { break },
            Some(ended) = connections.join_next() => {
                if let Err(panic) = ended {
                    log::error!("a connection ended in a panic: {panic}");
                }
            }
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let place = Arc::clone(&places).try_acquire_owned();
                    let full = place.is_err();
                    if let Ok(place) = place.or_else(|_| Arc::clone(&standing).try_acquire_owned()) {
                        let (app, stopped) = (Arc::clone(&app), stopped.clone());
                        connections.spawn(async move {
                            let _held = (place, Held::new(&app.metrics.connections));
                            serve(stream, app, full, stopped).await;
                        });
                    }
                }
                Err(error) => {
                    log::error!("a connection cannot be taken: {error}");
                    app.metrics.broken();
                    sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    // Each has its own times in which to read a head, a body and an answer; a client that is slower than all three is left.
    stopping.send_replace(());
    let _ = timeout(3 * limits.timeout, async { while connections.join_next().await.is_some() {} }).await;
}
