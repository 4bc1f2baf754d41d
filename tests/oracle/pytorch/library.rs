//! The library's training steps, held against PyTorch's on every device: each model that is a preset, with each
//! optimizer of its fixture.
//!
//! `--nocapture` prints how far each device is from PyTorch.

use super::compare::distance;
use super::{BATCH, Fixture, MODELS, STEPS, check_gradients, check_training, optimizers, seed};
use crate::devices::{cpu, on_adapters};
use mnist_gpu::data::{Split, mnist};
use mnist_gpu::device::{Device, Session};
use mnist_gpu::model::{Shape, preset};
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::program::{Build, List, Program, State, TensorId, build};
use mnist_gpu::schedule::{Course, Schedule};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

static IMAGES: LazyLock<Split> = LazyLock::new(Split::mnist_train);

/// The learning rate and the optimizer of that name, as `pytorch.py` has them.
fn optimizer(name: &str) -> (f64, Optimizer) {
    let sgd = |nesterov, weight_decay| Optimizer::Sgd { momentum: 0.9, nesterov, weight_decay };
    match name {
        "sgd" => (0.05, sgd(false, 0.0)),
        "sgd_nesterov" => (0.05, sgd(true, 1e-4)),
        "adam" => (1e-3, Optimizer::adam(1e-4, false)),
        "adamw" => (1e-3, Optimizer::adam(0.01, true)),
        _ => panic!("no optimizer {name}"),
    }
}

/// Training in the fixture's configuration, its weights drawn and no step done.
fn start(device: &dyn Device, model: &str, rate: f64, optimizer: Optimizer) -> Box<dyn Session> {
    let (spec, count) = (preset(model, 10).expect("it is a preset"), IMAGES.len() as u32);
    let program = build(&Build {
        model: &spec,
        image: Shape::picture(mnist::SIDE, mnist::SIDE),
        classes: 10,
        images: count,
        batch: BATCH as u32,
        train_images: count,
        eval_batch: 1,
        optimizer,
        mean: mnist::MEAN,
        std: mnist::STD,
    });
    let program = Arc::new(program.unwrap_or_else(|error| panic!("{model}: {error}")));
    let ports = &program.ports;
    let mut session = device.load(&program).unwrap_or_else(|error| panic!("{model}: {error}"));
    let course = Course {
        schedule: Schedule::Constant,
        learning_rate: rate,
        epochs: 1,
        steps_per_epoch: count.div_ceil(BATCH as u32),
        betas: optimizer.betas(),
    };
    let written = session
        .put(ports.images, &IMAGES.images)
        .and_then(|()| session.put(ports.labels, &IMAGES.labels))
        .and_then(|()| session.put(ports.schedule, &course.rows(0)))
        .and_then(|()| session.put(ports.train.state, &[State::at(seed(model), 0, 0, count)]))
        .and_then(|()| session.run(List::Init, 1));
    written.unwrap_or_else(|error| panic!("{model}: {error}"));
    session
}

/// The tensors that are parts of a flat one, by the names of the parameters.
fn parts(session: &mut dyn Session, flat: fn(&Program) -> TensorId) -> BTreeMap<String, Vec<f32>> {
    let program = Arc::clone(session.program());
    let read = |(id, tensor): (TensorId, &mnist_gpu::program::Tensor)| {
        (tensor.name.trim_end_matches(".gradient").to_string(), session.get(id).expect("it can be read"))
    };
    program.views_of(flat(&program)).map(|(id, tensor, _)| (id, tensor)).map(read).collect()
}

/// The mean losses of the first steps.
fn losses(session: &mut dyn Session, steps: usize) -> Vec<f32> {
    let metrics: Vec<[f32; 2]> = session.get(session.program().ports.train.metrics).expect("it can be read");
    metrics[..steps].iter().map(|[loss, _]| loss / BATCH as f32).collect()
}

/// How much of a fixture a device is held against.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// The gradients of step 1.
    Gradients,
    /// Those, and the ten steps.
    All,
}

/// One step, then nine more; how far they are from PyTorch.
fn check(
    device: &dyn Device,
    (model, name): (&str, &str),
    (rate, optimizer): (f64, Optimizer),
    part: Part,
) -> Result<String, String> {
    let mut session = start(device, model, rate, optimizer);
    let run = |session: &mut Box<dyn Session>, steps| session.run(List::TrainStep, steps).expect("steps can be run");
    run(&mut session, 1);
    let gradients = parts(&mut *session, |program| program.ports.gradients);
    check_gradients(model, losses(&mut *session, 1)[0], &gradients)?;
    if part == Part::Gradients {
        return Ok("gradients alone".into());
    }
    run(&mut session, STEPS as u32 - 1);
    let (losses, parameters) = (losses(&mut *session, STEPS), parts(&mut *session, |program| program.ports.parameters));
    check_training(model, name, &losses, &parameters)?;
    let fixture = Fixture::open(model);
    let furthest = |prefix: &str, ours: &BTreeMap<String, Vec<f32>>, relative: bool| {
        let away = ours.iter().map(|(name, ours)| {
            let (away, largest) = distance(ours, &fixture.expected(&format!("{prefix}.{name}")));
            if relative { away / largest } else { away }
        });
        away.fold(0.0, f64::max)
    };
    let losses = distance(&losses, &fixture.expected(&format!("{name}.losses"))).0;
    let [gradients, parameters] =
        [furthest("gradient", &gradients, true), furthest(&format!("{name}.parameter"), &parameters, false)];
    Ok(format!("losses {losses:.1e}, gradients {gradients:.1e} of the largest, parameters {parameters:.1e}"))
}

/// The models of the fixtures that are presets.
fn models() -> Vec<&'static str> {
    let models: Vec<_> = MODELS.into_iter().filter(|name| preset(name, 10).is_some()).collect();
    assert!(models.starts_with(&["linear", "mlp"]), "{models:?}");
    models
}

fn check_all(device: &dyn Device, part: impl Fn(&str, &str) -> Option<Part>) {
    for model in models() {
        for name in optimizers(model) {
            let Some(part) = part(model, name) else { continue };
            match check(device, (model, name), optimizer(name), part) {
                Ok(distances) => println!("{model}, {name}: {distances}"),
                Err(error) => panic!("{}: {error}", device.info()),
            }
        }
    }
}

#[test]
fn the_cpu_has_pytorchs_steps() {
    check_all(&cpu(2), |_, _| Some(Part::All));
}

/// Where shaders are executed on a CPU, convolutions take minutes: those models with one optimizer, and of the largest the
/// gradients alone. A GPU has them all.
#[test]
fn every_adapter_has_pytorchs_steps() {
    on_adapters(|device| {
        let software = device.info().is_software();
        check_all(device, |model, name| match (model, name) {
            ("linear" | "mlp", _) => Some(Part::All),
            _ if !software => Some(Part::All),
            ("convnet", "sgd") => Some(Part::Gradients),
            (_, "sgd") => Some(Part::All),
            _ => None,
        });
    });
}

/// A learning rate off by a hundredth, a decay that is missing, a decay of the other kind, a look ahead that is not there.
#[test]
fn a_wrong_configuration_is_found() {
    let cpu = cpu(2);
    let wrong = [
        ("sgd", 0.0505, optimizer("sgd").1),
        ("sgd", 0.05, optimizer("sgd_nesterov").1),
        ("sgd_nesterov", 0.05, Optimizer::Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.0 }),
        ("adamw", 1e-3, Optimizer::adam(0.0, true)),
        ("adam", 1e-3, Optimizer::adam(1e-4, true)),
    ];
    for (name, rate, optimizer) in wrong {
        let found = check(&cpu, ("linear", name), (rate, optimizer), Part::All);
        let error = found.expect_err("another configuration must be found");
        assert!(error.starts_with(&format!("linear, {name}: {name}.")), "{error}");
    }
}
