//! What an edge tells Octet of a page that it served: that there was one, and how the connection looked. Whether its
//! collector ever reports is the service's to see.

use serde::{Deserialize, Serialize};

use crate::fact::Text;
use crate::observations::EdgeObservations;
use crate::{AppKey, SessionRef};

/// The body of `POST /v1/pages` from an edge to Octet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageServed {
    /// The session that the page was given.
    pub session_ref: SessionRef,
    /// The app that the page belongs to, where its edge knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_key: Option<AppKey>,
    /// The host that the page was asked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Text>,
    /// `Sec-Purpose`, with which browsers say that nobody looks at the page yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Text>,
    /// What the edge saw of the page's own request.
    pub observations: EdgeObservations,
}
