//! `mnist-gpu completions`: completions for shells, and the manual page.

use super::output::line;
use super::{Cli, Ending};
use crate::{Error, Result};
use clap::CommandFactory;
use clap_complete::Shell;

/// Print completions for a shell, or the manual page
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  mnist-gpu completions bash > \\
      ~/.local/share/bash-completion/completions/mnist-gpu
  mnist-gpu completions zsh > ~/.zfunc/_mnist-gpu
  mnist-gpu completions fish > ~/.config/fish/completions/mnist-gpu.fish
  mnist-gpu completions man | man -l -")]
pub struct Args {
    /// What to print
    #[arg(value_enum)]
    what: What,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum What {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
    /// The manual page, all commands in one
    Man,
}

pub(super) fn run(args: &Args) -> Result<Ending> {
    let mut command = Cli::command();
    command.build();
    let mut text = Vec::new();
    let shell = match args.what {
        What::Bash => Shell::Bash,
        What::Elvish => Shell::Elvish,
        What::Fish => Shell::Fish,
        What::Powershell => Shell::PowerShell,
        What::Zsh => Shell::Zsh,
        What::Man => {
            manual(&command, &mut text).map_err(Error::io("write", "the manual page"))?;
            line(String::from_utf8_lossy(&text).trim_end())?;
            return Ok(Ending::Success);
        }
    };
    clap_complete::generate(shell, &mut command, "mnist-gpu", &mut text);
    line(String::from_utf8_lossy(&text).trim_end())?;
    Ok(Ending::Success)
}

/// The page of the program, with the options of each command behind its own.
fn manual(command: &clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(text)?;
    commands(command, text)
}

/// The sections of all commands below one.
fn commands(command: &clap::Command, text: &mut Vec<u8>) -> std::io::Result<()> {
    for command in command.get_subcommands().filter(|command| command.get_name() != "help") {
        let man = clap_mangen::Man::new(command.clone());
        man.render_name_section(text)?;
        man.render_synopsis_section(text)?;
        man.render_description_section(text)?;
        man.render_options_section(text)?;
        man.render_extra_section(text)?;
        commands(command, text)?;
    }
    Ok(())
}
