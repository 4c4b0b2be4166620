//! What runs in the visitor's browser: reads the facts of `octet::facts::FACTS` and encodes them. Knows how each fact
//! is read, and nothing of what any of them means; it may hold no rule, no threshold and no key.
//!
//! One declared table ([`table::TABLE`]) says where each fact comes from. This crate reads by it in WebAssembly, and
//! `cargo xtask collector` makes the plain-script reader of it ([`script::readers`]), for pages whose policy forbids
//! WebAssembly and for workers. The loader around both is hand-written, in `js/`.

mod encode;
mod reader;
pub mod script;
pub mod table;

use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

/// Reads the facts of one context and gives them as JSON, in the shape of `octet::facts::Facts`.
///
/// `root` is the context's global object, `prepared` holds what came by promise before (an object per name; `null`
/// where the browser has none; a text for the word why not), and `rank` is the profile: 0, 1 or 2.
#[wasm_bindgen]
#[must_use]
pub fn facts(root: &JsValue, prepared: &JsValue, rank: u8, core_only: bool) -> String {
    reader::Reader::new(root, prepared).facts(rank, core_only)
}
