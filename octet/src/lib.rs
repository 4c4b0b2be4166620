//! The contract of Octet: the types that browsers, edges, backends and the service exchange
