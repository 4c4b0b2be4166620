//! What the embedded reference data costs: `cargo run --release -p octet-engine --example world` prints how long it
//! takes to unpack, what it holds, and how long one look-up of an address takes.

use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Instant;

use octet_engine::World;

fn main() {
    let start = Instant::now();
    let world = World::embedded();
    println!("unpacked in {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    println!("{:.1} MB on the heap", world.heap_bytes() as f64 / 1e6);
    println!(
        "{} countries, {} cities, {} zones, {} languages",
        world.borders().len(),
        world.cities().len(),
        world.zones().len(),
        world.languages().len()
    );
    // Addresses from a linear congruential generator: all over the space, the same in every run.
    let mut state = 1_u32;
    let start = Instant::now();
    for _ in 0..LOOK_UPS {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        black_box(world.address(Ipv4Addr::from(state).into()));
    }
    println!("{:.2} us for all facts of one address", start.elapsed().as_secs_f64() * 1e6 / f64::from(LOOK_UPS));
}

const LOOK_UPS: u32 = 1_000_000;
