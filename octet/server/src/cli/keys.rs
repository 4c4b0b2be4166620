//! `octet keys`: the keys that sign proofs, and the daily chain of what they signed. No secret is ever printed.

use clap::Subcommand;

use super::records::Database;
use super::{BoxError, EnvironmentName};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    database: Database,
    /// For real traffic or for tests
    #[arg(long, global = true, env = "OCTET_ENVIRONMENT", default_value = "live")]
    environment: EnvironmentName,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new key; it is published at once and signs in ten minutes, the keys before it stay published
    Rotate,
    /// Show the keys
    List,
    /// Print the public keys as a JWK set, as the service publishes it
    Export,
    /// Close the days that are over and print the chain, one line of JSON a day
    Chain,
}

pub(crate) async fn run(options: Options) -> Result<(), BoxError> {
    let environment = options.environment.into();
    let keys = options.database.open(false).await?.proof_keys();
    match options.command {
        Command::Rotate => {
            let key = keys.rotate(environment).await?;
            eprintln!(
                "It signs from {} until {}; its proofs count until {}.",
                key.signs_from, key.signs_until, key.public.exp
            );
            println!("{}", key.public.kid);
        }
        Command::List => {
            println!("{:<24} {:<5} {:<22} {:<22} counts until", "key", "env", "signs from", "signs until");
            for key in keys.list().await? {
                let name = format!("{:?}", key.environment).to_lowercase();
                let (kid, exp) = (&key.public.kid, key.public.exp);
                println!(
                    "{kid:<24} {name:<5} {:<22} {:<22} {exp}",
                    key.signs_from.to_string(),
                    key.signs_until.to_string()
                );
            }
        }
        Command::Export => println!("{}", serde_json::to_string_pretty(&keys.key_set(environment).await?.to_json())?),
        Command::Chain => keys.chain().await?.iter().for_each(|line| println!("{line}")),
    }
    Ok(())
}
