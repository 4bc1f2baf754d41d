//! The adapters of this machine.

use super::kernels::{Class, Profile};
use crate::device::DeviceInfo;
use serde::Serialize;

/// An adapter that wgpu found, not opened yet.
pub struct Adapter {
    pub(super) handle: wgpu::Adapter,
    info: DeviceInfo,
}

/// The limits and features of an adapter that decide what runs on it.
#[derive(Clone, Debug, Serialize)]
pub struct Capabilities {
    /// Bytes of one storage binding.
    pub storage_binding_bytes: u64,
    /// Storage buffers of one shader.
    pub storage_buffers: u32,
    /// Bytes of memory of a workgroup.
    pub workgroup_bytes: u32,
    /// Invocations of a workgroup.
    pub workgroup_invocations: u32,
    /// Which of the features that matter the adapter has.
    pub features: Vec<&'static str>,
}

/// Every adapter of every backend, in a stable order.
///
/// Makes an instance of wgpu: drivers may write to stderr.
pub fn adapters() -> Vec<Adapter> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.flags = wgpu::InstanceFlags::empty();
    let instance = wgpu::Instance::new(descriptor);
    let mut adapters: Vec<Adapter> =
        pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY | wgpu::Backends::GL))
            .into_iter()
            .filter(|adapter| {
                adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
            })
            .map(|handle| Adapter { info: describe(&handle.get_info()), handle })
            .collect();
    // llvmpipe before SwiftShader: the faster of the two where both are there.
    adapters.sort_by_key(|adapter| adapter.info.name.contains("SwiftShader"));
    adapters
}

fn describe(info: &wgpu::AdapterInfo) -> DeviceInfo {
    let kind = match info.device_type {
        wgpu::DeviceType::DiscreteGpu => "discrete",
        wgpu::DeviceType::IntegratedGpu => "integrated",
        wgpu::DeviceType::VirtualGpu => "virtual",
        wgpu::DeviceType::Cpu => "software",
        wgpu::DeviceType::Other => "other",
    };
    let driver = [info.driver.trim(), info.driver_info.trim()].into_iter().filter(|part| !part.is_empty());
    DeviceInfo {
        name: info.name.trim().into(),
        backend: info.backend.to_str().into(),
        kind: kind.into(),
        driver: driver.collect::<Vec<_>>().join(" "),
    }
}

impl Adapter {
    /// What the adapter is.
    pub fn info(&self) -> &DeviceInfo {
        &self.info
    }

    /// Which kernels it wants.
    pub fn profile(&self) -> Profile {
        let class = match (self.info.is_software(), self.has_subgroups_of_eight()) {
            (true, true) => Class::Subgroups,
            (true, false) => Class::Software,
            (false, _) => Class::Hardware,
        };
        Profile::of(class)
    }

    /// Whether shaders may use subgroups, and these have eight invocations.
    pub(super) fn has_subgroups_of_eight(&self) -> bool {
        let wgpu::AdapterInfo { subgroup_min_size, subgroup_max_size, .. } = self.handle.get_info();
        self.handle.features().contains(wgpu::Features::SUBGROUP) && [subgroup_min_size, subgroup_max_size] == [8, 8]
    }

    /// The limits and features that matter.
    pub fn capabilities(&self) -> Capabilities {
        let limits = self.handle.limits();
        let features = self.handle.features();
        let names = [
            ("timestamps", wgpu::Features::TIMESTAMP_QUERY),
            ("f16", wgpu::Features::SHADER_F16),
            ("subgroups", wgpu::Features::SUBGROUP),
            ("pipeline cache", wgpu::Features::PIPELINE_CACHE),
        ];
        Capabilities {
            storage_binding_bytes: limits.max_storage_buffer_binding_size,
            storage_buffers: limits.max_storage_buffers_per_shader_stage,
            workgroup_bytes: limits.max_compute_workgroup_storage_size,
            workgroup_invocations: limits.max_compute_invocations_per_workgroup,
            features: names.into_iter().filter(|(_, flag)| features.contains(*flag)).map(|(name, _)| name).collect(),
        }
    }
}
