//! The interpreter knows no op: it runs every shader of the site, and a program that is none of ours.

use crate::visit::{DESKTOP, files, visit};
use crate::{InBrowser, expect};
use mnist_gpu::export::web::{Manifest, Programs};
use mnist_gpu::gpu::kernels::{ALL, Class};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub const TRIALS: &[InBrowser] =
    &[("interpreter::every_shader_compiles", every_shader_compiles), ("interpreter::a_toy_program_runs", toy)];

/// Every kernel that runs on every device, and every pipeline of every program of the site.
fn every_shader_compiles() -> Result<(), String> {
    let site = files(true);
    let text = |path: &str| crate::site::text(&site, path);
    let mut shaders: BTreeMap<String, &str> = BTreeMap::new();
    for kernel in ALL {
        if !kernel.needs_subgroups() {
            shaders.extend(Class::PORTABLE.map(|class| (kernel.wgsl(class), kernel.op)));
        }
    }
    let manifest: Manifest = serde_json::from_str(text("site.json").expect("there")).expect("JSON");
    let names: Vec<_> = manifest.models.iter().flat_map(|model| model.programs.values()).collect();
    let programs: Vec<Programs> =
        names.iter().map(|name| serde_json::from_str(text(name).expect("there")).expect("JSON")).collect();
    for pipeline in programs.iter().flat_map(|p| [&p.recognise, &p.learn]).flat_map(|p| &p.recording.pipelines) {
        let wgsl = pipeline.wgsl(&|file| text(&format!("shaders/{file}"))).map_err(|error| error.to_string())?;
        shaders.insert(wgsl, &pipeline.entry);
    }
    let compile = "
        const { openGpu } = await import('./gpu.js');
        const { device } = await openGpu();
        const problems = [];
        for (const [code, entryPoint] of args[0]) {
            device.pushErrorScope('validation');
            const module = device.createShaderModule({ code });
            device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint } });
            const error = await device.popErrorScope();
            if (error) problems.push(`${entryPoint}: ${error.message}`);
        }
        return problems;";
    visit(site.clone(), DESKTOP, |browser, _| {
        let list: Vec<_> = shaders.iter().collect();
        expect("shaders that do not compile", &browser.run(compile, &[json!(list)])?, &json!([]))?;
        let doctored = json!([["@compute @workgroup_size(1) fn f() { let x = 1u + 1.0f; }", "f"]]);
        let found = browser.run(compile, &[doctored])?;
        expect("problems found in a wrong shader", &found.as_array().map(Vec::len), &Some(1))
    })
}

/// Two shaders, parameters, an offset into a buffer, a spare operand, several runs.
fn toy() -> Result<(), String> {
    let fill = "
        struct Params { first: u32, step: u32, width: u32 }
        @group(0) @binding(0) var<storage, read_write> output: array<u32>;
        @group(0) @binding(1) var<storage, read> unused: array<u32>;
        @compute @workgroup_size(params.width)
        fn fill(@builtin(global_invocation_id) id: vec3<u32>) { output[id.x] = twice(params.first + params.step * id.x); }";
    let shared = "fn twice(x: u32) -> u32 { return 2u * x; }";
    let add = "
        struct Params { width: u32 }
        struct State { addend: u32 }
        @group(0) @binding(0) var<uniform> state: State;
        @group(0) @binding(1) var<storage, read> input: array<u32>;
        @group(0) @binding(2) var<storage, read_write> output: array<u32>;
        @compute @workgroup_size(1)
        fn add(@builtin(global_invocation_id) id: vec3<u32>) { output[id.x + params.width * id.y] += input[id.x] + state.addend; }";
    let program = json!({
        "buffers": [
            { "name": "spare", "bytes": 256 }, { "name": "numbers", "bytes": 512 }, { "name": "sums", "bytes": 256 },
            { "name": "state", "bytes": 256, "uniform": true },
        ],
        "tensors": [
            { "name": "numbers", "shape": [4], "element": "u32", "role": "data", "buffer": 1, "offset": 256, "bytes": 16 },
            { "name": "sums", "shape": [2, 4], "element": "u32", "role": "metrics", "buffer": 2, "offset": 0, "bytes": 32 },
            { "name": "state", "shape": [4], "element": "u32", "role": "state", "buffer": 3, "offset": 0, "bytes": 16 },
        ],
        "pipelines": [
            { "name": "fill", "entry": "fill", "params": ["1u", "3u", "4u"], "files": ["fill.wgsl", "shared.wgsl"],
              "bindings": ["read_write", "read"] },
            { "name": "add", "entry": "add", "params": ["4u"], "files": ["add.wgsl"],
              "bindings": ["state", "read", "read_write"] },
        ],
        "lists": {
            "begin": [{ "pipeline": 0, "operands": [[1, 256, 16], [0, 0, 256]], "groups": [1, 1, 1] }],
            "go": [{ "pipeline": 1, "operands": [[3, 0, 16], [1, 256, 16], [2, 0, 32]], "groups": [4, 2, 1] }],
            "broken": [{ "pipeline": 1, "operands": [[3, 0, 16], [1, 256, 512], [2, 0, 32]], "groups": [4, 2, 1] }],
        },
    });
    let run = "
        const { openGpu } = await import('./gpu.js');
        const { Session } = await import('./session.js');
        const [program, files] = args;
        const session = await Session.open(await openGpu(), program, async (file) => files[file]);
        const [numbers, sums, state] = ['numbers', 'sums', 'state'].map((name) => session.tensor(name));
        session.write(state, Uint32Array.of(100, 0, 0, 0));
        await session.run('begin');
        await session.run('go', 3);
        const [a, b] = (await session.read(numbers, sums)).map((buffer) => [...new Uint32Array(buffer)]);
        session.write(numbers, Uint8Array.of(7, 0, 0, 0, 9), 4);
        const [c] = await session.read(numbers);
        const each = (await session.runAndRead('go', 2, sums)).map((buffer) => new Uint32Array(buffer)[5]);
        const broken = await session.run('broken').then(() => 'it ran', (error) => error.message);
        return [a, b, [...new Uint32Array(c)], each, broken];";
    visit(files(false), DESKTOP, |browser, _| {
        let texts = json!({ "fill.wgsl": fill, "shared.wgsl": shared, "add.wgsl": add });
        let Value::Array(found) = browser.run(run, &[program, texts])? else { return Err("no array".into()) };
        expect("numbers", &found[0], &json!([2, 8, 14, 20]))?;
        expect("sums of three runs", &found[1], &json!([306, 324, 342, 360, 306, 324, 342, 360]))?;
        expect("numbers written", &found[2], &json!([2, 7, 9, 20]))?;
        expect("sums read after each of two runs", &found[3], &json!([431, 538]))?;
        let message = found[4].as_str().unwrap_or_default();
        if message.contains("Binding") { Ok(()) } else { Err(format!("a binding beyond its buffer: {message:?}")) }
    })
}
