//! The page, as it is in `assets/web`.

macro_rules! files {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../../../assets/web/", $name)))),*] };
}

/// The name and text of each file.
pub(super) static FILES: [(&str, &str); 17] = files![
    "app.js",
    "files.js",
    "gpu.js",
    "icon.svg",
    "index.html",
    "pad.js",
    "page.js",
    "picture.js",
    "plots.js",
    "recognise.js",
    "recogniser.js",
    "safetensors.js",
    "schedule.js",
    "session.js",
    "style.css",
    "trainer.js",
    "training.js",
];
