//! The work of a challenge in the visitor's browser: one attempt after the other at a number whose Argon2id begins as
//! asked. Runs in a worker, as a WebAssembly module that is loaded when a challenge is shown; knows no session and no key.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use wasm_bindgen::prelude::wasm_bindgen;

/// The most memory that a challenge may ask of a visitor's device, in KiB.
const MOST_MEMORY_KIB: u32 = 16 * 1024;
const MOST_ITERATIONS: u32 = 16;
const PROOF_LEN: usize = 32;

/// A challenge's work, with the memory that its attempts share.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Work {
    argon2: Argon2<'static>,
    memory: Vec<Block>,
    salt: Vec<u8>,
    target: Vec<u8>,
}

#[wasm_bindgen]
impl Work {
    /// The work with these parameters; nothing where they are out of bounds.
    #[wasm_bindgen(js_name = of)]
    #[must_use]
    pub fn new(memory_kib: u32, iterations: u32, salt: Vec<u8>, target: Vec<u8>) -> Option<Self> {
        if memory_kib > MOST_MEMORY_KIB || iterations > MOST_ITERATIONS || target.len() > PROOF_LEN {
            return None;
        }
        let params = Params::new(memory_kib, iterations, 1, Some(PROOF_LEN)).ok()?;
        let memory = vec![Block::default(); params.block_count()];
        Some(Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params), memory, salt, target })
    }

    /// All derived bytes of this number, when they begin as asked.
    #[must_use]
    pub fn attempt(&mut self, number: u32) -> Option<Vec<u8>> {
        let mut proof = [0; PROOF_LEN];
        let number = number.to_string();
        self.argon2.hash_password_into_with_memory(number.as_bytes(), &self.salt, &mut proof, &mut self.memory).ok()?;
        proof.starts_with(&self.target).then(|| proof.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference implementation: `printf 7 | argon2 saltsaltsaltsalt -id -k 64 -t 2 -p 1 -l 32 -r`.
    const SEVENTH: &str = "77385e26033e82b965a2cdaa7c444bc02bc4f198620a308f64c410f26aa56dd2";

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn an_attempt_is_argon2id_of_the_number_in_decimal_digits() {
        let mut work = Work::new(64, 2, b"saltsaltsaltsalt".to_vec(), Vec::new()).unwrap();
        assert_eq!(hex(&work.attempt(7).unwrap()), SEVENTH);
        assert_eq!(hex(&work.attempt(7).unwrap()), SEVENTH, "memory that was used before makes no difference");
    }

    #[test]
    fn only_a_number_whose_bytes_begin_as_asked_is_a_solution() {
        let first = Work::new(64, 2, vec![1; 16], Vec::new()).and_then(|mut work| work.attempt(3)).unwrap();
        let mut work = Work::new(64, 2, vec![1; 16], first[..4].to_vec()).unwrap();
        let solved: Vec<u32> = (0..16).filter(|number| work.attempt(*number).is_some()).collect();
        assert_eq!(solved, [3]);
    }

    #[test]
    fn work_out_of_bounds_is_not_begun() {
        for (memory_kib, iterations) in [(16 * 1024 + 1, 1), (64, 17), (64, 0), (7, 1)] {
            assert!(Work::new(memory_kib, iterations, vec![1; 16], vec![0; 4]).is_none(), "{memory_kib} {iterations}");
        }
        assert!(Work::new(64, 1, vec![1; 16], vec![0; 33]).is_none());
    }
}
