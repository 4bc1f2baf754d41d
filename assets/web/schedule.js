// Learning rates and Adam's bias corrections by step: the formulas of the native program (src/schedule.rs), in f64, for the
// device to look up.

/** The learning rate of a step, counted from 0 over the whole run. */
export function learningRate({ schedule, rate, epochs, stepsPerEpoch }, step) {
  const total = epochs * stepsPerEpoch;
  switch (schedule) {
    case 'constant':
      return rate;
    case 'step':
      return rate * 0.1 ** Math.floor(3 * Math.floor(step / stepsPerEpoch) / epochs);
    case 'cosine':
      return anneal(rate, 0, step / total);
    case 'one-cycle': {
      const peak = 0.3 * total - 1;
      if (step <= peak) return anneal(rate / 25, rate, step / peak);
      const rest = total - 1 - peak;
      return anneal(rate, rate / 250_000, rest > 0 ? (step - peak) / rest : 0);
    }
    default:
      throw new Error(`unknown schedule ${schedule}`);
  }
}

/** The rows of one epoch, counted from 0: learning rate, both corrections, padding. */
export function rows(course, epoch) {
  const table = new Float32Array(4 * course.stepsPerEpoch);
  for (let row = 0; row < course.stepsPerEpoch; row++) {
    const step = epoch * course.stepsPerEpoch + row;
    const [remaining1, remaining2] = course.betas.map((beta) => 1 - beta ** (step + 1));
    table.set([learningRate(course, step), 1 / remaining1, 1 / Math.sqrt(remaining2), 0], 4 * row);
  }
  return table;
}

/** Half a cosine from `from` (at 0) to `to` (at 1). */
function anneal(from, to, part) {
  return to + (from - to) * (1 + Math.cos(Math.PI * part)) / 2;
}
