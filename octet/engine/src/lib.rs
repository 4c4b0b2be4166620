//! Evidence in, assessment out: where a browser session comes from
