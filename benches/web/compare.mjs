// Training speed in a browser: this program, TensorFlow.js (its WebGPU backend) and jax-js, images per second at batch 64,
// in the same Chromium on the same adapter, one after another in rounds.
//
//   cargo build --release
//   npm install --no-save --prefix target/web-bench @tensorflow/tfjs @tensorflow/tfjs-backend-webgpu @jax-js/jax
//   node benches/web/compare.mjs [--models mlp,lenet] [--rounds 3] [--seconds 5]
//
// needs chromium and chromedriver. The libraries run in their fastest form: data on the device, nothing read back within
// the time measured; the same layers, Adam.

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: 'mlp,lenet' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    program: { type: 'string', default: 'target/release/mnist-gpu' },
  },
});
const HERE = import.meta.dirname;
const WORK = 'target/web-bench';
const LIBRARIES = ['mnist-gpu', 'tfjs', 'jax-js'];
const TYPES = { '.js': 'text/javascript', '.html': 'text/html', '.json': 'application/json' };

/** A site whose first model trains with batches of 64. */
function site(model) {
  const [run, folder] = [join(WORK, `${model}-run`), join(WORK, `${model}-site`)];
  const train = ['--model', model, '--batch-size', '64', '--epochs', '1', '--train-size', '640', '--device', 'cpu'];
  execFileSync(options.program, ['train', ...train, '--out', run, '--force', '--quiet']);
  execFileSync(options.program, ['export', 'web', run, '-o', folder, '--with-training', '--force', '--quiet']);
  return folder;
}

/** Serves the bench, the sites and the libraries. */
function serve(roots) {
  return new Promise((resolve) => {
    const server = createServer((request, response) => {
      const [, root, ...rest] = new URL(request.url, 'http://localhost').pathname.split('/');
      const file = join(roots[root] ?? '', ...rest);
      if (!roots[root] || !existsSync(file)) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
      response.end(readFileSync(file));
    });
    server.listen(0, () => resolve(server));
  });
}

/** A chromedriver, and a function that sends it commands. */
async function driver() {
  const child = spawn('chromedriver', ['--port=0'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const port = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stdout.on('data', (text) => {
      const found = /successfully on port (\d+)/.exec(text);
      if (found) resolve(found[1]);
    });
  });
  const send = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (value?.error) throw new Error(`${path}: ${value.message}`);
    return value;
  };
  return { child, send };
}

/** Images per second of one library in a fresh browser. */
async function measure(send, url, library, model) {
  const args = [
    '--headless=new', '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--enable-unsafe-webgpu',
    `--user-data-dir=${mkdtempSync(join(tmpdir(), 'bench-'))}`,
  ];
  const capabilities = { alwaysMatch: { 'goog:chromeOptions': { args } } };
  const { sessionId } = await send('POST', '/session', { capabilities });
  try {
    await send('POST', `/session/${sessionId}/timeouts`, { script: 300_000, pageLoad: 60_000 });
    await send('POST', `/session/${sessionId}/url`, { url: `${url}bench/index.html` });
    const script = 'const [library, model, seconds, done] = arguments;'
      + 'import("./measure.js").then((m) => m.measure(library, model, seconds)).then(done, (e) => done(String(e.stack ?? e)));';
    const result = await send('POST', `/session/${sessionId}/execute/async`, {
      script, args: [library, model, Number(options.seconds)],
    });
    if (typeof result === 'string') throw new Error(result);
    return result;
  } finally {
    await send('DELETE', `/session/${sessionId}`);
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const models = options.models.split(',');
const roots = { bench: HERE, modules: join(WORK, 'node_modules') };
for (const model of models) roots[model] = site(model);
const server = await serve(roots);
const { child, send } = await driver();
try {
  const url = `http://localhost:${server.address().port}/`;
  console.log(`| model | ${LIBRARIES.map((name) => `${name}, images/s`).join(' | ')} | against tfjs | against jax-js |`);
  console.log('|---|---:|---:|---:|---:|---:|');
  for (const model of models) {
    const found = LIBRARIES.map(() => []);
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [i, library] of LIBRARIES.entries()) {
        const { imagesPerSecond, adapter } = await measure(send, url, library, model);
        console.error(`${model}, round ${round + 1}, ${library} on ${adapter}: ${imagesPerSecond.toFixed(0)} images/s`);
        found[i].push(imagesPerSecond);
      }
    }
    const [ours, tfjs, jax] = found.map(median);
    const cells = [ours, tfjs, jax].map((speed) => Math.round(speed).toLocaleString('en'));
    console.log(`| ${model} | ${cells.join(' | ')} | ${(ours / tfjs).toFixed(1)} × | ${(ours / jax).toFixed(1)} × |`);
  }
} finally {
  child.kill();
  server.close();
}
