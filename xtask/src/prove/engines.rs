//! Windows of other engines than the tests' Chromium, from Debian's packages, with no driver in between; and a load
//! balancer for TCP before the edge.

use std::process::Command;

use anyhow::Result;

use crate::test::{apt, browser, execute};

pub(super) fn run() -> Result<()> {
    let programs = [
        ("/usr/bin/firefox-esr", "firefox-esr"),
        ("/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser", "webkit2gtk-driver"),
        ("/usr/bin/xvfb-run", "xvfb"),
        ("/usr/sbin/haproxy", "haproxy"),
    ];
    browser()?;
    apt(&programs, "the engines")?;
    let test = ["test", "-p", "octet-tests", "--test", "edge_program", "--", "--ignored", "--nocapture"];
    execute(Command::new(env!("CARGO")).args(test))?;
    Ok(())
}
