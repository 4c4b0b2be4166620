//! A network of its own: hosts in network namespaces, joined by TUN devices, whose packets a forwarder in this process
//! delays. What the kernel and a browser measure here is what they would measure over a real distance.
//!
//! Needs root and `/dev/net/tun`. Touches no interface but those of namespaces that it made; they have no name, and go
//! with the process, however it ends.

pub mod network;
pub mod partner;
pub mod proxy;
pub mod scenarios;
