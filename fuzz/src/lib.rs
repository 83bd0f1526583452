//! What every fuzz target of a document family does: read any bytes as a recipient could, redact what was found, and hold
//! the product to its promises.
//!
//! * It ends, within time and memory, without a panic.
//! * Without a number in it a file is not changed.
//! * What redaction gives is free of the numbers: by our own inspection, and by a search of bytes and packed layers that knows
//!   nothing of our readers ([`layers`]).
//!
//! The inputs begin with the files in `tests/data/documents`; [`mutate`] changes them also inside their packing.

pub mod check;
pub mod layers;
pub mod mutate;

pub use libfuzzer_sys;

/// The target of one family.
#[macro_export]
macro_rules! target {
    ($reading:expr) => {
        #[global_allocator]
        static MEMORY: $crate::check::Counter = $crate::check::Counter;
        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $crate::check::check($reading, bytes, &MEMORY));
        $crate::libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate::mutate(data, size, max_size, seed)
        });
    };
}
