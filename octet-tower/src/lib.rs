//! The edge as a tower layer
