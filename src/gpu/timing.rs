//! The clock of a GPU, where it has one.

use super::executor::Shared;
use crate::Result;
use std::time::Duration;

/// Two timestamps around a pass.
pub(super) struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    staging: wgpu::Buffer,
}

/// Bytes of two timestamps.
const BYTES: u64 = 16;

impl Clock {
    /// The clock of a device; none where it has no timestamps.
    pub(super) fn new(shared: &Shared) -> Result<Option<Self>> {
        use wgpu::BufferUsages as Usage;
        if !shared.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        let queries = shared.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("timestamps"),
            ty: wgpu::QueryType::Timestamp,
            count: 2,
        });
        let resolved = shared.buffer("timestamps", BYTES as usize, Usage::QUERY_RESOLVE | Usage::COPY_SRC)?;
        let staging = shared.buffer("staging", BYTES as usize, Usage::MAP_READ | Usage::COPY_DST)?;
        Ok(Some(Self { queries, resolved, staging }))
    }

    /// What a pass writes at its beginning and its end.
    pub(super) fn writes(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        }
    }

    /// Submits the pass and waits: how long the device took for it.
    pub(super) fn submit(&self, shared: &Shared, mut encoder: wgpu::CommandEncoder) -> Result<Duration> {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.staging, 0, BYTES);
        let submission = shared.queue.submit([encoder.finish()]);
        let bytes = shared.map(&self.staging, submission, "timestamps")?;
        self.staging.unmap();
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&bytes[..BYTES as usize]);
        let nanoseconds = ticks[1].wrapping_sub(ticks[0]) as f64 * f64::from(shared.queue.get_timestamp_period());
        Ok(Duration::from_nanos(nanoseconds as u64))
    }
}
