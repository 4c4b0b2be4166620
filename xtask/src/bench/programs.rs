//! The programs that are measured: built, started on a core of their own, and ended. Knows no figure.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// Builds with cargo, optimised, and finds the program called `name`.
pub(super) fn build(arguments: &[&str], name: &str) -> Result<PathBuf> {
    println!("building {name}: cargo {}", arguments.join(" "));
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--quiet", "--message-format=json"])
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "cargo {} failed", arguments.join(" "));
    let messages = std::str::from_utf8(&output.stdout)?.lines().filter_map(|line| serde_json::from_str(line).ok());
    let programs = messages.filter(|message: &Value| message["target"]["name"] == name);
    let mut paths = programs.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    paths.next_back().with_context(|| format!("cargo built no program called {name}"))
}

/// Says which of the tools from Debian's packages is missing.
pub(super) fn require(tools: &[&str]) -> Result<()> {
    let folders = ["/usr/bin", "/usr/sbin", "/bin", "/usr/local/bin"];
    let missing = |tool: &&&str| !folders.iter().any(|folder| Path::new(folder).join(tool).exists());
    let missing: Vec<_> = tools.iter().filter(missing).copied().collect();
    if missing.is_empty() { Ok(()) } else { bail!("not installed: {}; apt-get install them", missing.join(", ")) }
}

/// A free port on loopback.
pub(super) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A server on the first core, which ends with this value.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) addr: SocketAddr,
    child: Child,
}

impl Server {
    /// Starts `program` on core `core`, and waits until it listens at `addr`.
    pub(super) fn start(core: &str, addr: SocketAddr, program: &Path, arguments: &[&str]) -> Result<Self> {
        let child = Command::new("taskset")
            .args(["-c", core])
            .arg(program)
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut server = Self { addr, child };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(addr).is_err() {
            ensure!(Instant::now() < deadline, "{} does not listen at {addr}", program.display());
            ensure!(server.child.try_wait()?.is_none(), "{} has ended", program.display());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// The processor time that it and its children have used, in seconds.
    pub(super) fn processor_seconds(&self) -> Result<f64> {
        let own = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children")).unwrap_or_default();
        let all = children.split_whitespace().map(str::to_owned).chain([own.to_string()]);
        let mut nanoseconds = 0.0;
        for process in all {
            for thread in std::fs::read_dir(format!("/proc/{process}/task"))? {
                // The scheduler's own count; that of /proc/PID/stat moves in steps of a hundredth of a second.
                let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
                let time = text.split_whitespace().next().and_then(|time| time.parse::<f64>().ok());
                nanoseconds += time.context("an unknown form of /proc/PID/task/TID/schedstat")?;
            }
        }
        Ok(nanoseconds / 1e9)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGTERM: nginx's master ends its workers with it.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}
