//! Shaders are what their descriptors say and fit every GPU.

use crate::{assert_none, root};
use mnist_gpu::gpu::kernels::{ALL, Binding, Class, Kernel, PROBES, Shared, Value};
use naga::valid::{Capabilities, ModuleInfo, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ScalarKind, ShaderStage, StorageAccess, TypeInner};

/// Storage buffers of a stage: what GL without all of WebGPU's limits has.
const STORAGE_BUFFERS: usize = 4;
/// The same of WebGPU, which every device that executes on a CPU has.
const STORAGE_BUFFERS_OF_WEBGPU: usize = 8;
/// Invocations of a workgroup that every WebGPU device has.
const INVOCATIONS: u32 = 256;
/// Bytes of memory of a workgroup that every WebGPU device has.
const WORKGROUP_BYTES: u32 = 16 << 10;

/// A field of a struct: name and kind.
type Field = (String, ScalarKind);

/// A kernel's shader for a class of adapters, parsed and validated.
pub(crate) fn module(kernel: &Kernel, class: Class) -> Result<(Module, ModuleInfo), String> {
    let wgsl = kernel.wgsl(class);
    let module = naga::front::wgsl::parse_str(&wgsl).map_err(|error| error.emit_to_string(&wgsl))?;
    let capabilities = if kernel.needs_subgroups() { Capabilities::SUBGROUP } else { Capabilities::empty() };
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    if kernel.needs_subgroups() {
        validator.subgroup_stages(ShaderStages::COMPUTE).subgroup_operations(SubgroupOperationSet::all());
    }
    let info = validator.validate(&module);
    Ok((module, info.map_err(|error| error.emit_to_string(&wgsl))?))
}

/// What about a kernel's shaders is not what its descriptor says, or more than every device has.
fn problems(kernel: &Kernel) -> Vec<String> {
    Class::ALL.into_iter().flat_map(|class| problems_of(kernel, class)).collect()
}

fn problems_of(kernel: &Kernel, class: Class) -> Vec<String> {
    let module = match module(kernel, class) {
        Ok((module, _)) => module,
        Err(problem) => return vec![format!("{}: {problem}", kernel.name)],
    };
    let mut problems = Vec::new();
    let mut same = |what: &str, shader: String, descriptor: String| {
        if shader != descriptor {
            problems.push(format!("{}: {what} {shader}, but the descriptor says {descriptor}", kernel.name));
        }
    };
    let entries: Vec<_> =
        module.entry_points.iter().map(|entry| (entry.name.as_str(), entry.stage, entry.workgroup_size)).collect();
    let wanted = vec![(kernel.op, ShaderStage::Compute, kernel.workgroup)];
    same("entry points", format!("{entries:?}"), format!("{wanted:?}"));

    let mut bindings: Vec<_> = module
        .global_variables
        .iter()
        .filter_map(|(_, global)| global.binding.map(|place| (place.group, place.binding, binding(&module, global))))
        .collect();
    bindings.sort_by_key(|(group, binding, _)| (*group, *binding));
    let wanted: Vec<_> =
        kernel.bindings(class).into_iter().zip(0..).map(|(kind, index)| (0, index, Some(kind))).collect();
    same("bindings", format!("{bindings:?}"), format!("{wanted:?}"));

    let params: Vec<_> = kernel.params.iter().map(|(name, value)| ((*name).to_owned(), kind(*value))).collect();
    same("Params", format!("{:?}", fields(&module, "Params").unwrap_or_default()), format!("{params:?}"));
    if let Some(state) = fields(&module, "State") {
        same("State", format!("{state:?}"), format!("{:?}", state_of_the_host()));
    }
    problems.extend(beyond_limits(kernel, class, &module).map(|what| format!("{}: {what}", kernel.name)));
    problems
}

/// What a shader's global is to the host.
fn binding(module: &Module, global: &naga::GlobalVariable) -> Option<Binding> {
    let name = module.types[global.ty].name.as_deref();
    match global.space {
        AddressSpace::Uniform if name == Some("State") => Some(Binding::State),
        AddressSpace::Uniform => Some(Binding::Uniform),
        AddressSpace::Storage { access } if access == StorageAccess::LOAD => Some(Binding::Read),
        AddressSpace::Storage { access } if access == StorageAccess::LOAD | StorageAccess::STORE => {
            Some(Binding::ReadWrite)
        }
        _ => None,
    }
}

/// What a value is in WGSL.
fn kind(value: Value) -> ScalarKind {
    match value {
        Value::U32(_) => ScalarKind::Uint,
        Value::F32(_) => ScalarKind::Float,
        Value::Bool(_) => ScalarKind::Bool,
    }
}

/// The fields of a struct, if the shader has it; one that is no scalar is named as such.
fn fields(module: &Module, name: &str) -> Option<Vec<Field>> {
    let (_, found) = module.types.iter().find(|(_, kind)| kind.name.as_deref() == Some(name))?;
    let TypeInner::Struct { members, .. } = &found.inner else { return None };
    let field = |member: &naga::StructMember| {
        let name = member.name.clone().unwrap_or_default();
        match module.types[member.ty].inner {
            TypeInner::Scalar(scalar) => (name, scalar.kind),
            _ => (format!("{name}, which is no scalar"), ScalarKind::Bool),
        }
    };
    Some(members.iter().map(field).collect())
}

/// The fields of `State` in Rust, from its source.
fn state_of_the_host() -> Vec<Field> {
    let source = std::fs::read_to_string(root().join("src/program/state.rs")).expect("the source is there");
    let (_, body) = source.split_once("pub struct State {").expect("the struct is there");
    let (body, _) = body.split_once('}').expect("the struct ends");
    let lines = body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.strip_suffix(','));
    let field = |line: &str| {
        let (name, kind) = line.split_once(": ").expect("a field has a type");
        (name.to_owned(), if kind == "f32" { ScalarKind::Float } else { ScalarKind::Uint })
    };
    lines.map(field).collect()
}

/// What of a kernel is more than every device of a class has.
fn beyond_limits(kernel: &Kernel, class: Class, module: &Module) -> impl Iterator<Item = String> {
    let most = match class {
        Class::Software | Class::Subgroups => STORAGE_BUFFERS_OF_WEBGPU,
        Class::Hardware => STORAGE_BUFFERS,
    };
    let storage = kernel.bindings(class).into_iter().filter(|kind| !kind.is_uniform()).count();
    let invocations: u32 = kernel.workgroup.iter().product();
    let shared = module.global_variables.iter().filter(|(_, global)| global.space == AddressSpace::WorkGroup);
    let bytes: u32 = shared.map(|(_, global)| module.types[global.ty].inner.size(module.to_ctx())).sum();
    [
        (storage > most).then(|| format!("{storage} storage buffers, of at most {most}")),
        (invocations > INVOCATIONS).then(|| format!("{invocations} invocations, of at most {INVOCATIONS}")),
        (bytes > WORKGROUP_BYTES).then(|| format!("{bytes} bytes of workgroup memory, of at most {WORKGROUP_BYTES}")),
    ]
    .into_iter()
    .flatten()
}

#[test]
fn shaders_are_what_their_descriptors_say() {
    let all: Vec<_> = ALL.iter().chain(PROBES).flat_map(|kernel| problems(kernel)).collect();
    assert_none("shaders that are not what their descriptors say", &all);
    assert_eq!(state_of_the_host().len(), size_of::<mnist_gpu::program::State>() / 4);
}

#[test]
fn a_descriptor_that_is_not_the_shaders_is_found() {
    let sgd = *ALL.iter().find(|kernel| kernel.name == "sgd").expect("it is a kernel");
    let source = |from: &str, to: &str| sgd.source.replace(from, to).leak();
    let [count, row, weight_decay] = sgd.params[..] else { panic!("three parameters") };
    let params = |params: [_; 3]| Vec::from(params).leak();
    let doctored = [
        ("entry", Kernel { op: "adam", ..*sgd }),
        ("workgroup", Kernel { workgroup: [32, 1, 1], ..*sgd }),
        ("order", Kernel { bindings: &[Binding::State, Binding::ReadWrite, Binding::Read], ..*sgd }),
        ("number", Kernel { bindings: &[Binding::State, Binding::ReadWrite], ..*sgd }),
        ("params", Kernel { params: params([row, count, weight_decay]), ..*sgd }),
        ("kind", Kernel { params: params([count, row, ("weight_decay", Value::Bool(true))]), ..*sgd }),
        ("syntax", Kernel { source: source("{", "("), ..*sgd }),
        ("types", Kernel { source: source("return;", "return 1;"), ..*sgd }),
        ("binding", Kernel { source: source("@binding(2)", "@binding(3)"), ..*sgd }),
        ("access", Kernel { source: source("storage, read>", "storage, read_write>"), ..*sgd }),
        ("width", Kernel { source: source("row: u32,", "row: vec2<u32>,"), ..*sgd }),
        ("invocations", Kernel { workgroup: [512, 1, 1], source: source("(64)", "(512)"), ..*sgd }),
        (
            "memory",
            Kernel { source: source("@compute", "var<workgroup> w: array<vec4<f32>, 1025>;\n@compute"), ..*sgd },
        ),
        (
            "state",
            Kernel { shared: &[Shared { name: "", text: "struct State { learning_rate: f32, seed: u32 }" }], ..*sgd },
        ),
    ];
    for (what, kernel) in doctored {
        assert!(!problems(&kernel).is_empty(), "{what}");
    }
    for (class, most) in [(Class::Hardware, 4), (Class::Software, 7), (Class::Subgroups, 7)] {
        let module = module(sgd, class).expect("it is valid").0;
        for (more, problems) in [(0, 0), (1, 1)] {
            let bindings = [vec![Binding::State], vec![Binding::Read; most + more]].concat().leak();
            assert_eq!(beyond_limits(&Kernel { bindings, ..*sgd }, class, &module).count(), problems, "{class:?}");
        }
    }
}
