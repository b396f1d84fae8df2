/**
 * Drawing on the metaphase: a line, a lasso or a brush, with the pointer or with the keyboard alone.
 *
 * Keyboard: arrows move a cross (Shift: ten pixels), Space sets a point, Backspace takes it back, Enter ends, Escape gives up.
 */

import { svg } from "./dom.js";
import { brushed, dense, distance, rounded, simplify } from "./geometry.js";
import { pathOf } from "./metaphase.js";

/** @typedef {import("./contract.js").Point} Point */
/** @typedef {"line" | "lasso" | "brush"} Way */

/** Steps of the cross, in pixels of the picture. */
const STEP = 1;
const STRIDE = 10;

export class Drawing {
  /** @type {Point[]} */
  #points = [];
  /** @type {Point} */
  #cross;
  #byKeys = false;
  #over = false;

  /**
   * @param {import("./metaphase.js").Metaphase} metaphase
   * @param {object} how
   * @param {Way} how.way
   * @param {number} how.radius  of the brush, pixels of the picture
   * @param {Point} how.start  where the cross of the keyboard begins
   * @param {(drawn: Point[]) => void} how.done  a line, or an outline
   * @param {() => void} how.stopped
   */
  constructor(metaphase, { way, radius, start, done, stopped }) {
    this.metaphase = metaphase;
    this.way = way;
    this.radius = radius;
    this.done = done;
    this.stopped = stopped;
    this.#cross = start;
    this.trace = svg("path", { class: `trace ${way}` });
    this.cursor = svg("g", { class: "cross" });
    metaphase.layer.append(this.trace, this.cursor);
    metaphase.view.classList.add("drawing-now");
    metaphase.drawing = this;
    this.ended = new AbortController();
    metaphase.view.addEventListener("pointermove", (event) => {
      this.#over = true;
      this.#cross = metaphase.point(event);
      this.#draw();
    }, { signal: this.ended.signal });
    metaphase.view.addEventListener("pointerleave", () => {
      this.#over = false;
      this.#draw();
    }, { signal: this.ended.signal });
    metaphase.view.focus({ preventScroll: true });
    this.#draw();
  }

  /** @param {PointerEvent} event */
  down(event) {
    event.preventDefault();
    this.#byKeys = false;
    this.#points = [this.metaphase.point(event)];
    const stroke = new AbortController();
    const { signal } = stroke;
    window.addEventListener("pointermove", (moved) => {
      const point = this.metaphase.point(moved);
      if (distance(point, this.#points[this.#points.length - 1]) >= 0.5) this.#points.push(point);
      this.#cross = point;
      this.#draw();
    }, { signal });
    window.addEventListener("pointerup", () => {
      stroke.abort();
      this.#finish();
    }, { signal });
    window.addEventListener("pointercancel", () => {
      stroke.abort();
      this.#points = [];
      this.#draw();
    }, { signal });
    this.ended.signal.addEventListener("abort", () => stroke.abort());
  }

  /** @returns {boolean} whether the key was one of drawing */
  key(/** @type {KeyboardEvent} */ event) {
    const step = event.shiftKey ? STRIDE : STEP;
    /** @type {Record<string, Point>} */
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const move = moves[event.key];
    if (move) {
      const { width, height } = this.metaphase.cell.stored;
      this.#cross = [Math.max(0, Math.min(width - 1, this.#cross[0] + move[0])), Math.max(0, Math.min(height - 1, this.#cross[1] + move[1]))];
      this.#over = true;
      this.#byKeys = true;
    } else if (event.key === " ") {
      this.#points.push(this.#cross);
      this.#byKeys = true;
    } else if (event.key === "Backspace" && this.#points.length) this.#points.pop();
    else if (event.key === "Enter" && this.#points.length) return this.#finish(), true;
    else if (event.key === "," || event.key === ".") this.radius = Math.max(1, Math.min(40, this.radius + (event.key === "." ? 1 : -1)));
    else return false;
    this.#draw();
    return true;
  }

  stop() {
    this.ended.abort();
    this.trace.remove();
    this.cursor.remove();
    this.metaphase.view.classList.remove("drawing-now");
    if (this.metaphase.drawing === this) this.metaphase.drawing = null;
    this.stopped();
  }

  #finish() {
    const drawn = this.#shape();
    this.#points = [];
    this.#draw();
    if (drawn.length >= (this.way === "line" ? 2 : 3)) this.done(drawn);
  }

  /** @returns {Point[]} */
  #shape() {
    const points = this.#points;
    if (!points.length) return [];
    // The server takes a border's own pixels too, so the outline of a brush runs through their middles.
    if (this.way === "brush") return brushed(points, Math.max(0.5, this.radius - 0.5));
    if (this.way === "line" && this.#length() < 2) return [];
    return rounded(this.#byKeys ? points : simplify(points, 0.5));
  }

  #length() {
    return dense(this.#points).length;
  }

  #draw() {
    const points = this.#byKeys && this.#points.length ? [...this.#points, this.#cross] : this.#points;
    const open = points.length ? `M${points.map((point) => point.join(" ")).join("L")}` : "";
    this.trace.setAttribute("d", this.way === "lasso" && points.length > 2 ? pathOf([points]) : open || "M0 0");
    this.trace.setAttribute("visibility", points.length ? "visible" : "hidden");
    if (this.way === "brush") this.trace.style.strokeWidth = String(2 * this.radius);
    const [x, y] = this.#cross;
    const shape = this.way === "brush" ? svg("circle", { cx: x, cy: y, r: this.radius }) : svg("path", { d: `M${x - 6} ${y}H${x + 6}M${x} ${y - 6}V${y + 6}` });
    this.cursor.replaceChildren(...(this.#over || this.#byKeys || !matchMedia("(hover: hover)").matches ? [shape] : []));
  }
}
