// Curves as SVG, and the confusion matrix as a table.

const NAMESPACE = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [480, 250];
const MARGIN = { left: 44, right: 10, top: 10, bottom: 24 };
/** Points of a curve at most: more are averaged. */
const POINTS = 240;

/**
 * Draws curves: [{ kind, points: [[x, y]] }], where x runs to `end` and y from `low` to `high`. Kinds are classes of the
 * style sheet: line, native, dots. `format` writes a value of y.
 */
export function plot(place, { curves, end, low, high, format, label }) {
  const svg = element('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label });
  const x = (value) => MARGIN.left + (value / end) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value) => {
    const part = (Math.min(high, Math.max(low, value)) - low) / (high - low);
    return HEIGHT - MARGIN.bottom - part * (HEIGHT - MARGIN.top - MARGIN.bottom);
  };
  for (const value of ticks(low, high, 5)) {
    svg.append(element('line', { class: 'grid', x1: MARGIN.left, x2: WIDTH - MARGIN.right, y1: y(value), y2: y(value) }));
    svg.append(element('text', { x: MARGIN.left - 6, y: y(value) + 4, 'text-anchor': 'end' }, format(value)));
  }
  for (const value of ticks(0, end, 6).filter((tick) => Number.isInteger(tick) || end < 1)) {
    svg.append(element('text', { x: x(value), y: HEIGHT - 6, 'text-anchor': 'middle' }, String(value)));
  }
  for (const { kind, points } of curves) {
    const thin = averaged(points);
    const path = thin.map(([px, py], i) => `${i ? 'L' : 'M'}${x(px).toFixed(1)} ${y(py).toFixed(1)}`).join('');
    if (thin.length > 1) svg.append(element('path', { class: `line ${kind}`, d: path }));
    if (kind === 'dots') thin.forEach(([px, py]) => svg.append(element('circle', { class: 'dot', cx: x(px), cy: y(py), r: 4 })));
  }
  place.replaceChildren(svg);
}

/** Points, averaged over equal numbers of them where there are many. */
function averaged(points) {
  const size = Math.ceil(points.length / POINTS);
  if (size <= 1) return points;
  const groups = [];
  for (let start = 0; start < points.length; start += size) {
    const group = points.slice(start, start + size);
    groups.push([0, 1].map((axis) => group.reduce((sum, point) => sum + point[axis], 0) / group.length));
  }
  return groups;
}

/** Round numbers from low to high, about so many. */
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** Fills a table: a row per class, a column per answer. */
export function confusionTable(table, confusion, classes) {
  const head = row('th', ['', ...classes]);
  head.firstChild.setAttribute('aria-label', 'Class');
  [...head.children].forEach((cell) => { cell.scope = 'col'; });
  const body = confusion.map((counts, label) => {
    const cells = row('td', [...counts].map(String));
    const total = counts.reduce((sum, count) => sum + count, 0) || 1;
    [...cells.children].forEach((cell, answer) => {
      const share = counts[answer] / total;
      // The fourth root lets the few mistakes be seen; more than 40 % would leave the numbers too little contrast.
      cell.style.setProperty('--share', `${Math.round(40 * share ** 0.25)}%`);
      if (answer !== label) cell.style.setProperty('--wrong', 'var(--second)');
      cell.className = counts[answer] ? '' : 'zero';
    });
    const name = document.createElement('th');
    Object.assign(name, { scope: 'row', textContent: classes[label] });
    cells.prepend(name);
    return cells;
  });
  const caption = document.createElement('caption');
  caption.textContent = 'Confusion: a row per class, a column per answer';
  table.replaceChildren(caption, head, ...body);
}

/** A table row of cells with these texts. */
export function row(kind, texts) {
  const cells = texts.map((text) => Object.assign(document.createElement(kind), { textContent: text }));
  const made = document.createElement('tr');
  made.append(...cells);
  return made;
}

function element(name, attributes, text) {
  const made = document.createElementNS(NAMESPACE, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  if (text !== undefined) made.textContent = text;
  return made;
}
