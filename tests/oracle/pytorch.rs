//! Whole training steps, held against PyTorch.
//!
//! `pytorch.py` says what the fixtures hold. The oracle agrees with them here; the library is held against them with
//! [`check_gradients`] and [`check_training`].

pub mod compare;
pub mod fixture;
mod library;
pub mod tolerance;

use crate::reference::{linear, network::Network, optimizer, random};
use compare::compare;
use fixture::Fixture;
use std::collections::BTreeMap;

/// The models that have a fixture.
pub const MODELS: [&str; 5] = ["linear", "mlp", "cnn", "lenet", "convnet"];

/// Images of a step.
pub const BATCH: usize = 64;

/// Steps of a training run, in the order of epoch 0 of the 60,000 images.
pub const STEPS: usize = 10;

/// The optimizers that a model was trained with: `sgd` (learning rate 0.05, momentum 0.9), `adamw` (learning rate
/// 0.001, β 0.9 and 0.999, ε 10⁻⁸, weight decay 0.01), `sgd_nesterov` (as `sgd`, weight decay 10⁻⁴) and `adam` (as
/// `adamw`, weight decay 10⁻⁴, coupled).
pub fn optimizers(model: &str) -> &'static [&'static str] {
    if model == "linear" { &["sgd", "adamw", "sgd_nesterov", "adam"] } else { &["sgd", "adamw"] }
}

/// The seed of a model's initial weights, order and masks.
pub fn seed(model: &str) -> u32 {
    Fixture::open(model).u32("seed")[0]
}

/// Holds the mean loss of step 1 and its gradients, by the names of their parameters (`fc1.weight`), against PyTorch's.
///
/// # Errors
/// What is missing, or differs, and how.
pub fn check_gradients(model: &str, loss: f32, gradients: &BTreeMap<String, Vec<f32>>) -> Result<(), String> {
    let fixture = Fixture::open(model);
    let first = compare("loss", &[loss], &fixture.expected("loss"), tolerance::LOSS);
    let rest = by_name(&fixture, "gradient.", gradients, tolerance::GRADIENT);
    prefixed(&format!("{model}, step 1"), first.and(rest))
}

/// Holds the mean losses of ten steps and the parameters after them against PyTorch's.
///
/// # Errors
/// What is missing, or differs, and how.
pub fn check_training(
    model: &str,
    optimizer: &str,
    losses: &[f32],
    parameters: &BTreeMap<String, Vec<f32>>,
) -> Result<(), String> {
    let fixture = Fixture::open(model);
    let key = format!("{optimizer}.losses");
    let first = compare(&key, losses, &fixture.expected(&key), tolerance::LOSS);
    let prefix = format!("{optimizer}.parameter.");
    let rest = by_name(&fixture, &prefix, parameters, tolerance::parameters(model, optimizer));
    prefixed(&format!("{model}, {optimizer}"), first.and(rest))
}

fn by_name(
    fixture: &Fixture,
    prefix: &str,
    ours: &BTreeMap<String, Vec<f32>>,
    tolerance: compare::Tolerance,
) -> Result<(), String> {
    let names: Vec<String> =
        fixture.names().iter().filter_map(|name| Some(name.strip_prefix(prefix)?.to_string())).collect();
    if !names.iter().eq(ours.keys()) {
        return Err(format!("{prefix}: ours {:?}, PyTorch {names:?}", ours.keys().collect::<Vec<_>>()));
    }
    names.iter().try_for_each(|name| {
        let key = format!("{prefix}{name}");
        compare(&key, &ours[name], &fixture.expected(&key), tolerance)
    })
}

fn prefixed(what: &str, result: Result<(), String>) -> Result<(), String> {
    result.map_err(|error| format!("{what}: {error}"))
}

/// The oracle's mean loss and gradients of step 1.
fn first_step(model: &str) -> (f32, BTreeMap<String, Vec<f32>>) {
    let batch = Fixture::open(model);
    let normalisation = batch.f32("normalisation");
    let images = linear::normalise(&batch.u8("images"), f64::from(normalisation[0]), f64::from(normalisation[1]));
    let network = Network::preset(model, seed(model));
    let (loss, gradients) = network.gradients(&network.initial(), &images, &batch.u8("labels"), 1);
    let names = network.parameters().into_iter().map(|parameter| parameter.name);
    let single = gradients.iter().map(|gradient| gradient.iter().map(|&x| x as f32).collect());
    (loss as f32, names.zip(single).collect())
}

#[test]
fn the_oracle_has_pytorchs_batches() {
    for model in MODELS {
        let ours = random::order(seed(model), 0, 60_000);
        assert_eq!(ours[..STEPS * BATCH], Fixture::open(model).u32("indices"), "{model}");
    }
}

#[test]
fn the_oracle_has_pytorchs_gradients() {
    for model in MODELS {
        let (loss, mut gradients) = first_step(model);
        check_gradients(model, loss, &gradients).unwrap_or_else(|error| panic!("{error}"));
        assert!(check_gradients(model, loss * 1.00001, &gradients).unwrap_err().contains("loss[0]"));
        // One entry of the smallest tensor, off by a thousandth of its size.
        let entry = &mut gradients.get_mut("fc1.bias").expect("every model has it")[3];
        *entry += 1e-3 * entry.abs();
        let error = check_gradients(model, loss, &gradients).unwrap_err();
        assert!(error.starts_with(&format!("{model}, step 1: gradient.fc1.bias: 1 of")), "{error}");
        gradients.remove("fc1.bias");
        assert!(check_gradients(model, loss, &gradients).unwrap_err().contains("PyTorch [\""));
    }
}

/// The trajectories of a linear model, from the fixture itself, pass, and do not when something is off.
#[test]
fn a_wrong_training_run_is_found() {
    let fixture = Fixture::open("linear");
    for optimizer in optimizers("linear") {
        let losses = fixture.f32(&format!("{optimizer}.losses"));
        let read = |name: &str| (name.to_string(), fixture.f32(&format!("{optimizer}.parameter.{name}")));
        let parameters = BTreeMap::from(["fc1.bias", "fc1.weight"].map(read));
        assert_eq!(check_training("linear", optimizer, &losses, &parameters), Ok(()));
        let mut wrong = losses.clone();
        wrong[9] *= 1.0001;
        assert!(check_training("linear", optimizer, &wrong, &parameters).unwrap_err().contains(".losses[9]: ours"));
        let mut wrong = parameters.clone();
        wrong.get_mut("fc1.weight").expect("it was read")[4_000] += 2e-4;
        let error = check_training("linear", optimizer, &losses, &wrong).unwrap_err();
        assert!(error.contains("parameter.fc1.weight[4000]: ours"), "{error}");
    }
    // What one optimizer makes is not what another one makes.
    let read = |name: &str| (name.to_string(), fixture.f32(&format!("adam.parameter.{name}")));
    let adam = BTreeMap::from(["fc1.bias", "fc1.weight"].map(read));
    assert!(check_training("linear", "adamw", &fixture.f32("adam.losses"), &adam).is_err());
}

/// One step on parameters with their gradients.
type Step = Box<dyn FnMut(&mut [f64], &[f64])>;

#[test]
fn the_oracle_has_pytorchs_optimizers() {
    let fixture = Fixture::open("optimizers");
    let (start, gradients) = (fixture.f64("start"), fixture.f64("gradients"));
    let sgd = |momentum, nesterov, weight_decay| {
        let mut sgd = optimizer::Sgd { momentum, nesterov, weight_decay, ..Default::default() };
        move |p: &mut [f64], g: &[f64]| sgd.step(0.05, p, g)
    };
    let adam = |weight_decay, decoupled| {
        let mut adam = optimizer::Adam::new(weight_decay, decoupled);
        move |p: &mut [f64], g: &[f64]| adam.step(1e-3, p, g)
    };
    let steps: [(&str, Step); 5] = [
        ("sgd_plain", Box::new(sgd(0.0, false, 0.0))),
        ("sgd", Box::new(sgd(0.9, false, 0.0))),
        ("sgd_nesterov", Box::new(sgd(0.9, true, 1e-4))),
        ("adam", Box::new(adam(1e-4, false))),
        ("adamw", Box::new(adam(0.01, true))),
    ];
    let mut ends = Vec::new();
    for (name, mut step) in steps {
        let mut p = start.clone();
        gradients.chunks(start.len()).for_each(|g| step(&mut p, g));
        ends.push((name, p));
    }
    let off = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    for (name, theirs) in &ends {
        for (other, ours) in &ends {
            let away = off(ours, &fixture.f64(name));
            assert_eq!(away < 1e-14, name == other, "{other} is {away:e} from PyTorch's {name}: {theirs:?}");
        }
    }
}
