/** Plane geometry on outlines. Pure; points are [x, y]. */

/** @typedef {import("./contract.js").Point} Point */

/** The server takes no more points in an outline. */
const MOST_POINTS = 900;

export function distance(/** @type {Point} */ one, /** @type {Point} */ other) {
  return Math.hypot(one[0] - other[0], one[1] - other[1]);
}

/** Whether a point lies in an outline (even-odd). */
export function inside(/** @type {Point} */ [x, y], /** @type {Point[]} */ polygon) {
  let within = false;
  for (let here = 0, before = polygon.length - 1; here < polygon.length; before = here++) {
    const [x1, y1] = polygon[here];
    const [x2, y2] = polygon[before];
    if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) within = !within;
  }
  return within;
}

export function insideAny(/** @type {Point} */ point, /** @type {Point[][]} */ polygons) {
  return polygons.some((polygon) => inside(point, polygon));
}

/** Signed area: positive where the outline runs clockwise on the screen. */
export function area(/** @type {Point[]} */ polygon) {
  let twice = 0;
  for (let here = 0, before = polygon.length - 1; here < polygon.length; before = here++) {
    twice += polygon[before][0] * polygon[here][1] - polygon[here][0] * polygon[before][1];
  }
  return twice / 2;
}

/** Points along a line, at most a pixel apart. @returns {Point[]} */
export function dense(/** @type {Point[]} */ line, closed = false, step = 1) {
  const points = closed ? [...line, line[0]] : line;
  /** @type {Point[]} */
  const along = [];
  for (let index = 1; index < points.length; index += 1) {
    const [from, to] = [points[index - 1], points[index]];
    const parts = Math.max(1, Math.ceil(distance(from, to) / step));
    for (let part = 0; part < parts; part += 1) {
      along.push([from[0] + ((to[0] - from[0]) * part) / parts, from[1] + ((to[1] - from[1]) * part) / parts]);
    }
  }
  if (!closed && points.length) along.push(points[points.length - 1]);
  return along;
}

/** Fewer points, none of the left-out ones farther than `tolerance` from the line (Douglas-Peucker). @returns {Point[]} */
export function simplify(/** @type {Point[]} */ line, /** @type {number} */ tolerance) {
  if (line.length < 3) return line;
  const kept = new Set([0, line.length - 1]);
  const parts = [[0, line.length - 1]];
  while (parts.length) {
    const [from, to] = /** @type {[number, number]} */ (parts.pop());
    let [worst, at] = [tolerance, -1];
    for (let index = from + 1; index < to; index += 1) {
      const off = toSegment(line[index], line[from], line[to]);
      if (off > worst) [worst, at] = [off, index];
    }
    if (at >= 0) {
      kept.add(at);
      parts.push([from, at], [at, to]);
    }
  }
  return line.filter((_, index) => kept.has(index));
}

export function toSegment(/** @type {Point} */ point, /** @type {Point} */ from, /** @type {Point} */ to) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const squared = dx * dx + dy * dy;
  const along = squared ? Math.max(0, Math.min(1, ((point[0] - from[0]) * dx + (point[1] - from[1]) * dy) / squared)) : 0;
  return distance(point, [from[0] + along * dx, from[1] + along * dy]);
}

/** Points to a tenth of a pixel: nobody draws finer. @returns {Point[]} */
export function rounded(/** @type {Point[]} */ points) {
  return points.map(([x, y]) => [Math.round(x * 10) / 10, Math.round(y * 10) / 10]);
}

/**
 * What a brush has covered, as one outline. A stroke that comes round to itself leaves a hole, and the hole is joined to the
 * outer border by a slit, so that what was not brushed over stays out.
 * @param {Point[]} stroke
 * @param {number} radius
 * @returns {Point[]}
 */
export function brushed(stroke, radius) {
  const loops = borders(covered(stroke, radius));
  if (!loops.length) return [];
  loops.sort((one, other) => Math.abs(area(other)) - Math.abs(area(one)));
  let [outer, ...holes] = loops.map((loop) => simplify([...loop, loop[0]], 0.6).slice(0, -1));
  for (const hole of holes) outer = slit(outer, hole);
  for (let tolerance = 1; outer.length > MOST_POINTS; tolerance *= 1.5) outer = simplify(outer, tolerance);
  return rounded(outer);
}

/** The grid of pixels under a brush. */
function covered(/** @type {Point[]} */ stroke, /** @type {number} */ radius) {
  const points = dense(stroke, false, Math.max(0.5, radius / 3));
  const left = Math.floor(Math.min(...points.map((point) => point[0])) - radius) - 1;
  const top = Math.floor(Math.min(...points.map((point) => point[1])) - radius) - 1;
  const width = Math.ceil(Math.max(...points.map((point) => point[0])) + radius) + 2 - left;
  const height = Math.ceil(Math.max(...points.map((point) => point[1])) + radius) + 2 - top;
  const grid = new Uint8Array(width * height);
  for (const [x, y] of points) {
    for (let row = Math.ceil(y - radius); row <= y + radius; row += 1) {
      const half = Math.sqrt(Math.max(0, radius * radius - (row - y) * (row - y)));
      for (let column = Math.ceil(x - half); column <= x + half; column += 1) grid[(row - top) * width + column - left] = 1;
    }
  }
  return { grid, width, height, left, top };
}

/** Closed borders of a grid, along the edges of its pixels, the covered side to the right. @returns {Point[][]} */
function borders(/** @type {ReturnType<typeof covered>} */ { grid, width, height, left, top }) {
  const at = (/** @type {number} */ x, /** @type {number} */ y) => x >= 0 && y >= 0 && x < width && y < height && grid[y * width + x];
  /** @type {Map<string, Point[]>} */
  const edges = new Map();
  const edge = (/** @type {Point} */ from, /** @type {Point} */ to) => edges.set(from.join(), [...(edges.get(from.join()) ?? []), to]);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (!at(x, y)) continue;
      if (!at(x, y - 1)) edge([x, y], [x + 1, y]);
      if (!at(x + 1, y)) edge([x + 1, y], [x + 1, y + 1]);
      if (!at(x, y + 1)) edge([x + 1, y + 1], [x, y + 1]);
      if (!at(x - 1, y)) edge([x, y + 1], [x, y]);
    }
  }
  /** @type {Point[][]} */
  const loops = [];
  for (const [start, ends] of edges) {
    while (ends.length) {
      /** @type {Point[]} */
      const loop = [];
      let here = start;
      for (let next = edges.get(here)?.pop(); next; next = edges.get(here)?.pop()) {
        const [x, y] = here.split(",").map(Number);
        loop.push([x + left - 0.5, y + top - 0.5]);
        here = next.join();
        if (here === start) break;
      }
      loops.push(loop);
    }
  }
  return loops;
}

/** Go round a hole on the way along the outer border. @returns {Point[]} */
function slit(/** @type {Point[]} */ outer, /** @type {Point[]} */ hole) {
  let [best, from, to] = [Infinity, 0, 0];
  outer.forEach((one, index) =>
    hole.forEach((other, place) => {
      if (distance(one, other) < best) [best, from, to] = [distance(one, other), index, place];
    }),
  );
  return [...outer.slice(0, from + 1), ...hole.slice(to), ...hole.slice(0, to + 1), ...outer.slice(from)];
}
