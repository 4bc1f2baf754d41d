// The files of the site, whose root is where this module is.

/** A file's response, or an error that names it. */
async function get(path) {
  const response = await fetch(new URL(path, import.meta.url));
  if (!response.ok) throw new Error(`${path}: the server answered ${response.status}`);
  return response;
}

/** Gives the same promise for the same path, and forgets those that failed. */
function once(load) {
  const kept = new Map();
  return (path) => {
    if (!kept.has(path)) {
      const loading = load(path);
      loading.catch(() => kept.delete(path));
      kept.set(path, loading);
    }
    return kept.get(path);
  };
}

export const readJson = once(async (path) => (await get(path)).json());
export const readShader = once(async (file) => (await get(`shaders/${file}`)).text());
export const readBytes = once(async (path) => (await get(path)).arrayBuffer());

/** Images and labels of a split. */
export const readSplit = once(async (split) => {
  const [images, labels] = await Promise.all([split.images, split.labels].map(readIdx));
  const { count } = split;
  if (images.extents[0] !== count || labels.extents[0] !== count) {
    throw new Error(`${split.images}: has not the ${count} images that the site promises`);
  }
  return { count, images: images.bytes, labels: labels.bytes };
});

/** An IDX file of bytes: its extents, and what follows. */
async function readIdx(path) {
  const bytes = await gunzip(new Uint8Array(await (await get(path)).arrayBuffer()));
  const view = new DataView(bytes.buffer);
  const dimensions = bytes[3];
  const extents = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const start = 4 + 4 * dimensions;
  const expected = start + extents.reduce((product, extent) => product * extent, 1);
  if (view.getUint16(0) !== 0 || bytes[2] !== 8 || expected !== bytes.length) {
    throw new Error(`${path}: is no whole IDX file`);
  }
  return { extents, bytes: bytes.subarray(start) };
}

/** Bytes as they are, decompressed if a server has not done so already. */
async function gunzip(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
