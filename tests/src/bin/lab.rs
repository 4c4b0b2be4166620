//! `cargo xtask prove lab` runs this: the scenarios of the network lab, or why they are skipped. Knows none of them.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    match octet_tests::lab::scenarios::run(std::env::args().nth(1).as_deref()) {
        Ok(failed) if failed.is_empty() => ExitCode::SUCCESS,
        Ok(failed) => {
            println!("failed: {}", failed.join("; "));
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("skipped: the network lab needs root, /dev/net/tun and ip (iproute2): {error}");
            ExitCode::SUCCESS
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("skipped: the network lab needs Linux");
    ExitCode::SUCCESS
}
