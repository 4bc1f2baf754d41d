//! GPU = CPU: every op on every adapter of this machine, with the bounds checks of shaders on and off, in every variant
//! that the op's kernels have.
//!
//! A trial is named from op and adapter (`matmul::vulkan_llvmpipe`). Without any adapter the trials are reported as
//! ignored; with `MNIST_GPU_REQUIRE_ADAPTER=1` they fail and say what to install. `--nocapture` prints the worst errors.

mod adam;
mod begin_step;
mod conv2d_backward_input;
mod conv2d_backward_weights;
mod conv2d_forward;
mod dropout;
mod init_uniform;
#[path = "../joined/mod.rs"]
mod joined;
mod load_batch;
mod long_loops;
mod matmul;
mod probe;
mod reduce;
mod sgd;
mod softmax_nll;

use libtest_mimic::{Arguments, Failed, Trial};
use mnist_gpu::check::{Case, cases, check_op};
use mnist_gpu::cpu::Cpu;
use mnist_gpu::device::Device;
use mnist_gpu::gpu::kernels::{ALL, Class, Kernel, Profile, lower};
use mnist_gpu::gpu::{Adapter, Gpu, adapters};
use mnist_gpu::program::Op;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// The seed of every case.
const SEED: u32 = 20_231_108;

/// An op, and the cases that it has beyond those of the library's check.
struct Parity {
    op: &'static str,
    extra: fn(u32) -> Vec<Case>,
}

const PARITY: [Parity; Op::NAMES.len()] = [
    init_uniform::PARITY,
    begin_step::PARITY,
    load_batch::PARITY,
    conv2d_forward::PARITY,
    dropout::PARITY,
    matmul::PARITY,
    softmax_nll::PARITY,
    conv2d_backward_input::PARITY,
    conv2d_backward_weights::PARITY,
    reduce::PARITY,
    sgd::PARITY,
    adam::PARITY,
];

impl Parity {
    fn cases(&self) -> Vec<Case> {
        let mut all = cases(self.op, SEED);
        all.extend((self.extra)(SEED));
        all
    }
}

/// An adapter that trials share.
struct Shared {
    adapter: Adapter,
    /// The classes whose kernels run with bounds checks, too. The indices are the same on every adapter: one of them finds
    /// what lies outside.
    checked: Vec<Class>,
    /// OpenGL has one context for all devices of an adapter: who holds this has it.
    context: Mutex<()>,
}

impl Shared {
    /// A trial on the adapter.
    fn trial(self: &Arc<Self>, name: String, test: impl FnOnce(&Self) -> Result<(), Failed> + Send + 'static) -> Trial {
        let shared = Arc::clone(self);
        joined::trial(name, move || {
            // A trial that panicked leaves nothing behind that the next one would use.
            let held = || shared.context.lock().unwrap_or_else(PoisonError::into_inner);
            let _context = (shared.adapter.info().backend == "gl").then(held);
            test(&shared)
        })
    }
}

fn main() -> ExitCode {
    restart_with_swiftshader();
    let mut arguments = Arguments::from_args();
    // Software adapters compile shaders, which takes longer than running them, on one core.
    arguments.test_threads.get_or_insert(2);
    let verbose = arguments.nocapture;
    let found = adapters();
    let mut trials = vec![Trial::test("every_kernel_is_run", every_kernel_is_run)];
    if found.is_empty() {
        trials.extend(PARITY.iter().map(without_adapter));
    }
    let checks = bounds_checks(&found);
    let mut names = Vec::new();
    for (adapter, checked) in found.into_iter().zip(checks) {
        let slug = slug(&adapter);
        let number = names.iter().filter(|name| **name == slug).count();
        let name = if number == 0 { slug.clone() } else { format!("{slug}_{}", number + 1) };
        names.push(slug);
        let shared = Arc::new(Shared { adapter, checked, context: Mutex::default() });
        trials.push(shared.trial(format!("long_loops::{name}"), |shared| long_loops::on_adapter(&shared.adapter)));
        trials.push(shared.trial(format!("probe::{name}"), |shared| probe::on_adapter(&shared.adapter)));
        for parity in &PARITY {
            let name = format!("{}::{name}", parity.op);
            trials.push(shared.trial(name, move |shared| on_adapter(parity, shared, verbose)));
        }
    }
    // By op: trials that share a context do not stand side by side.
    trials.sort_by(|a, b| a.name().cmp(b.name()));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The backend and the first words of the adapter's name: `vulkan_llvmpipe`.
fn slug(adapter: &Adapter) -> String {
    let info = adapter.info();
    let name = info.name.split('(').next().unwrap_or_default().to_lowercase();
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    std::iter::once(info.backend.as_str()).chain(words).collect::<Vec<_>>().join("_")
}

/// Of each adapter the classes whose kernels run with bounds checks: each once, on the last adapter that has it, which
/// compiles faster than llvmpipe if it is SwiftShader. Shaders of OpenGL have no such checks.
fn bounds_checks(adapters: &[Adapter]) -> Vec<Vec<Class>> {
    let mut left = Class::ALL.to_vec();
    let mut checks: Vec<_> = adapters
        .iter()
        .rev()
        .map(|adapter| {
            let class = adapter.profile().class;
            let here = |other: &mut Class| adapter.info().backend != "gl" && class.runnable().contains(other);
            left.extract_if(.., here).collect()
        })
        .collect();
    checks.reverse();
    checks
}

/// What stands for an op's trials where no adapter is.
fn without_adapter(parity: &Parity) -> Trial {
    let required = std::env::var("MNIST_GPU_REQUIRE_ADAPTER").is_ok_and(|value| value == "1");
    let problem = "no adapter was found. Install one that needs no hardware: mesa-vulkan-drivers and libvulkan1 \
                   (Vulkan), libegl1 and libgl1-mesa-dri (GL) on Debian and Ubuntu";
    let name = format!("{}::no_adapter", parity.op);
    if required {
        Trial::test(name, move || Err(problem.into()))
    } else {
        Trial::ignorable_test(name, move || Ok(libtest_mimic::Completion::ignored_with(problem)))
    }
}

/// Holds an adapter against the CPU in an op's cases.
fn on_adapter(parity: &Parity, shared: &Shared, verbose: bool) -> Result<(), Failed> {
    let cases = parity.cases();
    let reference = Cpu::new(None)?;
    let runnable = shared.adapter.profile().class.runnable();
    for (checked, all) in [(false, &runnable), (true, &shared.checked)] {
        let mut device = None;
        for class in all.iter().copied() {
            let cases: Vec<_> = cases.iter().filter(|case| first_with_its_kernels(case, class)).cloned().collect();
            if cases.is_empty() {
                continue;
            }
            let device = match &device {
                Some(device) => device,
                None => device.insert(Gpu::open(&shared.adapter, checked)?),
            };
            let device = device.with_profile(Profile::of(class));
            let verdict = check_op(&device, &reference, parity.op, &cases)?;
            let how = format!("{}, {class:?} kernels, bounds checks {checked}", device.info());
            if !verdict.ok {
                return Err(format!("{how}: {verdict}").into());
            }
            if verbose {
                println!("\n{how}: {verdict}");
            }
        }
    }
    Ok(())
}

/// Whether no class before it, of those that run everywhere, has the same kernels for a case.
fn first_with_its_kernels(case: &Case, class: Class) -> bool {
    let shaders = |class| kernels(std::slice::from_ref(case), class).map(move |kernel| kernel.wgsl(class));
    let before = Class::PORTABLE.into_iter().filter(|other| *other < class);
    !before.map(shaders).any(|before| before.eq(shaders(class)))
}

/// The kernels that cases run.
fn kernels(cases: &[Case], class: Class) -> impl Iterator<Item = &'static Kernel> {
    let lowered = cases.iter().flat_map(move |case| lower(&case.program, &Profile::of(class)));
    lowered.flatten().map(|dispatch| dispatch.kernel)
}

/// Asserts that the cases leave no kernel out.
fn every_kernel_is_run() -> Result<(), Failed> {
    let run: BTreeSet<_> = PARITY
        .iter()
        .flat_map(|parity| {
            let cases = parity.cases();
            let names = |class| {
                let run = cases.iter().filter(move |case| first_with_its_kernels(case, class));
                run.flat_map(move |case| kernels(std::slice::from_ref(case), class))
                    .map(|kernel| kernel.name)
                    .collect::<Vec<_>>()
            };
            Class::ALL.map(names).into_iter().flatten()
        })
        .collect();
    let left: Vec<_> = ALL.iter().map(|kernel| kernel.name).filter(|name| !run.contains(name)).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("no case runs {left:?}").into()) }
}

/// SwiftShader's Vulkan driver comes with Chromium and is not installed for others. The loader takes it from a variable
/// that must be there when the process starts.
#[cfg(unix)]
fn restart_with_swiftshader() {
    use std::os::unix::process::CommandExt;
    const VARIABLE: &str = "VK_ADD_DRIVER_FILES";
    const PLACES: [&str; 4] = [
        "/usr/lib/chromium/vk_swiftshader_icd.json",
        "/usr/share/chromium/vk_swiftshader_icd.json",
        "/usr/lib64/chromium-browser/vk_swiftshader_icd.json",
        "/opt/google/chrome/vk_swiftshader_icd.json",
    ];
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    let Some(driver) = PLACES.iter().find(|path| std::path::Path::new(path).exists()) else { return };
    let Ok(program) = std::env::current_exe() else { return };
    let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(VARIABLE, driver).exec();
    eprintln!("without SwiftShader: {error}");
}

#[cfg(not(unix))]
fn restart_with_swiftshader() {}
