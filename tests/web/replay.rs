//! The JSON and WGSL of an exported site, replayed natively, compute what the native executor computes, bit for bit.

use crate::site::{Trained, config, few_images, site, text, train};
use crate::trial;
use libtest_mimic::{Failed, Trial};
use mnist_gpu::device::{Device, DeviceInfo, Session};
use mnist_gpu::export::web::{File, Manifest, Programs};
use mnist_gpu::gpu::kernels::{Class, Profile};
use mnist_gpu::gpu::{Gpu, adapters};
use mnist_gpu::program::Program;
use std::sync::Arc;

pub fn trials() -> Vec<Trial> {
    let needs = || if adapters().is_empty() { Err("no adapter was found".into()) } else { Ok(()) };
    let cases = [("mlp", Class::Hardware), ("cnn", Class::Hardware), ("convnet", Class::Software)];
    let trials = cases.map(|(model, class)| {
        let name = format!("replay::{model}_{}", class.name());
        trial(name, needs(), "MNIST_GPU_REQUIRE_ADAPTER", move || replays(model, class))
    });
    let mut trials = Vec::from(trials);
    trials.push(trial("replay::what_differs_is_seen".into(), needs(), "MNIST_GPU_REQUIRE_ADAPTER", differs));
    trials
}

/// A device that runs what a site says, with the site's shaders.
struct Replay<'a> {
    gpu: Gpu,
    site: &'a [File],
    class: Class,
}

impl Device for Replay<'_> {
    fn info(&self) -> &DeviceInfo {
        self.gpu.info()
    }

    fn load(&self, program: &Arc<Program>) -> mnist_gpu::Result<Box<dyn Session>> {
        let manifest: Manifest = serde_json::from_str(text(self.site, "site.json").expect("a manifest")).expect("JSON");
        let file = &manifest.models[0].programs[&self.class];
        let programs: Programs = serde_json::from_str(text(self.site, file).expect("programs")).expect("JSON");
        self.gpu.replay(program, programs.learn.recording, &|file| text(self.site, &format!("shaders/{file}")))
    }
}

fn open() -> Result<Gpu, Failed> {
    let adapters = adapters();
    Ok(Gpu::open(adapters.first().ok_or("no adapter was found")?, true)?)
}

/// What a run leaves natively, and replayed from a site that `doctor` has been at.
fn both(model: &str, class: Class, doctor: fn(&str) -> String) -> Result<[Trained; 2], Failed> {
    // A partial last batch, and a partial last evaluation.
    let data = few_images(48, 20);
    let config = config(model, 2, 32);
    let gpu = open()?;
    let native = train(&gpu.with_profile(Profile::of(class)), &data, &config)?;
    let mut site = site(&native.checkpoint, &data, true);
    for file in site.iter_mut().filter(|file| file.path.ends_with("adam.wgsl")) {
        file.bytes = doctor(std::str::from_utf8(&file.bytes)?).into_bytes().into();
    }
    Ok([native, train(&Replay { gpu: open()?, site: &site, class }, &data, &config)?])
}

fn replays(model: &str, class: Class) -> Result<(), Failed> {
    let [native, replayed] = both(model, class, str::to_owned)?;
    if native == replayed { Ok(()) } else { Err(format!("{:?} natively, {:?}", native.rows, replayed.rows).into()) }
}

fn differs() -> Result<(), Failed> {
    let [native, replayed] = both("mlp", Class::Hardware, |wgsl| wgsl.replace("state.learning_rate", "0.5"))?;
    if native == replayed { Err("another shader went unnoticed".into()) } else { Ok(()) }
}
