//! The program `lectern`. Its whole command line is a part of the library, so that a program with handlers of its
//! own has it too.

use std::process::ExitCode;

use lectern::handlers::Registry;

fn main() -> ExitCode {
    lectern::cli::main(Registry::built_in())
}
