//! When the edge is to stop: the signals of an operator or a service manager.

use std::io;

use tokio_util::sync::CancellationToken;

/// A token that the first SIGTERM or Ctrl-C cancels; the second ends the process. Both are listened for when this
/// returns.
///
/// # Errors
///
/// When the system gives no thread, or lets no signal be listened for.
pub fn on_signal() -> io::Result<CancellationToken> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut signals = runtime.block_on(async { Signals::listen() })?;
    std::thread::Builder::new().name("octet-edge-stop".into()).spawn(move || {
        runtime.block_on(async {
            signals.next().await;
            told.cancel();
            signals.next().await;
            std::process::exit(1);
        });
    })?;
    Ok(stop)
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 2]);

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]))
    }

    async fn next(&mut self) {
        let [terminate, interrupt] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}
