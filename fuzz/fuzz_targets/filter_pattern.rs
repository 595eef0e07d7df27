#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trailwire_fuzz::filter_pattern::check(bytes));
