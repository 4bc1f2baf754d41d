//! WGSL to pipelines, each made once, and what a dispatch binds to them.

use super::cache::PipelineCache;
use super::executor::Shared;
use super::kernels::Binding;
use super::recording::{DispatchRecord, PipelineRecord};
use std::time::Instant;

#[derive(Clone)]
pub(super) struct Pipeline {
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) pipeline: wgpu::ComputePipeline,
}

impl Shared {
    /// The pipeline of a shader, compiled when it is first asked for.
    pub(super) fn pipeline(&self, record: &PipelineRecord, wgsl: &str) -> Pipeline {
        let mut pipelines = self.pipelines.lock().expect("no panic while held");
        pipelines.entry(wgsl.into()).or_insert_with(|| self.compile(record, wgsl)).clone()
    }

    fn compile(&self, record: &PipelineRecord, wgsl: &str) -> Pipeline {
        let clock = Instant::now();
        let label = Some(&*record.name);
        let descriptor = wgpu::ShaderModuleDescriptor { label, source: wgpu::ShaderSource::Wgsl(wgsl.into()) };
        let checks =
            if self.checked { wgpu::ShaderRuntimeChecks::checked() } else { wgpu::ShaderRuntimeChecks::unchecked() };
        // SAFETY: the shaders are our own; they are validated here as always, and every index they form lies within the
        // shapes that `Program::validate` checks, which the parity tests confirm with the checks on.
        let module = unsafe { self.device.create_shader_module_trusted(descriptor, checks) };
        let entries: Vec<_> = record
            .bindings
            .iter()
            .zip(0..)
            .map(|(access, binding)| wgpu::BindGroupLayoutEntry {
                binding,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer {
                    ty: match access {
                        Binding::State | Binding::Uniform => wgpu::BufferBindingType::Uniform,
                        Binding::Read => wgpu::BufferBindingType::Storage { read_only: true },
                        Binding::ReadWrite => wgpu::BufferBindingType::Storage { read_only: false },
                    },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                count: None,
            })
            .collect();
        let layout =
            self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let pipeline_layout = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some(&record.entry),
            compilation_options: wgpu::PipelineCompilationOptions {
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: self.cache().map(PipelineCache::handle),
        });
        log::debug!("{} {:?} compiled in {:.0?}", record.name, record.params, clock.elapsed());
        Pipeline { layout, pipeline }
    }

    /// A dispatch's operands.
    pub(super) fn bind(
        &self,
        dispatch: &DispatchRecord,
        layout: &wgpu::BindGroupLayout,
        buffers: &[wgpu::Buffer],
    ) -> wgpu::BindGroup {
        let entries: Vec<_> = dispatch
            .operands
            .iter()
            .zip(0..)
            .map(|(&(buffer, offset, bytes), binding)| wgpu::BindGroupEntry {
                binding,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: &buffers[buffer],
                    offset: offset as u64,
                    size: std::num::NonZeroU64::new(bytes.next_multiple_of(16) as u64),
                }),
            })
            .collect();
        self.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
    }
}
