//! The program `lectern`. Its whole command line is a part of the library, so that a program with handlers of its
//! own has it too.

use std::process::ExitCode;

use lectern::handlers::Registry;
use mimalloc::MiMalloc;

/// An event is some hundred small pieces of memory, made on one thread and given back on another: a quarter of the
/// processor's time went into that with the system's allocator (docs/performance.md).
#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    lectern::cli::main(Registry::built_in())
}
