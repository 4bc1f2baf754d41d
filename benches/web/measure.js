// Times one library in the page. Each gives { step(), finish() }: steps may be queued, finish waits for them.

/** Images of a step. */
export const BATCH = 64;

export async function measure(library, model, seconds) {
  const { prepare } = await import(`./${library}.js`);
  const trainer = await prepare(model);
  for (let warm = 0; warm < 3; warm++) await trainer.step();
  await trainer.finish();
  const began = performance.now();
  let [steps, chunk] = [0, 1];
  while (performance.now() - began < 1000 * seconds) {
    const clock = performance.now();
    for (let i = 0; i < chunk; i++) await trainer.step();
    await trainer.finish();
    steps += chunk;
    // Chunks of some 100 ms, as a page has them.
    if (performance.now() - clock < 50) chunk *= 2;
  }
  const imagesPerSecond = (BATCH * steps) / ((performance.now() - began) / 1000);
  const { vendor, architecture } = (await navigator.gpu.requestAdapter()).info;
  return { imagesPerSecond, adapter: `${vendor} ${architecture}` };
}

/** Random images and one-hot labels: speed does not depend on what is on them. */
export function batch() {
  const images = Float32Array.from({ length: BATCH * 784 }, () => Math.random());
  const labels = new Float32Array(BATCH * 10);
  for (let row = 0; row < BATCH; row++) labels[row * 10 + Math.floor(Math.random() * 10)] = 1;
  return { images, labels };
}
