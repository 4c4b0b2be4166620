//! What needs more than one package: real sockets, real browsers
