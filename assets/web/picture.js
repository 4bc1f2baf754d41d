// A picture of a digit, made into an image as MNIST has them: the steps of src/data/picture, which says why, to the same
// bytes. A plane is { width, height, cells }, row after row.

const GREY = { longest: 512, smoothing: 0.01, oneColour: 0.1 };
const FRAME = { step: 0.15, whole: 0.85, sharp: 2, nested: 4 };
const PAPER = { window: 1 / 6, leastContrast: 8 / 255 };
const INK = { noise: 3, soft: 0.35, speck: 0.05, leastLength: 5, leastShare: 0.04, bins: 256 };
const FIT = { side: 28, ink: 20 };

/** The network's input, { image } of height × width bytes, from RGBA pixels { width, height, data }; or { problem }. */
export function prepare(picture, height, width) {
  let plane = leaveFrames(smooth(toGrey(picture)));
  if (isLightOnDark(plane)) plane = { ...plane, cells: plane.cells.map((cell) => 1 - cell) };
  const ink = toInk(plane);
  if (!ink) return { problem: 'Nothing is on it.' };
  const bounds = separate(ink);
  return bounds ? { image: fit(ink, bounds, height, width) } : { problem: 'Nothing on it is large enough for a digit.' };
}

/** Luminance, averaged over squares of pixels; where it is transparent, a ground shines through. */
function toGrey({ width, height, data }) {
  const square = Math.ceil(Math.max(width, height) / GREY.longest);
  const [columns, rows] = [Math.ceil(width / square), Math.ceil(height / square)];
  const [pixels, alpha, light] = [0, 1, 2].map(() => new Float64Array(columns * rows));
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 4) {
      const cell = Math.floor(y / square) * columns + Math.floor(x / square);
      const opaque = data[i + 3] / 255;
      pixels[cell] += 1;
      alpha[cell] += opaque;
      light[cell] += opaque * (0.299 * (data[i] / 255) + 0.587 * (data[i + 1] / 255) + 0.114 * (data[i + 2] / 255));
    }
  }
  const ground = groundOf(pixels, alpha, light);
  const cells = pixels.map((count, i) => (light[i] + (count - alpha[i]) * ground) / count);
  return { width: columns, height: rows, cells };
}

/** What is behind transparent pixels. */
function groundOf(pixels, alpha, light) {
  if (alpha.every((sum, i) => sum === pixels[i])) return 1; // It is nowhere seen.
  const opaque = light.map((sum, i) => sum / alpha[i]).filter((_, i) => 2 * alpha[i] >= pixels[i]);
  if (opaque.length === 0) return 1;
  const middle = median(opaque);
  const [least, most] = range(opaque);
  if (most - least >= GREY.oneColour) return middle;
  return middle < 0.5 ? 1 : 0;
}

/** How many cells smoothing reaches to each side. */
function smoothing({ width, height }) {
  return Math.floor(Math.min(width, height) * GREY.smoothing);
}

function smooth(plane) {
  const reach = smoothing(plane);
  const means = (row) => {
    const result = new Float64Array(row.length);
    for (let x = 0; x < row.length; x++) {
      const [first, end] = [Math.max(0, x - reach), Math.min(row.length, x + reach + 1)];
      for (let i = first; i < end; i++) result[x] += row[i];
      result[x] /= end - first;
    }
    return result;
  };
  return turned(turned(plane, means), means);
}

/** Keeps only what is within frames; a frame around nothing may be the digit. */
function leaveFrames(plane) {
  const [least, most] = range(plane.cells);
  const step = FRAME.step * (most - least);
  const spread = FRAME.sharp + 2 * smoothing(plane);
  let [result, inner] = [plane, plane];
  for (let i = 0; i < FRAME.nested; i++) {
    inner = withinFrame(inner, step, spread);
    if (!inner) break;
    const paper = median(edgeOf(inner));
    if (inner.cells.some((cell) => Math.abs(cell - paper) > step)) result = inner;
  }
  return result;
}

/** What is within the outermost rectangle that differs from the plane's edge by a step within `spread` cells. */
function withinFrame(plane, step, spread) {
  const { width, height, cells } = plane;
  const outside = median(edgeOf(plane));
  const at = (x, y) => cells[y * width + x];
  const count = (from, to, test) => {
    let found = 0;
    for (let i = from; i < to; i++) found += test(i);
    return found;
  };
  const differs = (x, y) => Math.abs(at(x, y) - outside) > step;
  const rows = indices(height).filter((y) => 2 * count(0, width, (x) => differs(x, y)) > width);
  const columns = indices(width).filter((x) => 2 * count(0, height, (y) => differs(x, y)) > height);
  if (!rows.length || !columns.length) return null;
  const [top, bottom, left, right] = [rows[0], rows.at(-1), columns[0], columns.at(-1)];
  if (top === 0 || left === 0 || bottom + 1 === height || right + 1 === width) return null;
  if (bottom - top < 4 * spread || right - left < 4 * spread) return null;
  const sharp = (a, b) => Math.abs(a - b) > step;
  const row = (y, beyond) => count(left, right + 1, (x) => sharp(at(x, y), at(x, beyond))) >= FRAME.whole * (right - left + 1);
  const column = (x, beyond) => count(top, bottom + 1, (y) => sharp(at(x, y), at(beyond, y))) >= FRAME.whole * (bottom - top + 1);
  const whole = row(top, Math.max(0, top - spread)) && row(bottom, Math.min(height - 1, bottom + spread))
    && column(left, Math.max(0, left - spread)) && column(right, Math.min(width - 1, right + spread));
  if (!whole) return null;
  return crop(plane, { left: left + spread, right: right + 1 - spread, top: top + spread, bottom: bottom + 1 - spread });
}

/** Whether what differs most from the plane through the edge is lighter than it. */
function isLightOnDark({ width, height, cells }) {
  const [centreX, centreY] = [(width - 1) / 2, (height - 1) / 2];
  let [count, total, byX, byY, xx, yy] = [0, 0, 0, 0, 0, 0];
  for (const i of edgeIndices(width, height)) {
    const [x, y] = [(i % width) - centreX, Math.floor(i / width) - centreY];
    count += 1;
    total += cells[i];
    byX += x * cells[i];
    byY += y * cells[i];
    xx += x * x;
    yy += y * y;
  }
  const [level, slopeX, slopeY] = [total / count, xx > 0 ? byX / xx : 0, yy > 0 ? byY / yy : 0];
  let cubes = 0;
  for (let i = 0; i < cells.length; i++) {
    const difference = cells[i] - level - slopeX * ((i % width) - centreX) - slopeY * (Math.floor(i / width) - centreY);
    cubes += difference * difference * difference;
  }
  return cubes > 0;
}

/** By which share each cell is darker than the paper there; null where nothing is. */
function toInk(plane) {
  const reach = Math.ceil(Math.max(plane.width, plane.height) * PAPER.window);
  const most = (row) => mostWithin(row, 2 * reach + 1);
  const lightest = (row) => most(extended(row, 2 * reach));
  const light = turned(turned(plane, lightest), lightest);
  const dark = turned(turned(negative(light), most), most);
  const paper = negative(dark).cells;
  if (plane.cells.every((cell, i) => paper[i] - cell < PAPER.leastContrast)) return null;
  return { ...plane, cells: plane.cells.map((cell, i) => (paper[i] > 0 ? 1 - cell / paper[i] : 0)) };
}

/** The row with its ends repeated so many times. */
function extended(row, times) {
  const longer = new Float64Array(row.length + 2 * times).fill(row[0], 0, times).fill(row.at(-1), row.length + times);
  longer.set(row, times);
  return longer;
}

/** The most of each value and those after it within a window, by windows that double: in the row itself. */
function mostWithin(row, window) {
  let length = row.length;
  for (let size = 1; size < window;) {
    const step = Math.min(size, window - size);
    length -= step;
    for (let i = 0; i < length; i++) row[i] = Math.max(row[i], row[i + step]);
    size += step;
  }
  return row.subarray(0, length);
}

/** Leaves the digit alone, from 0 to 1, and gives its box; null where there is none. */
function separate(ink) {
  const { width, height, cells } = ink;
  const noise = takeNoise(cells);
  const level = Math.max(partingLevel(cells), noise);
  const strokes = cells.filter((cell) => cell >= level);
  const full = sum(strokes) / Math.max(1, strokes.length);
  const soft = Math.max(INK.soft * full, noise);
  const { labels, parts } = partsOf(ink, soft, level);
  const largest = parts.reduce((best, part) => (best && best.size >= part.size ? best : part), null);
  const least = Math.max(INK.leastLength, Math.ceil(INK.leastShare * Math.max(width, height)));
  if (!largest || Math.max(largest.right - largest.left, largest.bottom - largest.top) < least) return null;
  const outer = ({ left, top, right, bottom }) => left === 0 || top === 0 || right === width || bottom === height;
  const kept = parts.map((part) => part.size >= INK.speck * largest.size && (outer(largest) || !outer(part)));
  cells.forEach((cell, i) => {
    cells[i] = labels[i] >= 0 && kept[labels[i]] ? Math.min(1, (cell - soft) / (full - soft)) : 0;
  });
  return parts.filter((_, i) => kept[i]).reduce(union);
}

/** Makes the paper's own level 0 and returns what its noise stays below. */
function takeNoise(cells) {
  const sorted = cells.slice().sort();
  const quantile = (percent) => sorted[Math.floor((sorted.length - 1) * percent / 100)];
  const deviation = (quantile(30) - quantile(10)) / (1.2816 - 0.5244);
  const level = quantile(30) + 0.5244 * deviation;
  cells.forEach((cell, i) => { cells[i] = Math.max(0, cell - level); });
  return INK.noise * deviation;
}

/** The level that parts the cells into two groups with the greatest variance between them. */
function partingLevel(cells) {
  const [, most] = range(cells);
  if (most === 0) return 0;
  const counts = new Float64Array(INK.bins);
  cells.forEach((cell) => { counts[Math.min(INK.bins - 1, Math.floor(cell / most * INK.bins))] += 1; });
  const whole = sum(counts.map((count, bin) => bin * count));
  let [below, seen, greatest, level] = [0, 0, 0, 0];
  for (let bin = 0; bin < INK.bins; bin++) {
    below += counts[bin];
    seen += bin * counts[bin];
    const above = cells.length - below;
    if (above === 0) break;
    const distance = seen / below - (whole - seen) / above;
    const between = below * above * distance * distance;
    if (below > 0 && between > greatest) [greatest, level] = [between, bin + 1];
  }
  return level / INK.bins * most;
}

/** For each cell above `soft` the part that it belongs to, else -1; of the parts, box and number of cells from `level` on. */
function partsOf({ width, height, cells }, soft, level) {
  const labels = new Int32Array(cells.length).fill(-1);
  const parts = [];
  for (let start = 0; start < cells.length; start++) {
    if (labels[start] >= 0 || cells[start] <= soft) continue;
    const label = parts.length;
    let part = { size: 0, left: width, top: height, right: 0, bottom: 0 };
    const open = [start];
    labels[start] = label;
    while (open.length) {
      const i = open.pop();
      const [x, y] = [i % width, Math.floor(i / width)];
      part = union(part, { size: Number(cells[i] >= level), left: x, top: y, right: x + 1, bottom: y + 1 });
      for (let nearY = Math.max(0, y - 1); nearY < Math.min(height, y + 2); nearY++) {
        for (let nearX = Math.max(0, x - 1); nearX < Math.min(width, x + 2); nearX++) {
          const near = nearY * width + nearX;
          if (labels[near] >= 0 || cells[near] <= soft) continue;
          labels[near] = label;
          open.push(near);
        }
      }
    }
    parts.push(part);
  }
  return { labels, parts };
}

function union(a, b) {
  return {
    size: a.size + b.size,
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}

/** The box in the middle 20/28 of the image, its centre of mass in the image's centre. */
function fit(plane, bounds, height, width) {
  const [across, down] = [bounds.right - bounds.left, bounds.bottom - bounds.top];
  const room = (side) => side * FIT.ink / FIT.side;
  const scale = Math.min(room(width) / across, room(height) / down);
  const [columns, rows] = [across, down].map((side) => Math.max(1, Math.floor(side * scale + 0.5)));
  const ink = turned(turned(crop(plane, bounds), (row) => resampled(row, columns)), (column) => resampled(column, rows)).cells;
  let [mass, byX, byY, most] = [0, 0, 0, 0];
  ink.forEach((cell, i) => {
    mass += cell;
    byX += (i % columns) * cell;
    byY += Math.floor(i / columns) * cell;
    most = Math.max(most, cell);
  });
  const start = (side, centre, extent) => Math.min(Math.floor(Math.max(0, side / 2 - centre + 0.5)), side - extent);
  const [left, top] = [start(width, byX / mass, columns), start(height, byY / mass, rows)];
  const image = new Uint8Array(height * width);
  ink.forEach((cell, i) => {
    image[(top + Math.floor(i / columns)) * width + left + (i % columns)] = Math.floor(255 * cell / most + 0.5);
  });
  return image;
}

/** A row at another length: weighted means, by a triangle. */
function resampled(row, length) {
  const step = row.length / length;
  const reach = Math.max(1, step);
  return Float64Array.from({ length }, (_, i) => {
    const centre = (i + 0.5) * step;
    const [first, end] = [Math.floor(Math.max(0, centre - reach)), Math.min(row.length, Math.ceil(centre + reach))];
    let [total, weights] = [0, 0];
    for (let x = first; x < end; x++) {
      const weight = Math.max(0, 1 - Math.abs(x + 0.5 - centre) / reach);
      total += weight * row[x];
      weights += weight;
    }
    return total / weights;
  });
}

/** Changes each row, all to one length, and turns rows into columns. */
function turned({ width, height, cells }, change) {
  const rows = indices(height).map((y) => change(cells.subarray(y * width, (y + 1) * width)));
  const length = rows[0].length;
  const result = new Float64Array(length * height);
  rows.forEach((row, y) => {
    for (let x = 0; x < length; x++) result[x * height + y] = row[x];
  });
  return { width: height, height: length, cells: result };
}

function crop({ width, cells }, { left, top, right, bottom }) {
  const kept = new Float64Array((right - left) * (bottom - top));
  for (let y = top; y < bottom; y++) kept.set(cells.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  return { width: right - left, height: bottom - top, cells: kept };
}

/** The outermost cells, in order. */
function edgeIndices(width, height) {
  const inner = indices(Math.max(0, height - 2)).flatMap((y) => (width > 1 ? [(y + 1) * width, (y + 2) * width - 1] : [y + 1]));
  const last = height > 1 ? indices(width).map((x) => (height - 1) * width + x) : [];
  return [...indices(width), ...inner, ...last];
}

const edgeOf = ({ width, height, cells }) => Float64Array.from(edgeIndices(width, height), (i) => cells[i]);
const negative = (plane) => ({ ...plane, cells: plane.cells.map((cell) => -cell) });
const indices = (count) => Array.from({ length: count }, (_, i) => i);
const sum = (values) => values.reduce((total, value) => total + value, 0);
const median = (values) => values.slice().sort()[Math.floor(values.length / 2)];

function range(values) {
  let [least, most] = [values[0], values[0]];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return [least, most];
}
