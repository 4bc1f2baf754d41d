// Weights as safetensors: 8 bytes with the length of a JSON header, the header, the numbers.

/** Bytes of a file with f32 tensors [{ name, shape, values }] and metadata of texts. */
export function serialize(tensors, metadata) {
  const header = { __metadata__: metadata };
  let end = 0;
  for (const { name, shape, values } of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [end, end += values.byteLength] };
  }
  let text = new TextEncoder().encode(JSON.stringify(header));
  // Spaces, so that the numbers begin at a whole word.
  const length = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + length + end).fill(32, 8, 8 + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  let at = 8 + length;
  for (const { values } of tensors) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/** The tensors of a file by name, and its metadata. Throws what is wrong with it. */
export function parse(buffer) {
  const broken = (what) => new Error(`this is no whole safetensors file: ${what}`);
  if (buffer.byteLength < 8) throw broken('it is too short');
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (length > buffer.byteLength - 8) throw broken(`its header should have ${length} bytes`);
  let header;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array(buffer, 8, length)));
  } catch {
    throw broken('its header is no JSON');
  }
  if (typeof header !== 'object' || !header) throw broken('its header is no object');
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = new Map();
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: [start, end] = [] } = entry ?? {};
    const count = Array.isArray(shape) ? shape.reduce((product, extent) => product * extent, 1) : NaN;
    if (dtype !== 'F32' || end - start !== 4 * count || !(start >= 0) || 8 + length + end > buffer.byteLength) {
      throw broken(`its tensor ${name} is damaged, or not of 32-bit floats`);
    }
    const values = new Float32Array(buffer.slice(8 + length + start, 8 + length + end));
    if (!values.every(Number.isFinite)) throw new Error(`its tensor ${name} has values that are no numbers`);
    tensors.set(name, { shape, values });
  }
  return { tensors, metadata };
}
