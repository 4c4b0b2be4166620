//! The Octet service, as a library and as the binary octet
