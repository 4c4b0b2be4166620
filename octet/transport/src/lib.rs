//! How an edge or a backend reaches Octet.
