//! What a content delivery network in front of the edge says of the browser's connection, in headers that the operator
//! named. Asked only where a trusted peer forwards; interprets nothing.

use octet::fact::Text;
use octet::handshake::CdnObservation;

use crate::Observation;

/// The longest round trip that a network can mean, in milliseconds.
const MAX_RTT_MS: f64 = 60_000.0;

/// Which headers say what.
#[derive(Debug, Clone, Default)]
pub(crate) struct CdnHeaders {
    rtt: Option<Box<str>>,
    ja4: Option<Box<str>>,
}

impl CdnHeaders {
    /// Headers by their lower-case names.
    pub(crate) fn new(rtt: Option<String>, ja4: Option<String>) -> Self {
        Self { rtt: rtt.map(Into::into), ja4: ja4.map(Into::into) }
    }

    /// What they say; `None` where they say nothing that can be read.
    pub(crate) fn observe(&self, seen: &Observation<'_>) -> Option<CdnObservation> {
        // The last one: a proxy adds its own behind what it was sent.
        let value = |name: &Option<Box<str>>| {
            let last = seen.values(name.as_deref()?).next_back()?;
            std::str::from_utf8(last).ok().map(str::trim)
        };
        let rtt_us = value(&self.rtt).and_then(microseconds);
        let ja4 = value(&self.ja4).filter(|text| is_ja4(text)).and_then(|text| Text::try_from(text).ok());
        (rtt_us.is_some() || ja4.is_some()).then_some(CdnObservation { rtt_us, ja4 })
    }
}

/// Milliseconds, whole or not, as microseconds.
fn microseconds(text: &str) -> Option<u32> {
    let ms = text.parse::<f64>().ok().filter(|ms| (0.0..=MAX_RTT_MS).contains(ms))?;
    // Within the bound, so exact enough and never too large.
    Some((ms * 1000.0) as u32).filter(|us| *us > 0)
}

/// Ten characters, twelve and twelve, joined by underscores.
fn is_ja4(text: &str) -> bool {
    text.split('_').map(str::len).eq([10, 12, 12])
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_network_says_is_read_where_it_can_be() {
        let cdn = CdnHeaders::new(Some("x-rtt".into()), Some("x-ja4".into()));
        let says = |headers: &[(&'static str, &'static str)]| {
            let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            cdn.observe(&Observation { headers, ..Default::default() })
        };
        let ja4 = "t13d1516h2_8daaf6152771_d8a2da3f94cd";
        let both = says(&[("x-rtt", "6"), ("x-rtt", " 21.5"), ("x-ja4", ja4)]).unwrap();
        assert_eq!((both.rtt_us, both.ja4.unwrap().as_str()), (Some(21_500), ja4));
        for bad in ["", "0", "-1", "NaN", "inf", "1e9", "21ms"] {
            assert_eq!(says(&[("x-rtt", bad)]), None, "{bad}");
        }
        assert_eq!(says(&[("x-ja4", "t13d1516h2_8daaf6152771")]), None);
        assert_eq!(says(&[("x-other", "5")]), None);
        assert_eq!(CdnHeaders::default().observe(&Observation::default()), None);
    }
}
