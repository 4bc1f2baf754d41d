//! One name everywhere: an op is four files, and a shader belongs to an op.

use crate::{assert_none, files, root};
use mnist_gpu::gpu::kernels::{ALL, Class, Kernel, PROBES};
use mnist_gpu::program::Op;

/// The files that ops lack.
fn missing(ops: &[&str]) -> Vec<String> {
    let places = |op: &str| {
        [
            format!("shaders/{op}.wgsl"),
            format!("src/gpu/kernels/{op}.rs"),
            format!("src/cpu/{op}.rs"),
            format!("src/check/cases/{op}.rs"),
            format!("tests/parity/{op}.rs"),
        ]
    };
    ops.iter().flat_map(|op| places(op)).filter(|path| !root().join(path).exists()).collect()
}

/// What is wrong with the shaders in the folder: each is a kernel's under its name, or shared by kernels.
fn strangers(shaders: &[(String, String)], kernels: &[&Kernel]) -> Vec<String> {
    let mut shared = Vec::new();
    for kernel in kernels {
        shared.extend(Class::ALL.into_iter().flat_map(|class| kernel.files(class).skip(1)));
    }
    let problem = |(name, text): &(String, String)| {
        let stem = name.trim_start_matches("shaders/").trim_end_matches(".wgsl");
        match kernels.iter().find(|kernel| kernel.name == stem) {
            Some(kernel) if kernel.source == text => None,
            Some(_) => Some(format!("{name} is not the source of the kernel {stem}")),
            None if shared.contains(&(format!("{stem}.wgsl").into(), text.as_str())) => None,
            None => Some(format!("{name} is no kernel's, and none shares it")),
        }
    };
    shaders.iter().filter_map(problem).collect()
}

/// Kernels whose name is neither an op nor a variant of theirs.
fn misnamed(kernels: &[&Kernel]) -> Vec<String> {
    let fits = |kernel: &Kernel| {
        let variant = kernel.name.strip_prefix(kernel.op);
        Op::NAMES.contains(&kernel.op) && variant.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    kernels.iter().filter(|kernel| !fits(kernel)).map(|kernel| format!("{} of {}", kernel.name, kernel.op)).collect()
}

/// Shaders that a document names and that are not there; `<op>` stands for any op.
fn unknown(document: &str, shaders: &[(String, String)]) -> Vec<String> {
    let stems = document.split('`').filter_map(|name| name.trim_start_matches("shaders/").strip_suffix(".wgsl"));
    let known = |stem: &str| shaders.iter().any(|(path, _)| *path == format!("shaders/{stem}.wgsl"));
    stems.filter(|stem| !stem.contains("<op>") && !known(stem)).map(ToOwned::to_owned).collect()
}

fn shaders() -> Vec<(String, String)> {
    let read = |(name, path)| (name, std::fs::read_to_string(path).expect("a shader is text"));
    files("shaders").into_iter().map(read).collect()
}

#[test]
fn an_op_has_its_files() {
    assert_none("files of ops that are not there", &missing(&Op::NAMES));
    assert_eq!(missing(&["adam", "adagrad"]).len(), 5);
}

#[test]
fn a_shader_belongs_to_an_op() {
    assert_none("shaders that do not belong", &strangers(&shaders(), &[ALL, PROBES].concat()));
    assert_none("kernels that do not belong", &misnamed(ALL));
}

#[test]
fn the_readme_names_shaders_that_exist() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README is there");
    assert_none("shaders in the README that are not there", &unknown(&readme, &shaders()));
    let document = "`adam.wgsl`, `<op>.register.wgsl`, `shaders/sgd.wgsl`, `adagrad.wgsl`";
    assert_eq!(unknown(document, &shaders()), ["adagrad"]);
}

#[test]
fn a_shader_that_does_not_belong_is_found() {
    let mut doctored = shaders();
    doctored[0].1.push(' ');
    doctored.push(("shaders/adagrad.wgsl".into(), String::new()));
    assert_eq!(strangers(&doctored, &[ALL, PROBES].concat()).len(), 2);
    for name in ["adagrad", "sgdx", "adam.fast"] {
        assert_eq!(misnamed(&[&Kernel { name, op: "sgd", ..*ALL[0] }]).len(), 1, "{name}");
    }
    assert_eq!(misnamed(&[&Kernel { name: "adagrad", op: "adagrad", ..*ALL[0] }]).len(), 1);
}
