// TensorFlow.js with its WebGPU backend.

/* global tf */
import { BATCH, batch } from './measure.js';

const dense = (units, activation) => tf.layers.dense({ units, activation });
const conv = (filters) => tf.layers.conv2d({ filters, kernelSize: 5, padding: 'same', activation: 'relu' });
const pool = () => tf.layers.maxPooling2d({ poolSize: 2 });
const LAYERS = {
  mlp: () => [tf.layers.flatten(), dense(128, 'relu'), dense(10)],
  lenet: () => [conv(16), pool(), conv(32), pool(), tf.layers.flatten(), dense(10)],
};

export async function prepare(model) {
  await tf.setBackend('webgpu');
  await tf.ready();
  const { images, labels } = batch();
  const [x, y] = [tf.tensor4d(images, [BATCH, 28, 28, 1]), tf.tensor2d(labels, [BATCH, 10])];
  const input = tf.layers.inputLayer({ inputShape: [28, 28, 1] });
  const network = tf.sequential({ layers: [input, ...LAYERS[model]()] });
  const optimizer = tf.train.adam(0.001);
  const loss = () => tf.losses.softmaxCrossEntropy(y, network.apply(x, { training: true }));
  return {
    step: () => { optimizer.minimize(loss); },
    finish: () => network.getWeights()[0].data(),
  };
}
