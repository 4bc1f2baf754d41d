//! `check`: a verdict for every op. What the verdicts are worth is tested beside the comparator.

use super::Place;
use mnist_gpu::gpu::adapters;
use mnist_gpu::program::Op;

#[test]
fn every_op_gets_a_verdict() {
    let objects = Place::new().run(&["check", "--device", "cpu", "--json"]).objects();
    let ops: Vec<&str> = objects.iter().map(|object| object["verdict"]["op"].as_str().expect("a name")).collect();
    assert_eq!(ops, Op::NAMES);
    assert!(objects.iter().all(|object| object["verdict"]["ok"] == true && object["device"]["backend"] == "cpu"));
    let table = Place::new().run(&["check", "--device", "cpu"]);
    assert_eq!(table.code, Some(0));
    assert_eq!(table.stdout.matches("   ok\n").count(), Op::NAMES.len(), "{}", table.stdout);
}

#[test]
fn without_an_adapter_it_says_how_to_get_one() {
    if adapters().is_empty() {
        Place::new().run(&["check"]).fails(1, &["mesa-vulkan-drivers"]);
    }
    Place::new().run(&["check", "--device", "no-such-device"]).fails(1, &["no-such-device"]);
}

/// That the CPU agrees with itself says nothing of a driver.
#[test]
fn without_a_gpu_auto_is_not_the_cpu() {
    let check = Place::new().run(&["check", "--device", "auto"]);
    if adapters().iter().all(|adapter| adapter.info().is_software()) {
        check.fails(1, &["nothing to check", "GPU was found", "--device all"]);
    } else {
        assert_eq!(check.code, Some(0), "{check:?}");
    }
}
