//! The devices that tests of whole steps run on: the CPU, and every adapter of this machine.
//!
//! Without any adapter a test holds for the CPU alone and says so; with `MNIST_GPU_REQUIRE_ADAPTER=1` it fails and says
//! what to install. SwiftShader takes part where `VK_ADD_DRIVER_FILES` names its driver.

use mnist_gpu::cpu::Cpu;
use mnist_gpu::device::Device;
use mnist_gpu::gpu::{Gpu, adapters};
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::{Mutex, OnceLock, PoisonError};

/// The adapters, each opened once. One test at a time has one.
static OPENED: OnceLock<Vec<Mutex<Gpu>>> = OnceLock::new();

/// The CPU with so many threads.
pub fn cpu(threads: usize) -> Cpu {
    Cpu::new(NonZeroUsize::new(threads)).expect("threads can be started")
}

/// Runs a test on every adapter, on all at once: they compile shaders on one core each.
pub fn on_adapters(test: impl Fn(&dyn Device) + Sync) {
    let opened = OPENED.get_or_init(|| {
        let open = |adapter| Gpu::open(adapter, false).unwrap_or_else(|error| panic!("{error}"));
        adapters().iter().map(open).map(Mutex::new).collect()
    });
    if opened.is_empty() {
        let problem = "no adapter was found. Install one that needs no hardware: mesa-vulkan-drivers and libvulkan1 \
                       (Vulkan), libegl1 and libgl1-mesa-dri (GL) on Debian and Ubuntu";
        let required = std::env::var("MNIST_GPU_REQUIRE_ADAPTER").is_ok_and(|value| value == "1");
        assert!(!required, "{problem}");
        eprintln!("on the CPU alone: {problem}");
    }
    let run = |adapter: &Mutex<Gpu>| {
        // What another test did on a device before it failed does not matter here: each loads programs of its own.
        let device = adapter.lock().unwrap_or_else(PoisonError::into_inner);
        println!("on {}", device.info());
        test(&*device);
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = opened.iter().map(|adapter| scope.spawn(|| run(adapter))).collect();
        // The scope by itself waits for what threads do, not for their end, with which they free what drivers kept for them.
        for thread in threads {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
}
