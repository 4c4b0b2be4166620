//! The example runs, and stands while Octet is out of reach.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../runs.rs"]
mod runs;

#[test]
fn the_shop_serves_its_pages_and_takes_orders_while_octet_is_out_of_reach() {
    runs::visit(env!("CARGO_BIN_EXE_warp-shop"));
}
