//! The built collector, as bytes
