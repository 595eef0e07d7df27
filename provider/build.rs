//! How the provider's program is linked where `make bench` measures it: on Linux with glibc, for a release.

use std::env::var;
use std::io::{self, Write};
use std::process::Command;

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "cargo::rerun-if-changed=build.rs")?;
    let here = |name: &str, value: &str| var(name).is_ok_and(|found| found == value);
    if !here("CARGO_CFG_TARGET_OS", "linux") || !here("CARGO_CFG_TARGET_ENV", "gnu") || !here("PROFILE", "release") {
        return Ok(());
    }
    // At a fixed address, as Go links Terraform itself and other providers: otherwise the loader reads and changes 2.5 MB of addresses at every start.
    writeln!(out, "cargo::rustc-link-arg-bins=-no-pie")?;
    // Sections in the order of their names, which GNU's linker does: what is used together lies together, and 1 MB less of the program is ever read.
    if var("HOST").ok() == var("TARGET").ok() && has_gnu_linker() {
        writeln!(out, "cargo::rustc-link-arg-bins=-fuse-ld=bfd")?;
        writeln!(out, "cargo::rustc-link-arg-bins=-Wl,--sort-section=name")?;
    }
    Ok(())
}

fn has_gnu_linker() -> bool {
    let compiler = var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    Command::new(compiler).args(["-fuse-ld=bfd", "-Wl,--version"]).output().is_ok_and(|answer| answer.status.success())
}
