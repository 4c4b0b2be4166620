//! The edge without a web framework: relay, latency channel, observations
