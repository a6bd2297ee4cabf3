#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mio::fuzzing::run(env!("CARGO_BIN_NAME"), bytes));
