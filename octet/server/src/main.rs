//! The binary `octet`: a shell around the library. Knows flags, files and signals.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
