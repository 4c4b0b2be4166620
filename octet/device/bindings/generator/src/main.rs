//! UniFFI's own generator at the version that the bindings are built with.

fn main() {
    uniffi::uniffi_bindgen_main();
}
