// The drawing pad: strokes of mouse, finger, pen or keys, or a picture.

/** Pixels of a side of what is given to the network's preparation. */
const SIDE = 168;
/** Width of the pen, as a share of the side. */
const PEN = 0.07;
/** How far an arrow key moves the pen. */
const STEP = 0.04;

/** A pad on a canvas; `onChange` is called whenever what is on it changes. */
export class Pad {
  #canvas;
  #strokes = [];
  #picture = null;
  #drawing = null;
  #cursor = null;
  #down = false;

  constructor(canvas, onChange) {
    this.#canvas = canvas;
    this.onChange = onChange;
    canvas.addEventListener('pointerdown', (event) => this.#begin(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      canvas.addEventListener(end, () => { this.#drawing = null; });
    }
    canvas.addEventListener('keydown', (event) => this.#key(event));
    canvas.addEventListener('blur', () => this.#moveCursor(null));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  get isEmpty() {
    return this.#strokes.length === 0 && !this.#picture;
  }

  clear() {
    [this.#strokes, this.#picture, this.#drawing, this.#down] = [[], null, null, false];
    this.#changed();
  }

  undo() {
    if (!this.#strokes.pop()) this.#picture = null;
    [this.#drawing, this.#down] = [null, false];
    this.#changed();
  }

  /** Shows a picture (anything that can be drawn on a canvas) in place of what is there. Strokes come on top of it. */
  show(picture) {
    [this.#strokes, this.#picture, this.#drawing, this.#down] = [[], picture, null, false];
    this.#changed();
  }

  /** What is on the pad, black on white; of a picture alone, its own pixels. */
  pixels() {
    const { width, height } = this.#picture && !this.#strokes.length ? this.#picture : { width: SIDE, height: SIDE };
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (this.#picture && !this.#strokes.length) {
      context.drawImage(this.#picture, 0, 0);
    } else {
      context.fillStyle = '#fff';
      context.fillRect(0, 0, width, height);
      this.#render(context, width, '#000');
    }
    return context.getImageData(0, 0, width, height);
  }

  draw() {
    const context = this.#canvas.getContext('2d');
    const side = this.#canvas.width;
    context.clearRect(0, 0, side, side);
    const ink = getComputedStyle(this.#canvas).color;
    this.#render(context, side, ink);
    if (this.#cursor) {
      context.beginPath();
      context.arc(this.#cursor.x * side, this.#cursor.y * side, (PEN / 2) * side, 0, 2 * Math.PI);
      context.lineWidth = 2;
      context.strokeStyle = ink;
      context.setLineDash(this.#down ? [] : [6, 6]);
      context.stroke();
      context.setLineDash([]);
    }
  }

  #render(context, side, ink) {
    if (this.#picture) {
      const { width, height } = this.#picture;
      const scale = side / Math.max(width, height);
      const [w, h] = [width * scale, height * scale];
      context.imageSmoothingEnabled = scale < 4;
      context.drawImage(this.#picture, (side - w) / 2, (side - h) / 2, w, h);
    }
    Object.assign(context, { strokeStyle: ink, lineWidth: PEN * side, lineCap: 'round', lineJoin: 'round' });
    for (const stroke of this.#strokes) {
      const at = ({ x, y }) => [x * side, y * side];
      context.beginPath();
      context.moveTo(...at(stroke[0]));
      // Curves between the middles of the way from point to point.
      for (let i = 1; i < stroke.length - 1; i++) {
        const [point, next] = [stroke[i], stroke[i + 1]];
        context.quadraticCurveTo(...at(point), ...at({ x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 }));
      }
      // A dot is a line, too, if it has a length.
      const [x, y] = at(stroke.at(-1));
      context.lineTo(x, y + 0.01);
      context.stroke();
    }
  }

  #changed() {
    this.draw();
    this.onChange();
  }

  #point({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    return { x: (clientX - left) / width, y: (clientY - top) / height };
  }

  #begin(event) {
    if (event.button !== 0 || this.#canvas.ariaDisabled === 'true') return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#drawing = event.pointerId;
    this.#cursor = null;
    this.#strokes.push([this.#point(event)]);
    this.#changed();
  }

  #move(event) {
    if (this.#drawing !== event.pointerId) return;
    const events = event.getCoalescedEvents?.() ?? [];
    this.#strokes.at(-1).push(...(events.length ? events : [event]).map((each) => this.#point(each)));
    this.#changed();
  }

  #key(event) {
    if (this.#canvas.ariaDisabled === 'true') return;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (arrow) {
      const { x, y } = this.#cursor ?? { x: 0.5, y: 0.2 };
      const [dx, dy] = this.#cursor ? arrow : [0, 0];
      const inside = (value) => Math.min(0.95, Math.max(0.05, value));
      this.#moveCursor({ x: inside(x + dx * STEP), y: inside(y + dy * STEP) });
    } else if (event.key === ' ') {
      event.preventDefault();
      if (event.repeat) return;
      this.#cursor ??= { x: 0.5, y: 0.2 };
      this.#down = !this.#down;
      if (this.#down) this.#strokes.push([this.#cursor]);
      this.#changed();
    } else if (event.key === 'z' && (event.ctrlKey || event.metaKey)) {
      this.undo();
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
  }

  #moveCursor(place) {
    this.#cursor = place;
    if (place && this.#down) {
      this.#strokes.at(-1).push(place);
      this.onChange();
    }
    if (!place) this.#down = false;
    this.draw();
  }
}
