// The part of the page that recognises.

import { Pad } from './pad.js';
import { Recogniser } from './recogniser.js';
import { mostProbable } from './trainer.js';
import { prepare } from './picture.js';
import { readJson, readSplit } from './files.js';
import { element, percent, report } from './page.js';

/** Pixels of a side of a picture at most; larger ones are made smaller when they are read. */
const LARGEST = 4096;

export class RecognisePanel {
  #gpu = null;
  #site;
  #pad;
  #sources = [];
  #recogniser = null;
  #image = null;
  #truth = null;
  #busy = false;
  #again = false;
  /** Which weights were asked for last. */
  #wanted = null;
  #dark = matchMedia('(prefers-color-scheme: dark)');

  constructor(site) {
    this.#site = site;
    this.#pad = new Pad(element('pad'), () => this.#changed());
    element('undo').onclick = () => this.#pad.undo();
    element('clear').onclick = () => this.#pad.clear();
    element('open').onclick = () => element('picture-file').click();
    element('picture-file').onchange = ({ target }) => this.openPicture(target.files[0]);
    element('sample').onclick = () => this.#showSample();
    element('weights').onchange = ({ target }) => report(() => this.offer(this.#sources[target.selectedIndex]));
    element('inside').ontoggle = () => this.#refresh();
    this.#dark.addEventListener('change', () => this.#refresh());
    this.#makeBars();
    this.#blank();
  }

  /** Lets the panel compute. */
  async begin(gpu) {
    this.#gpu = gpu;
  }

  /**
   * Recognises with weights, unless others are asked for meanwhile, and offers them from then on: { label, model, weights },
   * where `model` is one of the site's.
   */
  async offer(source) {
    this.#wanted = source;
    try {
      const { recognise } = await readJson(source.model.programs[this.#gpu.kernels]);
      const recogniser = await Recogniser.open(this.#gpu, recognise, source.weights);
      const known = this.#sources.findIndex(({ label }) => label === source.label);
      this.#sources[known < 0 ? this.#sources.length : known] = source;
      if (this.#wanted !== source) {
        recogniser.close();
        return;
      }
      this.#recogniser?.close();
      this.#recogniser = recogniser;
      this.source = source;
      this.#makeLayers();
    } finally {
      this.#showSources();
    }
    await this.#refresh();
  }

  #showSources() {
    const select = element('weights');
    select.replaceChildren(...this.#sources.map(({ label }) => new Option(label)));
    select.selectedIndex = this.#sources.indexOf(this.source);
  }

  /** Reads a picture from a file and recognises what is on it. */
  async openPicture(file) {
    element('picture-file').value = '';
    if (!file) return;
    await report(async () => {
      let picture;
      try {
        picture = await createImageBitmap(file);
      } catch {
        throw new Error(`${file.name || 'this'} is no picture that this browser can read`);
      }
      const scale = LARGEST / Math.max(picture.width, picture.height);
      if (scale < 1) {
        const [resizeWidth, resizeHeight] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
        picture = await createImageBitmap(picture, { resizeWidth, resizeHeight, resizeQuality: 'high' });
      }
      this.#pad.show(picture);
    });
  }

  async #showSample() {
    await report(async () => {
      const { height, width } = this.#site.image;
      const { count, images, labels } = await readSplit(this.#site.data.test);
      const index = Math.floor(Math.random() * count);
      const bytes = images.slice(index * height * width, (index + 1) * height * width);
      // Ink on paper, as the pad has it.
      this.#pad.show(await createImageBitmap(grey(bytes.map((ink) => 255 - ink), width, height)));
      this.#truth = this.#site.classes[labels[index]];
      this.#image = bytes;
      element('seen-caption').textContent = `Test image ${index.toLocaleString()}`;
      await this.#refresh();
    });
  }

  /** Something else is on the pad. */
  #changed() {
    element('undo').disabled = element('clear').disabled = this.#pad.isEmpty;
    element('pad-hint').hidden = !this.#pad.isEmpty;
    element('seen-caption').textContent = 'What the network sees';
    this.#truth = null;
    if (this.#pad.isEmpty) {
      this.#blank();
      return;
    }
    const { height, width } = this.#site.image;
    const { image, problem } = prepare(this.#pad.pixels(), height, width);
    this.#image = image ?? null;
    if (problem) this.#blank(problem);
    else this.#refresh();
  }

  #blank(text = '') {
    this.#image = null;
    const { height, width } = this.#site.image;
    paint(element('seen'), new Uint8Array(height * width), width, height);
    element('answer').textContent = text || '\u00a0';
    element('latency').textContent = '';
    this.#setBars(this.#site.classes.map(() => 0), -1);
    element('layers').querySelectorAll('canvas').forEach((canvas) => { canvas.width = canvas.width; });
  }

  /** Asks about the image; while an answer is under way, once more after it. */
  async #refresh() {
    if (!this.#image || !this.#recogniser) return;
    const { height, width } = this.#site.image;
    paint(element('seen'), this.#image, width, height);
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    await report(async () => {
      while (this.#again && this.#image) {
        this.#again = false;
        const clock = performance.now();
        const recogniser = this.#recogniser;
        const { probabilities, activations } = await recogniser.ask(this.#image);
        if (!this.#image || recogniser !== this.#recogniser) continue;
        this.#show(probabilities, performance.now() - clock);
        if (element('inside').open) this.#showLayers(activations);
      }
    });
    this.#busy = false;
  }

  #show(probabilities, milliseconds) {
    const best = mostProbable(probabilities);
    const name = this.#site.classes[best];
    const answer = element('answer');
    // Only what is new is read aloud.
    const text = `${name} ${percent(probabilities[best])}${this.#truth}`;
    if (answer.dataset.text !== text || !answer.querySelector('strong')) {
      const strong = Object.assign(document.createElement('strong'), { textContent: name });
      const truth = this.#truth === null ? '' : ` (it is ${this.#truth})`;
      answer.replaceChildren(strong, ` with ${percent(probabilities[best])}${truth}`);
      answer.dataset.text = text;
    }
    element('latency').textContent = `answered in ${milliseconds.toFixed(0)} ms`;
    this.#setBars(probabilities, best);
  }

  #makeBars() {
    element('bars').replaceChildren(...this.#site.classes.map((name) => {
      const bar = document.createElement('li');
      const [label, track, fill, value] = ['span', 'div', 'div', 'span'].map((tag) => document.createElement(tag));
      label.textContent = name;
      [track.className, fill.className] = ['track', 'fill'];
      track.append(fill);
      bar.append(label, track, value);
      return bar;
    }));
  }

  #setBars(probabilities, best) {
    [...element('bars').children].forEach((bar, i) => {
      bar.className = i === best ? 'best' : '';
      bar.querySelector('.fill').style.transform = `scaleX(${probabilities[i]})`;
      bar.lastChild.textContent = best < 0 ? '' : percent(probabilities[i]);
    });
  }

  #makeLayers() {
    const { layers } = this.#recogniser;
    element('inside').hidden = layers.length === 0;
    element('layers').replaceChildren(...layers.map(({ name, shape: [, count, height = 1, width = 1] }) => {
      const figure = document.createElement('figure');
      const canvas = Object.assign(document.createElement('canvas'), { className: 'pixels' });
      const what = height * width > 1 ? `${count} pictures of ${height}×${width}` : `${count} numbers`;
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', `What ${name} makes of it: ${what}`);
      const caption = document.createElement('figcaption');
      caption.textContent = `${name}: ${what}`;
      figure.append(canvas, caption);
      return figure;
    }));
  }

  /** Each layer as a mosaic of its planes, every plane from nothing to its layer's largest value. */
  #showLayers(activations) {
    this.#recogniser.layers.forEach(({ shape: [, count, height = 1, width = 1] }, i) => {
      const canvas = element('layers').children[i].firstChild;
      const gap = height * width > 1 ? 1 : 0;
      const columns = Math.min(count, Math.ceil(Math.sqrt(count * 2)));
      canvas.width = columns * (width + gap);
      canvas.height = Math.ceil(count / columns) * (height + gap);
      const most = activations[i].reduce((largest, value) => Math.max(largest, value), 1e-9);
      const context = canvas.getContext('2d');
      const picture = context.createImageData(canvas.width, canvas.height);
      const [red, green, blue] = getComputedStyle(canvas).color.match(/\d+/g).map(Number);
      activations[i].forEach((value, index) => {
        const [plane, inside] = [Math.floor(index / (height * width)), index % (height * width)];
        const x = (plane % columns) * (width + gap) + (inside % width);
        const y = Math.floor(plane / columns) * (height + gap) + Math.floor(inside / width);
        picture.data.set([red, green, blue, 255 * Math.max(0, value / most)], 4 * (y * canvas.width + x));
      });
      context.putImageData(picture, 0, 0);
    });
  }
}

/** Bytes as a grey picture. */
function grey(bytes, width, height) {
  const picture = new ImageData(width, height);
  bytes.forEach((value, i) => picture.data.set([value, value, value, 255], 4 * i));
  return picture;
}

function paint(canvas, bytes, width, height) {
  Object.assign(canvas, { width, height });
  canvas.getContext('2d').putImageData(grey(bytes, width, height), 0, 0);
}
