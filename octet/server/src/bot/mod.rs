//! Bot verdicts on the service's side. Knows apps and what came; how a score comes about is the engine's business.

#[allow(dead_code, reason = "the routes that read it follow")]
pub(crate) mod evidence;
