// Trains and evaluates with a program: what the native trainer does, without a word of ops or models.

import { rows, learningRate } from './schedule.js';
import { Session } from './session.js';
import { readShader } from './files.js';

/** How long a chunk of steps should take: short enough to stay responsive and clear of watchdogs. */
const CHUNK_MS = 50;

/** The state of a run before a step, over `count` images that begin at image `first`; src/program/state.rs names the words. */
function stateAt(tensor, { seed = 0, step = 0, first = 0, count }) {
  const words = new Uint32Array(tensor.bytes / 4);
  words.set([seed, step, first, count]);
  return words;
}

/** How many steps to do at once, from how long the last ones took. */
class Pace {
  steps = 1;

  took(milliseconds, most) {
    if (milliseconds < CHUNK_MS / 2) this.steps = Math.min(2 * this.steps, most);
    else if (milliseconds > 2 * CHUNK_MS) this.steps = Math.max(1, this.steps >> 1);
  }
}

/** The named tensors within the flat buffer of parameters. */
export function parameters({ tensors, ports }) {
  return tensors.filter(({ role }, id) => role === 'parameter' && id !== ports.parameters);
}

/** Reads all parameters: [{ name, shape, values }]. */
export async function readParameters(session) {
  const named = parameters(session.program);
  const buffers = await session.read(...named);
  return named.map(({ name, shape }, i) => ({ name, shape, values: new Float32Array(buffers[i]) }));
}

/** Evaluates images from `first` on against their labels: mean loss, accuracy, and the confusion matrix. */
export async function evaluate(session, first, labels, classes, isStopped = () => false) {
  const { tensors, ports } = session.program;
  const [state, output] = [tensors[ports.eval.state], tensors[ports.log_probabilities]];
  session.write(state, stateAt(state, { first, count: labels.length }));
  const confusion = Array.from({ length: classes }, () => new Uint32Array(classes));
  const steps = Math.ceil(labels.length / ports.eval.batch);
  const pace = new Pace();
  let [loss, correct, image] = [0, 0, 0];
  for (let step = 0; step < steps;) {
    if (isStopped()) return null;
    const times = Math.min(pace.steps, steps - step);
    const clock = performance.now();
    const batches = await session.runAndRead('eval_step', times, output);
    pace.took(performance.now() - clock, 64);
    for (const batch of batches) {
      const table = new Float32Array(batch);
      for (let row = 0; row < ports.eval.batch && image < labels.length; row++, image++) {
        const answer = mostProbable(table.subarray(row * classes, (row + 1) * classes));
        loss -= table[row * classes + labels[image]];
        correct += answer === labels[image];
        confusion[labels[image]][answer] += 1;
      }
    }
    step += times;
  }
  return { loss: loss / labels.length, accuracy: correct / labels.length, confusion };
}

/** The first class of the largest value. */
export function mostProbable(row) {
  return row.reduce((best, value, i) => (value > row[best] ? i : best), 0);
}

/** A training run. The caller pulls events out of it, and pauses by not pulling. */
export class Trainer {
  /** `config` is that of the weights' metadata; `train` and `test` are splits. */
  static async open(gpu, program, config, train, test, classes) {
    const session = await Session.open(gpu, program, readShader);
    const { tensors, ports } = program;
    const images = new Uint8Array(train.images.length + test.images.length);
    images.set(train.images);
    images.set(test.images, train.images.length);
    session.write(tensors[ports.images], images);
    const labels = new Uint8Array(train.count + test.count);
    labels.set(train.labels);
    labels.set(test.labels, train.count);
    session.write(tensors[ports.labels], labels);
    const state = tensors[ports.train.state];
    session.write(state, stateAt(state, { seed: config.seed, count: train.count }));
    await session.run('init');
    return new Trainer(session, config, train, test, classes);
  }

  constructor(session, config, train, test, classes) {
    const { ports } = session.program;
    this.session = session;
    this.config = config;
    this.train = train;
    this.test = test;
    this.classes = classes;
    this.step = 0;
    this.stepLosses = [];
    this.pace = new Pace();
    this.course = {
      schedule: config.schedule,
      rate: config.learning_rate,
      epochs: config.epochs,
      stepsPerEpoch: Math.ceil(train.count / ports.train.batch),
      betas: config.optimizer.betas ?? [0, 0],
    };
    this.#beginEpoch();
  }

  #evaluated = false;

  #beginEpoch() {
    this.epoch = { loss: 0, correct: 0, milliseconds: 0 };
    this.#evaluated = false;
  }

  get totalSteps() {
    return this.course.epochs * this.course.stepsPerEpoch;
  }

  /** Does the next piece of work: an event of kind chunk, epoch or done. */
  async advance() {
    const { stepsPerEpoch } = this.course;
    if (this.step > 0 && this.step % stepsPerEpoch === 0 && !this.#evaluated) return this.#endEpoch();
    if (this.step === this.totalSteps) return { kind: 'done' };
    if (this.step % stepsPerEpoch === 0) this.#beginEpoch();
    return this.#chunk();
  }

  async #chunk() {
    const { tensors, ports } = this.session.program;
    const { stepsPerEpoch } = this.course;
    const position = this.step % stepsPerEpoch;
    const metrics = tensors[ports.train.metrics];
    const slots = metrics.shape[0];
    const clock = performance.now();
    if (position === 0) {
      this.session.write(tensors[ports.schedule], rows(this.course, this.step / stepsPerEpoch));
    }
    const steps = Math.min(this.pace.steps, stepsPerEpoch - position, slots);
    await this.session.run('train_step', steps);
    const table = new Float32Array((await this.session.read(metrics))[0]);
    const milliseconds = performance.now() - clock;
    this.pace.took(milliseconds, slots);

    let [images, correct] = [0, 0];
    const losses = [];
    for (let i = 0; i < steps; i++) {
      const slot = (this.step + i) % slots;
      const live = Math.min(ports.train.batch, this.train.count - (position + i) * ports.train.batch);
      losses.push(table[2 * slot] / live);
      this.epoch.loss += table[2 * slot];
      correct += table[2 * slot + 1];
      images += live;
    }
    this.epoch.correct += correct;
    this.epoch.milliseconds += milliseconds;
    this.step += steps;
    this.stepLosses.push(...losses);
    const lost = losses.findIndex((loss) => !Number.isFinite(loss));
    if (lost >= 0) {
      const rate = learningRate(this.course, this.step - steps + lost);
      throw new Error(`the loss became ${losses[lost]} at step ${this.step - steps + lost}: training has diverged. `
        + `Lower the learning rate (it is ${rate.toPrecision(3)} at this step)`);
    }
    return { kind: 'chunk', losses, accuracy: correct / images, images, milliseconds };
  }

  async #endEpoch() {
    const { test, classes, train } = this;
    const score = await evaluate(this.session, train.count, test.labels, classes);
    this.#evaluated = true;
    return {
      kind: 'epoch',
      epoch: this.step / this.course.stepsPerEpoch,
      trainLoss: this.epoch.loss / train.count,
      trainAccuracy: this.epoch.correct / train.count,
      imagesPerSecond: train.count / (this.epoch.milliseconds / 1000),
      test: score,
    };
  }

  /** Frees the device's memory. */
  close() {
    this.session.close();
  }
}
