//! A screen and the hands of people before it: an X server without a display, and input as hands make it, by xdotool.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::members::Hand;

/// An X server; ended with this.
pub(super) struct Screen {
    _server: Child,
    pub(super) display: String,
}

impl Screen {
    pub(super) async fn start(server: &str) -> Result<Self, String> {
        let mut words = server.split_whitespace();
        let mut server = Command::new(words.next().unwrap_or_default())
            .args(["-displayfd", "1"])
            .args(words)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("the X server cannot be started: {error}"))?;
        let output = server.stdout.take().ok_or("the X server has no output")?;
        let number = BufReader::new(output).lines().next_line().await.ok().flatten();
        let number = number.ok_or("the X server ended before it said which display it is")?;
        Ok(Self { _server: server, display: format!(":{}", number.trim()) })
    }

    /// Puts the pointer where a visit begins: away from everything, or over the button already.
    pub(super) async fn prepare(&self, hand: Hand) {
        let place = if hand == Hand::Switch { ["560", "420"] } else { ["1100", "840"] };
        self.xdotool(&[&["mousemove"], &place[..]].concat().iter().map(ToString::to_string).collect::<Vec<_>>()).await;
    }

    /// One round of what `hand` does.
    pub(super) async fn act(&self, hand: Hand, round: u32) {
        match hand {
            Hand::Nothing => tokio::time::sleep(std::time::Duration::from_millis(300)).await,
            Hand::Zooming if round < 3 => self.xdotool(&words("key ctrl+equal sleep 0.1")).await,
            Hand::Developing if round == 1 => self.press("key F12").await,
            Hand::Mouse | Hand::Zooming | Hand::Developing => self.xdotool(&way(round)).await,
            Hand::Typing => {
                self.xdotool(&way(round)).await;
                self.xdotool(&words("key Tab sleep 0.2 type --delay 95 octet")).await;
            }
            Hand::Keyboard => self.xdotool(&words("sleep 0.3 key Tab sleep 0.21 key Tab sleep 0.34 key Tab sleep 0.17 key o sleep 0.14 key c sleep 0.23 key t")).await,
            Hand::Switch => self.xdotool(&words("sleep 0.6 mousedown 1 sleep 0.05 mouseup 1 sleep 0.4")).await,
        }
    }

    /// Presses keys, as xdotool names them.
    pub(super) async fn press(&self, keys: &str) {
        self.xdotool(&words(keys)).await;
    }

    async fn xdotool(&self, arguments: &[String]) {
        // What cannot be moved shows in the visit.
        let _ =
            Command::new("xdotool").args(arguments).env("DISPLAY", &self.display).stderr(Stdio::null()).status().await;
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// A hand's way to the button and its click, from another side each round: an arc, slow at both ends, that trembles.
fn way(round: u32) -> Vec<String> {
    const STEPS: u32 = 28;
    let start = [(1100.0, 840.0), (240.0, 700.0), (900.0, 260.0), (330.0, 300.0)][(round % 4) as usize];
    let end = (520.0 + f64::from(round % 7) * 17.0, 380.0 + f64::from(round % 5) * 19.0);
    let mut words = Vec::new();
    for step in 0..=STEPS {
        let along = f64::from(step) / f64::from(STEPS);
        let eased = along * along * (3.0 - 2.0 * along);
        let bow = (along * std::f64::consts::PI).sin() * 40.0;
        let tremble = f64::from((step * 7919 + round * 104_729) % 5) - 2.0;
        let x = start.0 + (end.0 - start.0) * eased + bow * 0.4 + tremble;
        let y = start.1 + (end.1 - start.1) * eased + bow - tremble;
        let pause = 0.010 + f64::from((step * 31 + round * 17) % 9) / 1000.0;
        words.extend([
            "mousemove".to_owned(),
            format!("{x:.0}"),
            format!("{y:.0}"),
            "sleep".to_owned(),
            format!("{pause:.3}"),
        ]);
    }
    words.extend("sleep 0.12 mousedown 1 sleep 0.09 mouseup 1 sleep 0.2".split(' ').map(str::to_owned));
    words
}
