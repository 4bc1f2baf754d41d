// Puts the page together.

import { openGpu, Unavailable } from './gpu.js';
import { RecognisePanel } from './recognise.js';
import { TrainPanel, weightsOf } from './training.js';
import { readBytes, readJson } from './files.js';
import { element, report, showProblem } from './page.js';

/** The table of contents, with what all models share in one place. */
async function readSite() {
  const site = await readJson('site.json');
  const { height, width, classes } = site.models[0].metadata;
  return { ...site, image: { height, width }, classes };
}

async function begin() {
  const site = await readSite();
  element('version').textContent = site.version;
  const recognise = new RecognisePanel(site);
  const train = new TrainPanel(site, recognise);
  takeFiles(recognise, train);
  let gpu;
  try {
    gpu = await openGpu();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    showUnavailable(error);
    return;
  }
  const chip = element('device');
  chip.textContent = `WebGPU on ${gpu.name}`;
  chip.classList.add('ready');
  gpu.device.addEventListener('uncapturederror', ({ error }) => showProblem(error.message));
  gpu.device.lost.then(({ reason, message }) => {
    if (reason !== 'destroyed') showProblem(`The GPU was lost: ${message} Reload the page to go on.`, true);
  });
  recognise.begin(gpu);
  await train.begin(gpu);
  const exported = weightsOf(await readBytes(site.weights), site);
  await recognise.offer({ ...exported, label: `${exported.model.name}, trained natively` });
  document.body.dataset.ready = 'true';
}

/** Files that are dropped on the page or pasted into it: weights by their name, else pictures. */
function takeFiles(recognise, train) {
  const take = (file) => (file?.name.endsWith('.safetensors') ? train.openWeights(file) : recognise.openPicture(file));
  addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) document.body.classList.remove('dropping');
  });
  addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dropping');
    take(event.dataTransfer.files[0]);
  });
  addEventListener('paste', (event) => {
    if (event.clipboardData.files.length) take(event.clipboardData.files[0]);
  });
}

function showUnavailable({ message }) {
  element('device').textContent = 'No WebGPU';
  element('reason').textContent = message;
  element('unavailable').hidden = false;
  for (const id of ['pad', 'undo', 'clear', 'open', 'sample', 'weights']) {
    element(id).disabled = true;
    element(id).ariaDisabled = 'true';
  }
  document.body.dataset.ready = 'false';
}

report(begin);
