//! What the page repeats of the native program gives the same.

use crate::pictures::{Dice, KINDS, file};
use crate::site::{config, few_images, site, text, train_on_cpu};
use crate::visit::{DESKTOP, Fixture, files, fixture, visit};
use crate::{InBrowser, expect};
use mnist_gpu::checkpoint::Checkpoint;
use mnist_gpu::config::TrainConfig;
use mnist_gpu::data::Dataset;
use mnist_gpu::data::picture::{Limits, Pixels, decode, prepare};
use mnist_gpu::export::web::{File, Manifest};
use mnist_gpu::optimizer::Optimizer;
use mnist_gpu::schedule::{Course, Schedule};
use serde_json::{Value, json};
use std::path::Path;

pub const TRIALS: &[InBrowser] = &[
    ("modules::the_schedule_is_the_native_one", schedule),
    ("modules::weights_are_read_and_written", weights),
    ("modules::pictures_are_prepared_to_the_native_bytes", pictures),
    ("modules::training_has_the_native_losses", training),
    ("modules::training_convolutions_has_the_native_losses", convolutions),
    ("modules::gradients_of_convolutions_are_the_native_ones", gradients),
];

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().map(|number| number.as_f64().unwrap_or(f64::NAN)).collect()
}

/// Fails with the first pair that is farther apart than a share of the larger.
fn close(what: &str, found: &[f64], expected: &[f64], tolerance: f64) -> Result<(), String> {
    expect(&format!("number of {what}"), &found.len(), &expected.len())?;
    let pairs = found.iter().zip(expected).enumerate();
    let apart = |(a, b): (&f64, &f64)| (a - b).abs() > tolerance * a.abs().max(b.abs()) || a.is_nan() != b.is_nan();
    match pairs.into_iter().find(|(_, pair)| apart(*pair)) {
        Some((index, (a, b))) => Err(format!("{what} {index}: {a} in the page, {b} natively")),
        None => Ok(()),
    }
}

fn schedule() -> Result<(), String> {
    let schedules = [Schedule::Constant, Schedule::Step, Schedule::Cosine, Schedule::OneCycle];
    let courses = schedules.iter().flat_map(|&schedule| {
        [(5, 20), (1, 1), (3, 7)].map(|(epochs, steps_per_epoch)| Course {
            schedule,
            learning_rate: 0.3,
            epochs,
            steps_per_epoch,
            betas: [0.9, 0.999],
        })
    });
    let rows = "
        const { rows } = await import('./schedule.js');
        const [course] = args;
        return Array.from({ length: course.epochs }, (_, epoch) => [...rows(course, epoch)]).flat();";
    visit(files(false), DESKTOP, |browser, _| {
        for course in courses {
            let argument = json!({
                "schedule": course.schedule, "rate": course.learning_rate, "epochs": course.epochs,
                "stepsPerEpoch": course.steps_per_epoch, "betas": course.betas,
            });
            let native: Vec<f64> = (0..course.epochs)
                .flat_map(|epoch| course.rows(epoch))
                .flat_map(|row| [row.learning_rate, row.first_correction, row.second_correction, row.padding])
                .map(f64::from)
                .collect();
            close(&format!("{course:?}"), &numbers(&browser.run(rows, &[argument])?), &native, 1e-6)?;
        }
        Ok(())
    })
}

/// The page writes what the native program reads, from what it read itself; and says what is wrong with other files.
fn weights() -> Result<(), String> {
    let Fixture { trained, .. } = fixture();
    let copy = "
        const { parse, serialize } = await import('./safetensors.js');
        const { tensors, metadata } = parse(await (await fetch('model.safetensors')).arrayBuffer());
        const list = [...tensors].map(([name, tensor]) => ({ name, ...tensor }));
        return [...serialize(list, metadata)];";
    let refuse = "
        const { weightsOf } = await import('./training.js');
        const site = JSON.parse(args[0]);
        const { height, width, classes } = site.models[0].metadata;
        const whole = await (await fetch('model.safetensors')).arrayBuffer();
        const doctor = (change) => {
            const bytes = new Uint8Array(whole.slice(0));
            return change(bytes) ?? bytes.buffer;
        };
        const replace = (from, to) => doctor((bytes) => {
            const at = new TextDecoder('latin1').decode(bytes.subarray(0, 4000)).indexOf(from);
            bytes.set(new TextEncoder().encode(to), at);
        });
        const files = [
            doctor(() => new ArrayBuffer(3)), doctor((bytes) => bytes.buffer.slice(0, 200)),
            doctor((bytes) => bytes.buffer.slice(0, -4)), doctor((bytes) => { bytes[7] = 255; }),
            replace('F32', 'F16'), replace('mnist-gpu', 'other-one'), replace('{', 'x'), replace('\"outputs\\\\\":128', '\"outputs\\\\\":129'),
            doctor((bytes) => { bytes.fill(255, bytes.length - 4); }), whole,
        ];
        return files.map((file) => {
            try {
                return weightsOf(file, { ...site, image: { height, width }, classes }).model.name;
            } catch (error) {
                return error.message;
            }
        });";
    let site = files(false);
    let manifest = text(&site, "site.json").expect("there").to_owned();
    visit(site, DESKTOP, |browser, _| {
        let bytes: Vec<u8> = numbers(&browser.run(copy, &[])?).iter().map(|&byte| byte as u8).collect();
        let read = Checkpoint::parse(&bytes, Path::new("copy")).map_err(|error| error.to_string())?;
        expect("weights written by the page", &(read == trained.checkpoint), &true)?;
        let found = browser.run(refuse, &[json!(manifest)])?;
        let messages: Vec<_> = found.as_array().into_iter().flatten().map(|text| text.as_str().unwrap_or("")).collect();
        let words = [
            "short",
            "header",
            "damaged",
            "header",
            "floats",
            "no mnist-gpu",
            "JSON",
            "model mlp",
            "no numbers",
            "mlp",
        ];
        let right = words.iter().zip(&messages).filter(|(word, message)| message.contains(*word)).count();
        expect(&format!("fitting answers among {messages:?}"), &right, &words.len())
    })
}

/// Pictures of every kind, for networks of several sizes, and two without a digit: the page prepares them to the very bytes.
fn pictures() -> Result<(), String> {
    let digits = &fixture().data.test.images;
    let made =
        KINDS.into_iter().cycle().take(2 * KINDS.len()).zip(digits.chunks(784)).zip(0..).map(|((kind, digit), i)| {
            let (_, bytes) = file(kind, digit, &mut Dice::new(3, i));
            (format!("{kind} {i}"), decode(&bytes, &Limits::default()).expect("it was just made"))
        });
    // A bar of so many pixels: below some ten it is too small a share of the side for a digit.
    let bar = |length: usize| {
        let on = move |i: usize| (100..103).contains(&(i % 300)) && (50..50 + length).contains(&(i / 300));
        let value = move |i: usize| if on(i / 4) && i % 4 < 3 { 0 } else { 255 };
        Pixels { width: 300, height: 200, rgba: (0..4 * 300 * 200).map(value).collect() }
    };
    let small = [0, 1, 5, 9, 11, 12, 13, 16].map(|length| (format!("a bar of {length}"), bar(length)));
    assert_eq!(small.iter().filter(|(_, picture)| prepare(picture, [28, 28]).is_err()).count(), 4);
    let run = "
        const { prepare } = await import('./picture.js');
        const [bytes, width, height, sizes] = args;
        const data = new Uint8ClampedArray(bytes.length);
        for (let i = 0; i < data.length; i++) data[i] = bytes.charCodeAt(i);
        const prepared = sizes.map(sides => prepare({ width, height, data }, ...sides));
        return prepared.map(({ image, problem }) => problem ?? [...image]);";
    let sizes = [[28, 28], [8, 8], [20, 32]];
    visit(files(false), DESKTOP, |browser, _| {
        for (name, picture) in made.chain(small) {
            let bytes: String = picture.rgba.iter().map(|&byte| char::from(byte)).collect();
            let found = browser.run(run, &[json!(bytes), json!(picture.width), json!(picture.height), json!(sizes)])?;
            for (index, sides) in sizes.into_iter().enumerate() {
                match prepare(&picture, sides) {
                    Ok(image) => {
                        let native: Vec<f64> = image.into_iter().map(f64::from).collect();
                        close(&name, &numbers(&found[index]), &native, 0.0)?;
                    }
                    Err(_) => expect(&name, &found[index].is_string(), &true)?,
                }
            }
        }
        Ok(())
    })
}

/// A few dozen steps of `mlp` have the losses of the CPU; with the learning rate and the seed that are chosen in the page.
fn training() -> Result<(), String> {
    let Fixture { data, trained } = fixture();
    let mut other = trained.checkpoint.metadata.training.clone();
    (other.seed, other.epochs, other.learning_rate) = (7, 1, 0.002);
    trains(files(true), data, &[&trained.checkpoint.metadata.training, &other])
}

/// Steps with convolutions, too.
fn convolutions() -> Result<(), String> {
    let data = few_images(320, 50);
    let trained = train_on_cpu(&data, &config("lenet", 2, 64));
    trains(site(&trained.checkpoint, &data, true), &data, &[&trained.checkpoint.metadata.training])
}

/// One step of plain SGD, so that parameters change by their gradients: those of the page are the CPU's.
fn gradients() -> Result<(), String> {
    let data = few_images(64, 50);
    let optimizer = Optimizer::Sgd { momentum: 0.0, nesterov: false, weight_decay: 0.0 };
    let rate = |learning_rate| TrainConfig {
        optimizer,
        learning_rate,
        schedule: Schedule::Constant,
        ..config("lenet", 1, 64)
    };
    let [trained, untrained] = [rate(1.0), rate(1e-30)].map(|config| train_on_cpu(&data, &config).checkpoint);
    let run = "
        const [{ openGpu }, { Trainer, readParameters }, { readSplit }] =
            await Promise.all(['gpu', 'trainer', 'files'].map((name) => import(`./${name}.js`)));
        const [site, config] = args;
        const gpu = await openGpu();
        const { learn } = await (await fetch(site.models[0].programs[gpu.kernels])).json();
        const [train, test] = await Promise.all([readSplit(site.data.train), readSplit(site.data.test)]);
        const trainer = await Trainer.open(gpu, learn, config, train, test, 10);
        while ((await trainer.advance()).kind !== 'done');
        const tensors = await readParameters(trainer.session);
        return Object.fromEntries(tensors.map(({ name, values }) => [name, [...values]]));";
    let site = site(&trained, &data, true);
    let manifest: Manifest = serde_json::from_str(text(&site, "site.json").expect("there")).expect("JSON");
    visit(site, DESKTOP, |browser, _| {
        let found = browser.run(run, &[json!(manifest), json!(trained.metadata.training)])?;
        for (name, trained) in &trained.parameters {
            let page = numbers(&found[name]);
            expect(&format!("values of {name}"), &page.len(), &trained.len())?;
            // What is no number is not dropped.
            let larger = |a: f64, b: f64| if a.is_nan() || a > b { a } else { b };
            let largest = |differences: &mut dyn Iterator<Item = f64>| differences.map(f64::abs).fold(0.0, larger);
            let pairs = trained.iter().zip(&untrained.parameters[name]);
            let step = largest(&mut pairs.map(|(after, before)| f64::from(*after - *before)));
            let apart = largest(&mut page.iter().zip(trained).map(|(page, native)| page - f64::from(*native)));
            if step == 0.0 || apart.is_nan() || apart > 1e-3 * step {
                return Err(format!("{name}: the largest step is {step:e}, the page is {apart:e} off"));
            }
        }
        Ok(())
    })
}

fn trains(site: Vec<File>, data: &Dataset, configs: &[&TrainConfig]) -> Result<(), String> {
    let run = "
        const [{ openGpu }, { Trainer }, { readSplit }] =
            await Promise.all(['gpu', 'trainer', 'files'].map((name) => import(`./${name}.js`)));
        const [site, config] = args;
        const gpu = await openGpu();
        const { learn } = await (await fetch(site.models[0].programs[gpu.kernels])).json();
        const [train, test] = await Promise.all([readSplit(site.data.train), readSplit(site.data.test)]);
        const trainer = await Trainer.open(gpu, learn, config, train, test, 10);
        const epochs = [];
        for (;;) {
            const event = await trainer.advance();
            if (event.kind === 'done') break;
            if (event.kind === 'epoch') {
                const { trainLoss, trainAccuracy, test: { loss, accuracy } } = event;
                epochs.push([trainLoss, trainAccuracy, loss, accuracy]);
            }
        }
        return [trainer.stepLosses, epochs.flat()];";
    let manifest: Manifest = serde_json::from_str(text(&site, "site.json").expect("there")).expect("JSON");
    visit(site, DESKTOP, |browser, _| {
        for &config in configs {
            let native = train_on_cpu(data, config);
            let found = browser.run(run, &[json!(manifest), json!(config)])?;
            let losses: Vec<_> = native.step_losses.iter().copied().map(f64::from).collect();
            close("loss of step", &numbers(&found[0]), &losses, 1e-3)?;
            let rows = native.rows[1..].iter();
            let rows = rows.flat_map(|r| [r.train_loss, r.train_accuracy, r.test_loss, r.test_accuracy]);
            close("figures of epochs", &numbers(&found[1]), &rows.collect::<Vec<_>>(), 1e-2)?;
        }
        Ok(())
    })
}
