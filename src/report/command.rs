//! The command that trains a run again.

use crate::model::preset;
use crate::run::Run;

/// The file beside a report that a model of one's own is written to.
pub const MODEL_FILE: &str = "model.json";

/// Whether the run's model is a preset, so that its name is enough.
pub fn is_preset(run: &Run) -> bool {
    let model = &run.config.model;
    preset(&model.name, run.data.classes.len() as u32).as_ref() == Some(model)
}

/// The command.
pub fn command(run: &Run) -> String {
    let options = run.config.options();
    // Whatever the model is called: its name need not be one for a file.
    let (name, rest) = options.split_at("--model ".len() + run.config.model.name.len());
    let mut command = if is_preset(run) {
        format!("mnist-gpu train {name}{rest}")
    } else {
        format!("mnist-gpu train --model {MODEL_FILE}{}", rest.trim_start_matches(".json"))
    };
    // Among adapters of one name the native ones come before OpenGL's.
    let device = &run.device;
    let device = if ["cpu", "gl"].contains(&device.backend.as_str()) { &device.backend } else { &device.name };
    for (option, value) in [("data-dir", &run.data_dir), ("init", &run.init), ("device", &Some(device.clone()))] {
        if let Some(value) = value {
            command.push_str(&format!(" --{option} {}", quoted(value)));
        }
    }
    command
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./,:=+@%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::tests::run;

    #[test]
    fn the_command_has_what_differs_from_the_models_defaults_and_where_it_ran() {
        let mut run = run("mlp", &[[2.3, 0.1], [0.5, 0.9]]);
        run.config.seed = 7;
        run.data_dir = Some("/data/my set".into());
        assert_eq!(
            command(&run),
            "mnist-gpu train --model mlp --epochs 1 --seed 7 --data-dir '/data/my set' --device cpu"
        );
        run.config.model.name = "a model; of mine".into();
        run.config.learning_rate = 0.5;
        (run.device.name, run.device.backend) = ("llvmpipe (LLVM 15)".into(), "vulkan".into());
        run.data_dir = None;
        run.init = Some("runs/0001-mlp".into());
        let start = "mnist-gpu train --model model.json --epochs 1 ";
        let found = command(&run);
        assert!(found.starts_with(start) && found.contains(" --learning-rate 0.5 "), "{found}");
        assert!(found.ends_with(" --init runs/0001-mlp --device 'llvmpipe (LLVM 15)'"), "{found}");
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(quoted("runs/0001-cnn"), "runs/0001-cnn");
        assert_eq!(quoted("llvmpipe (LLVM 15)"), "'llvmpipe (LLVM 15)'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
