/** The metaphase: the original pixels with the outlines over them; zoom, pan, highlighting, and a layer for drawing tools. */

import { svg, mark } from "./dom.js";
import { insideAny, area } from "./geometry.js";
import { CLASSES } from "./layout.js";
import { say } from "./words.js";

/** @typedef {import("./contract.js").Point} Point */

const MOST_ZOOM = 24;

export class Metaphase {
  /** @type {Map<string, SVGElement>} */
  #outlines = new Map();
  /** @type {Map<string, SVGElement>} */
  #names = new Map();
  /** @type {import("./drawing.js").Drawing | null} takes the pointer while a tool is chosen */
  drawing = null;
  zoom = 1;
  #fitted = true;
  /** Middle of the view, in the picture. @type {Point} */
  middle;

  /**
   * @param {HTMLElement} room
   * @param {import("./cell.js").OpenCell} cell
   * @param {import("./dragging.js").Dragging} dragging
   */
  constructor(room, cell, dragging) {
    this.room = room;
    this.cell = cell;
    this.dragging = dragging;
    const { width, height, picture } = cell.stored;
    this.middle = [width / 2, height / 2];
    this.image = svg("image", { href: picture, width, height, class: "picture" });
    this.outlines = svg("g", { class: "outlines" });
    this.names = svg("g", { class: "names", "aria-hidden": "true" });
    this.layer = svg("g", { class: "drawing" });
    // A point is the middle of a pixel; the picture's corner is half a pixel before its first one.
    this.over = svg("g", { transform: "translate(0.5 0.5)" }, this.outlines, this.names, this.layer);
    this.view = /** @type {SVGSVGElement} */ (
      svg("svg", { class: "metaphase", tabindex: "0", role: "img", "aria-label": say("metaphase_label"), preserveAspectRatio: "xMidYMid meet" }, this.image, this.over)
    );
    room.append(this.view);
    new ResizeObserver(() => (this.#fitted ? this.fit() : this.#see())).observe(room);
    cell.addEventListener("objects", () => this.draw());
    cell.addEventListener("selection", () => this.#look());
    cell.addEventListener("hover", () => this.#look());
    this.#listen();
    this.draw();
    this.fit();
  }

  draw() {
    const seen = new Set();
    for (const one of this.cell.shown.values()) {
      seen.add(one.id);
      let outline = this.#outlines.get(one.id);
      let name = this.#names.get(one.id);
      if (!outline || !name) {
        outline = svg("path", { "data-id": one.id, class: "outline" });
        name = svg("text", { class: "name" });
        this.#outlines.set(one.id, outline);
        this.#names.set(one.id, name);
        this.outlines.append(outline);
        this.names.append(name);
      }
      mark(outline, "d", pathOf(one.polygons));
      mark(outline, "data-doubtful", one.doubtful && !one.confirmed);
      mark(outline, "data-waits", one.waits);
      mark(name, "x", (one.box[0] + one.box[2]) / 2);
      mark(name, "y", (one.box[1] + one.box[3]) / 2);
      name.textContent = CLASSES.includes(one.label) ? one.label : one.label === "unsure" ? "?" : one.label;
    }
    for (const [id, outline] of this.#outlines) {
      if (seen.has(id)) continue;
      outline.remove();
      this.#names.get(id)?.remove();
      this.#outlines.delete(id);
      this.#names.delete(id);
    }
    this.#look();
  }

  /** The chromosome at a point: of several that cross there, the smallest. */
  at(/** @type {Point} */ point) {
    const there = [...this.cell.shown.values()].filter((one) => insideAny(point, one.polygons));
    const size = (/** @type {typeof there[0]} */ one) => one.polygons.reduce((total, polygon) => total + Math.abs(area(polygon)), 0);
    return there.sort((one, other) => size(one) - size(other))[0]?.id ?? null;
  }

  /** Where the pointer is, in the picture. @returns {Point} */
  point(/** @type {MouseEvent} */ event) {
    const matrix = this.view.getScreenCTM();
    if (!matrix) return [0, 0];
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    return [at.x - 0.5, at.y - 0.5];
  }

  /** Zoom by a factor about a point of the picture, or the middle of the view. */
  zoomBy(/** @type {number} */ factor, /** @type {Point} */ about = this.middle) {
    const zoom = Math.max(1, Math.min(MOST_ZOOM, this.zoom * factor));
    const k = this.zoom / zoom;
    this.middle = [about[0] + (this.middle[0] - about[0]) * k, about[1] + (this.middle[1] - about[1]) * k];
    this.zoom = zoom;
    this.#fitted = false;
    this.#see();
  }

  panBy(/** @type {number} */ dx, /** @type {number} */ dy) {
    this.middle = [this.middle[0] + dx, this.middle[1] + dy];
    this.#fitted = false;
    this.#see();
  }

  /** The cell as large as the room allows: what lies around its chromosomes may be left out. */
  fit() {
    const boxes = [...this.cell.shown.values()].map((one) => one.box);
    const [whole, { width, height }] = [this.#whole(), this.cell.stored];
    const margin = 0.03 * Math.max(width, height);
    const [left, top] = [Math.min(width, ...boxes.map((box) => box[0])) - margin, Math.min(height, ...boxes.map((box) => box[1])) - margin];
    const [right, bottom] = [Math.max(0, ...boxes.map((box) => box[2])) + margin, Math.max(0, ...boxes.map((box) => box[3])) + margin];
    this.#fitted = true;
    this.zoom = right > left && bottom > top ? Math.max(1, Math.min(whole.width / (right - left), whole.height / (bottom - top))) : 1;
    this.middle = right > left ? [(left + right) / 2, (top + bottom) / 2] : [width / 2, height / 2];
    this.#see();
  }

  /** The smallest view of the room's shape that shows the whole picture. */
  #whole() {
    const { width, height } = this.cell.stored;
    const shape = this.room.clientWidth / Math.max(1, this.room.clientHeight) || 1;
    return { width: Math.max(width, height * shape), height: Math.max(height, width / shape) };
  }

  /** Bring a chromosome into view without changing the zoom; do nothing where it is seen already. */
  reveal(/** @type {string} */ id) {
    const one = this.cell.shown.get(id);
    if (!one || this.#fitted) return;
    const { width, height } = this.#whole();
    const [x, y] = [(one.box[0] + one.box[2]) / 2, (one.box[1] + one.box[3]) / 2];
    const [reachX, reachY] = [width / this.zoom / 2, height / this.zoom / 2];
    if (Math.abs(x - this.middle[0]) < reachX * 0.8 && Math.abs(y - this.middle[1]) < reachY * 0.8) return;
    this.middle = [x, y];
    this.#see();
  }

  #see() {
    const { width, height } = this.cell.stored;
    const whole = this.#whole();
    const [w, h] = [whole.width / this.zoom, whole.height / this.zoom];
    // The picture never leaves the view altogether.
    this.middle = [Math.max(0, Math.min(width, this.middle[0])), Math.max(0, Math.min(height, this.middle[1]))];
    this.view.setAttribute("viewBox", `${this.middle[0] - w / 2} ${this.middle[1] - h / 2} ${w} ${h}`);
    const scale = Math.min(this.room.clientWidth / w, this.room.clientHeight / h) || 1;
    const font = parseFloat(getComputedStyle(this.room).fontSize);
    // Names keep their size on the screen.
    this.view.style.setProperty("--a-screen-pixel", String(1 / scale));
    this.names.setAttribute("font-size", String((0.85 * font) / scale));
  }

  #look() {
    const { selection, hovered } = this.cell;
    for (const [id, outline] of this.#outlines) {
      mark(outline, "data-chosen", selection.includes(id));
      mark(outline, "data-hovered", id === hovered);
      mark(/** @type {SVGElement} */ (this.#names.get(id)), "data-chosen", selection.includes(id) || id === hovered);
    }
    // What is chosen lies on top, as outlines cover each other.
    for (const id of selection) {
      const outline = this.#outlines.get(id);
      if (outline) this.outlines.append(outline);
    }
  }

  #listen() {
    this.view.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-Math.max(-100, Math.min(100, event.deltaY)) / 300), this.point(event));
    }, { passive: false });
    this.view.addEventListener("pointermove", (event) => {
      if (event.buttons === 0) this.cell.hover(this.drawing ? null : this.at(this.point(event)));
    });
    this.view.addEventListener("pointerleave", () => this.cell.hover(null));
    this.view.addEventListener("pointerdown", (event) => this.#down(event));
  }

  /** @param {PointerEvent} event */
  #down(event) {
    this.view.focus({ preventScroll: true });
    if (event.button === 1 || (event.button === 0 && event.ctrlKey && !this.drawing)) return this.#pan(event);
    if (event.button !== 0) return;
    if (this.drawing) return this.drawing.down(event);
    const id = this.at(this.point(event));
    if (id === null) {
      this.#pan(event);
      return;
    }
    this.cell.select(id, { extend: event.shiftKey });
    this.dragging.press(id, event);
    this.view.focus({ preventScroll: true });
  }

  /** @param {PointerEvent} event */
  #pan(event) {
    event.preventDefault();
    const ended = new AbortController();
    let moved = false;
    let [x, y] = [event.clientX, event.clientY];
    window.addEventListener("pointermove", (next) => {
      const scale = this.view.getScreenCTM()?.a ?? 1;
      moved ||= Math.hypot(next.clientX - event.clientX, next.clientY - event.clientY) > 3;
      this.panBy((x - next.clientX) / scale, (y - next.clientY) / scale);
      [x, y] = [next.clientX, next.clientY];
    }, { signal: ended.signal });
    const stop = () => {
      ended.abort();
      if (!moved && event.button === 0) this.cell.select(null);
    };
    window.addEventListener("pointerup", stop, { signal: ended.signal });
    window.addEventListener("pointercancel", stop, { signal: ended.signal });
  }
}

/** @param {Point[][]} polygons */
export function pathOf(polygons) {
  return polygons.map((polygon) => `M${polygon.map((point) => point.join(" ")).join("L")}Z`).join("");
}
