// The part of the page that trains.

import { Trainer, evaluate, parameters, readParameters } from './trainer.js';
import { Session } from './session.js';
import { confusionTable, plot, row } from './plots.js';
import { parse, serialize } from './safetensors.js';
import { readJson, readShader, readSplit } from './files.js';
import { element, percent, report } from './page.js';

/** The metadata's one key in a file of weights. */
const KEY = 'mnist-gpu';

export class TrainPanel {
  #gpu = null;
  #site;
  #recognise;
  /** idle, loading, training, evaluating, paused, or ended. */
  #state = 'idle';
  /** What computes: one piece of work after another. */
  #work = Promise.resolve();
  /** Whose turn it is: work whose turn is over comes to its end, and leaves the page to the next. */
  #turn = null;
  #trainer = null;
  /** The model that the trainer trains, and the one that is chosen for the next. */
  #model = null;
  #chosen = null;
  #losses = [];
  #accuracies = [];
  #tests = [];

  constructor(site, recognise) {
    this.#site = site;
    this.#recognise = recognise;
    const { train, test, name } = site.data;
    element('data').textContent = `${name}: ${train ? `${train.count.toLocaleString()} training and ` : ''}`
      + `${test.count.toLocaleString()} test images`;
    element('no-images').hidden = Boolean(train);
    element('model').replaceChildren(...site.models.map(({ name: model }) => new Option(model)));
    element('model').onchange = () => this.#chooseModel();
    element('settings').onsubmit = (event) => {
      event.preventDefault();
      this.#start();
    };
    element('pause').onclick = () => (this.#state === 'paused' ? this.#resume() : this.#pause());
    element('stop').onclick = () => this.#stop();
    element('use').onclick = () => report(async () => this.#recognise.offer(await this.#trained()));
    element('download').onclick = () => report(() => this.#download());
    element('load').onclick = () => element('weights-file').click();
    element('weights-file').onchange = ({ target }) => this.openWeights(target.files[0]);
    element('evaluate').onclick = () => this.#evaluate();
    this.#chooseModel();
    this.#enable();
  }

  /** Lets the panel compute. */
  async begin(gpu) {
    this.#gpu = gpu;
    this.#enable();
    await this.#showKernels();
  }

  /** Reads weights from a file, and recognises with them. */
  async openWeights(file) {
    element('weights-file').value = '';
    if (!file) return;
    await report(async () => {
      const source = weightsOf(await file.arrayBuffer(), this.#site);
      await this.#recognise.offer({ ...source, label: `${source.model.name}, from ${file.name}` });
    });
  }

  #chooseModel() {
    this.#chosen = this.#site.models[element('model').selectedIndex];
    const { parameters: count, flops, metadata } = this.#chosen;
    const config = metadata.training;
    element('seed').value = config.seed;
    element('epochs').value = config.epochs;
    element('rate').value = config.learning_rate;
    element('about').textContent = `${count.toLocaleString()} parameters, ${(flops / 1e6).toFixed(2)} MFLOP an image; batch `
      + `${config.batch_size}, ${config.optimizer.name === 'adam' ? (config.optimizer.decoupled ? 'AdamW' : 'Adam') : 'SGD'}, `
      + `${config.schedule} learning rate`;
    if (this.#gpu) report(() => this.#showKernels());
  }

  /** Which buttons do something now. */
  #enable() {
    const busy = ['loading', 'training', 'evaluating', 'paused'].includes(this.#state);
    const canTrain = Boolean(this.#gpu && this.#site.data.train);
    for (const id of ['model', 'seed', 'epochs', 'rate']) element(id).disabled = busy || !canTrain;
    element('start').disabled = busy || !canTrain;
    element('pause').disabled = !['training', 'paused'].includes(this.#state);
    element('pause').textContent = this.#state === 'paused' ? 'Resume' : 'Pause';
    element('stop').disabled = !busy;
    const still = Boolean(this.#trainer) && ['paused', 'ended'].includes(this.#state);
    element('use').disabled = element('download').disabled = !still;
    element('load').disabled = !this.#gpu;
    element('evaluate').disabled = !this.#gpu || busy;
  }

  #become(state, status) {
    this.#state = state;
    element('status').textContent = status;
    this.#enable();
  }

  /** Does work as soon as what is under way has come to its end, unless its turn is over by then. */
  #next(work) {
    const turn = Symbol('turn');
    this.#turn = turn;
    const mine = () => this.#turn === turn;
    this.#work = this.#work.then(() => (mine() ? work(mine) : undefined));
  }

  /** Ends the turn of what is under way. */
  async #rest(state, word) {
    this.#turn = null;
    const rest = () => {
      const steps = this.#trainer?.step ?? 0;
      element('progress').value = this.#trainer ? steps / this.#trainer.totalSteps : 0;
      this.#become(state, `${word} after ${steps.toLocaleString()} steps.`);
    };
    rest();
    await this.#work;
    if (!this.#turn && this.#state === state) rest();
  }

  #start() {
    this.#become('loading', 'Loading the training images…');
    const model = this.#chosen;
    const config = {
      ...model.metadata.training,
      seed: Number(element('seed').value),
      epochs: Number(element('epochs').value),
      learning_rate: Number(element('rate').value),
    };
    this.#next(async (mine) => {
      this.#forget();
      const well = await report(async () => {
        if (!(config.learning_rate > 0)) throw new Error('The learning rate must be above 0.');
        await this.#open(model, config, mine);
      });
      if (!mine()) return;
      if (well) await this.#train(mine);
      else this.#become('idle', '');
    });
  }

  /** Frees the trainer, and takes away what the page shows of it. */
  #forget() {
    this.#trainer?.close();
    this.#trainer = null;
    [this.#losses, this.#accuracies, this.#tests] = [[], [], []];
    element('run').hidden = false;
    element('evaluation').hidden = true;
    element('native').textContent = '';
    ['epoch', 'step', 'loss', 'speed', 'accuracy'].forEach((figure) => { element(`at-${figure}`).textContent = '–'; });
    element('progress').removeAttribute('value');
  }

  async #open(model, config, mine) {
    const { classes, data } = this.#site;
    const [{ learn }, train, test] = await Promise.all([
      readJson(model.programs[this.#gpu.kernels]), readSplit(data.train), readSplit(data.test),
    ]);
    if (!mine()) return;
    this.#become('loading', 'Compiling the shaders…');
    const trainer = await Trainer.open(this.#gpu, learn, config, train, test, classes.length);
    if (mine()) [this.#trainer, this.#model] = [trainer, model];
    else trainer.close();
  }

  async #train(mine) {
    this.#become('training', `Training ${this.#model.name}…`);
    const well = await report(async () => {
      while (mine()) {
        const event = await this.#trainer.advance();
        if (event.kind === 'epoch') this.#showEpoch(event);
        else if (event.kind === 'chunk') this.#showChunk(event);
        else if (mine()) return this.#become('ended', `Done: ${percent(this.#tests.at(-1)[1], 2)} of the test images are recognised.`);
      }
    });
    if (!well && (mine() || this.#state === 'paused')) this.#become('ended', 'Stopped by an error.');
  }

  #resume() {
    this.#become('training', `Training ${this.#model.name}…`);
    this.#next((mine) => this.#train(mine));
  }

  #pause() {
    this.#rest('paused', 'Paused');
  }

  #stop() {
    if (this.#state === 'evaluating') {
      this.#turn = null;
      element('evaluation').hidden = true;
      this.#become(this.#trainer ? 'ended' : 'idle', '');
      return;
    }
    this.#rest(this.#trainer ? 'ended' : 'idle', 'Stopped');
  }

  #showChunk({ losses, accuracy, images, milliseconds }) {
    const { step, totalSteps, course: { stepsPerEpoch } } = this.#trainer;
    const first = step - losses.length;
    losses.forEach((loss, i) => this.#losses.push([(first + i + 1) / stepsPerEpoch, loss]));
    this.#accuracies.push([step / stepsPerEpoch, accuracy]);
    element('progress').value = step / totalSteps;
    element('at-epoch').textContent = `${Math.ceil(step / stepsPerEpoch)} of ${this.#trainer.course.epochs}`;
    element('at-step').textContent = step.toLocaleString();
    element('at-loss').textContent = losses.at(-1).toFixed(4);
    element('at-speed').textContent = Math.round(images / milliseconds * 1000).toLocaleString();
    this.#plot();
  }

  #showEpoch({ epoch, imagesPerSecond, test }) {
    this.#tests.push([epoch, test.accuracy]);
    element('at-speed').textContent = Math.round(imagesPerSecond).toLocaleString();
    element('at-accuracy').textContent = percent(test.accuracy, 2);
    this.#showScore(test, this.#trainer.test.count);
    this.#plot();
  }

  /** The native run's points and losses, if this run repeats it. */
  #native() {
    const { native, models } = this.#site;
    const same = (key) => this.#trainer.config[key] === models[0].metadata.training[key];
    if (!native || this.#model !== models[0] || !['seed', 'epochs', 'learning_rate'].every(same)) return [];
    const { stepsPerEpoch } = this.#trainer.course;
    return native.step_losses.map((loss, step) => [(step + 1) / stepsPerEpoch, loss]);
  }

  #plot() {
    const end = this.#trainer.course.epochs;
    const native = this.#native();
    if (native.length) {
      const both = this.#losses.slice(0, native.length);
      const apart = both.reduce((most, [, loss], step) => Math.max(most, Math.abs(loss / native[step][1] - 1)), 0);
      element('native').textContent = `Dashed: the native run on ${this.#site.native.device}. `
        + `Largest difference of a step's loss so far: ${percent(apart, 3)}`;
    }
    const highest = this.#losses.slice(0, 20).reduce((most, [, loss]) => Math.max(most, loss), 0.1);
    plot(element('loss-plot'), {
      curves: [{ kind: '', points: this.#losses }, { kind: 'native', points: native }],
      end, low: 0, high: highest, format: String,
      label: `Loss by epoch, now ${this.#losses.at(-1)?.[1].toFixed(3)}`,
    });
    const lowest = Math.min(0.9, ...this.#tests.map(([, accuracy]) => accuracy));
    plot(element('accuracy-plot'), {
      curves: [{ kind: '', points: this.#accuracies }, { kind: 'dots', points: this.#tests }],
      end, low: Math.floor(lowest * 10) / 10, high: 1, format: (value) => `${Math.round(100 * value)} %`,
      label: `Accuracy by epoch: the line on training images, the dots on test images`,
    });
  }

  #showScore({ loss, accuracy, confusion }, count) {
    element('evaluation').hidden = false;
    element('score').textContent = `${percent(accuracy, 2)} of ${count.toLocaleString()} test images, loss ${loss.toFixed(4)}`;
    confusionTable(element('confusion'), confusion, this.#site.classes);
  }

  /** Evaluates what the page recognises with. */
  #evaluate() {
    this.#become('evaluating', '');
    element('evaluation').hidden = false;
    element('score').textContent = 'Evaluating…';
    this.#next(async (mine) => {
      const well = await report(() => this.#score(this.#recognise.source, mine));
      if (!mine()) return;
      if (!well) element('evaluation').hidden = true;
      this.#become(this.#trainer ? 'ended' : 'idle', '');
    });
  }

  async #score(source, mine) {
    if (!source) throw new Error('There are no weights to evaluate yet.');
    const { data, classes } = this.#site;
    const [{ learn }, test] = await Promise.all([readJson(source.model.programs[this.#gpu.kernels]), readSplit(data.test)]);
    const session = await Session.open(this.#gpu, learn, readShader);
    try {
      const first = data.train?.count ?? 0;
      const { tensors, ports } = learn;
      session.write(tensors[ports.images], test.images, first * test.images.length / test.count);
      session.write(tensors[ports.labels], test.labels, first);
      const byName = new Map(source.weights.map(({ name, values }) => [name, values]));
      parameters(learn).forEach((tensor) => session.write(tensor, byName.get(tensor.name)));
      const score = await evaluate(session, first, test.labels, classes.length, () => !mine());
      if (score) this.#showScore(score, test.count);
    } finally {
      session.close();
    }
  }

  /** What was just trained, as a source of weights. */
  async #trained() {
    await this.#work;
    const { config, session, step } = this.#trainer;
    const label = `${config.model.name}, trained here: seed ${config.seed}, ${step.toLocaleString()} steps`;
    return { label, model: this.#model, weights: await readParameters(session), config };
  }

  async #download() {
    const { model, weights, config } = await this.#trained();
    const metadata = { ...model.metadata, training: config };
    const bytes = serialize(weights, { [KEY]: JSON.stringify(metadata) });
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }));
    link.download = `${model.name}-seed-${config.seed}.safetensors`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  async #showKernels() {
    const model = this.#chosen;
    const { learn, recognise } = await readJson(model.programs[this.#gpu.kernels]);
    if (model !== this.#chosen) return;
    const steps = learn.lists.train_step.length ? learn : recognise;
    const list = learn.lists.train_step.length ? 'train_step' : 'eval_step';
    const rows = steps.lists[list].map(({ pipeline, groups, operands }) => {
      const { name, files } = steps.pipelines[pipeline];
      const cells = row('td', ['', groups.join(' × '), operands.map(([buffer]) => steps.buffers[buffer].name)
        .filter((buffer) => buffer !== 'spare').join(', ')]);
      const link = Object.assign(document.createElement('a'), { href: `shaders/${files[0]}`, textContent: name });
      cells.firstChild.append(link);
      return cells;
    });
    element('kernels').replaceChildren(row('th', ['Kernel', 'Workgroups', 'Buffers']), ...rows);
  }
}

/** Weights from the bytes of a file that `mnist-gpu train` or this page wrote. */
export function weightsOf(buffer, site) {
  const { tensors, metadata } = parse(buffer);
  if (!metadata[KEY]) throw new Error(`these weights are not of mnist-gpu: their metadata has no ${KEY}`);
  const { model, height, width, classes } = JSON.parse(metadata[KEY]);
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const found = site.models.find((entry) => same(sorted(entry.metadata.model), sorted(model)));
  if (!found) throw new Error(`these weights are of the model ${model?.name}, which this site does not have`);
  if (!same([height, width, classes], [site.image.height, site.image.width, site.classes])) {
    throw new Error('these weights are for other images or classes than those of this site');
  }
  return { model: found, weights: [...tensors].map(([name, { values }]) => ({ name, values })) };
}

/** The same with the keys of all objects in order. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || !value) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}
