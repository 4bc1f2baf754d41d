//! Shaders translate to every shading language, so that platforms without a test machine are covered as far as they can be.

use crate::assert_none;
use crate::shaders::module;
use mnist_gpu::gpu::kernels::{ALL, Class, Kernel, PROBES};
use naga::back::{glsl, hlsl, msl, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::ModuleInfo;
use naga::{Module, ShaderStage};

/// The first entry point that has an error instead of a name.
fn all_entries<E: ToString>(names: Vec<Result<String, E>>) -> Result<(), String> {
    names.into_iter().try_for_each(|name| name.map(drop).map_err(|error| error.to_string()))
}

fn to_spirv(module: &Module, info: &ModuleInfo) -> Result<(), String> {
    spv::write_vec(module, info, &spv::Options::default(), None).map(drop).map_err(|error| error.to_string())
}

/// Metal 2.0: what macOS 10.13 and iOS 11 have.
fn to_msl(module: &Module, info: &ModuleInfo) -> Result<(), String> {
    let options = msl::Options { lang_version: (2, 0), ..Default::default() };
    let written = msl::write_string(module, info, &options, &msl::PipelineOptions::default());
    written.map_err(|error| error.to_string()).and_then(|(_, info)| all_entries(info.entry_point_names))
}

fn to_hlsl(module: &Module, info: &ModuleInfo) -> Result<(), String> {
    let (options, pipeline) = (hlsl::Options::default(), hlsl::PipelineOptions::default());
    let written = hlsl::Writer::new(String::new(), &options, &pipeline).write(module, info, None);
    written.map_err(|error| error.to_string()).and_then(|info| all_entries(info.entry_point_names))
}

/// GLSL ES 3.10: the oldest with compute shaders.
fn to_glsl(module: &Module, info: &ModuleInfo, entry: &str) -> Result<(), String> {
    let pipeline =
        glsl::PipelineOptions { shader_stage: ShaderStage::Compute, entry_point: entry.into(), multiview: None };
    let options = glsl::Options { version: glsl::Version::new_gles(310), ..Default::default() };
    let policies = BoundsCheckPolicies::default();
    let mut writer = glsl::Writer::new(String::new(), module, info, &options, &pipeline, policies)
        .map_err(|error| error.to_string())?;
    writer.write().map(drop).map_err(|error| error.to_string())
}

/// The shading languages that a kernel does not translate to.
fn untranslatable(kernel: &Kernel) -> Vec<String> {
    Class::ALL.into_iter().flat_map(|class| untranslatable_for(kernel, class)).collect()
}

fn untranslatable_for(kernel: &Kernel, class: Class) -> Vec<String> {
    let (module, info) = match module(kernel, class) {
        Ok(parsed) => parsed,
        Err(problem) => return vec![format!("{}: {problem}", kernel.name)],
    };
    let results = [
        ("SPIR-V", to_spirv(&module, &info)),
        ("MSL", to_msl(&module, &info)),
        ("HLSL", to_hlsl(&module, &info)),
        ("GLSL ES 3.10", to_glsl(&module, &info, kernel.op)),
    ];
    // What needs subgroups runs where their size is known: with Vulkan.
    let languages = if kernel.needs_subgroups() { 1 } else { results.len() };
    let failed = results.into_iter().take(languages).filter_map(|(language, result)| Some((language, result.err()?)));
    failed.map(|(language, error)| format!("{}: {language}: {error}", kernel.name)).collect()
}

#[test]
fn shaders_translate_to_every_shading_language() {
    let all: Vec<_> = ALL.iter().chain(PROBES).flat_map(|kernel| untranslatable(kernel)).collect();
    assert_none("shaders that do not translate", &all);
}

#[test]
fn a_shader_that_does_not_translate_is_found() {
    let sgd = *ALL.iter().find(|kernel| kernel.name == "sgd").expect("it is a kernel");
    assert_eq!(untranslatable(&Kernel { op: "adam", ..*sgd }).len(), Class::ALL.len(), "GLSL names its entry point");
    assert_eq!(untranslatable(&Kernel { source: "fn", ..*sgd }).len(), Class::ALL.len());
    assert!(all_entries(vec![Ok("sgd".into()), Err("no binding")]).is_err());
}
