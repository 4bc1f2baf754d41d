// The GPU of this browser, or why there is none.

/** No WebGPU here; `reason` is one of insecure, browser, adapter, device. */
export class Unavailable extends Error {
  constructor(reason, message) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Opens the best adapter with the limits that every WebGPU device has.
 * `kernels` is the class of kernels that suits it: software for an adapter that executes shaders on the CPU.
 */
export async function openGpu() {
  if (!globalThis.isSecureContext) {
    throw new Unavailable('insecure', 'Browsers allow WebGPU only on https pages and on localhost.');
  }
  if (!navigator.gpu) {
    throw new Unavailable('browser', 'This browser has no WebGPU, or has it switched off.');
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    throw new Unavailable('adapter', 'This browser knows WebGPU, but found no GPU that it may use.');
  }
  let device;
  try {
    device = await adapter.requestDevice();
  } catch (error) {
    throw new Unavailable('device', `The GPU could not be opened: ${error.message}`);
  }
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const software = Boolean(isFallbackAdapter);
  const words = description ? [description] : [vendor, architecture].filter(Boolean);
  return {
    device,
    name: (words.join(' ') || 'an unnamed GPU') + (software ? ' (software)' : ''),
    kernels: software ? 'software' : 'hardware',
    pipelines: new Map(),
  };
}
