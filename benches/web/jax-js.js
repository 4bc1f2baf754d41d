// jax-js: the whole step in one jit, Adam written out.

import {
  blockUntilReady, defaultDevice, grad, init, jit, lax, nn, numpy as np, random, tree,
} from '/modules/@jax-js/jax/dist/index.js';
import { BATCH, batch } from './measure.js';

const pool = (x, channels, side) => np.max(x.reshape([BATCH, channels, side / 2, 2, side / 2, 2]), [3, 5]);
const conv = (x, weights, bias) => nn.relu(lax.conv(x, weights, [1, 1], 'SAME').add(bias));

const MODELS = {
  mlp: {
    shapes: [[784, 128], [128], [128, 10], [10]],
    forward: ([w1, b1, w2, b2], x) => np.matmul(nn.relu(np.matmul(x, w1).add(b1)), w2).add(b2),
  },
  lenet: {
    shapes: [[16, 1, 5, 5], [16, 1, 1], [32, 16, 5, 5], [32, 1, 1], [1568, 10], [10]],
    forward: ([w1, b1, w2, b2, w3, b3], x) => {
      const first = pool(conv(x.reshape([BATCH, 1, 28, 28]), w1, b1), 16, 28);
      const second = pool(conv(first, w2, b2), 32, 14);
      return np.matmul(second.reshape([BATCH, 1568]), w3).add(b3);
    },
  },
};

export async function prepare(model) {
  await init('webgpu');
  defaultDevice('webgpu');
  const { shapes, forward } = MODELS[model];
  const { images, labels } = batch();
  const x = np.array(images).reshape([BATCH, 784]);
  const y = np.array(labels).reshape([BATCH, 10]);
  const loss = (p, a, b) => nn.logSoftmax(forward(p, a)).mul(b).sum().mul(-1 / BATCH);
  const update = jit((p, m, v, a, b) => {
    const g = grad(loss)(tree.ref(p), a, b);
    const first = m.map((each, i) => each.mul(0.9).add(g[i].ref.mul(0.1)));
    const second = v.map((each, i) => each.mul(0.999).add(np.square(g[i]).mul(0.001)));
    const next = p.map((each, i) => each.sub(first[i].ref.mul(0.001).div(np.sqrt(second[i].ref).add(1e-8))));
    return [next, first, second];
  });
  let p = shapes.map((shape, i) => random.uniform(random.key(i), shape).sub(0.5).mul(0.1));
  let [m, v] = [0, 1].map(() => shapes.map((shape) => np.zeros(shape)));
  return {
    step: () => { [p, m, v] = update(p, m, v, x.ref, y.ref); },
    finish: () => blockUntilReady(p),
  };
}
