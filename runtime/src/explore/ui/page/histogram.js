// Events over time: bars that can be brushed with the mouse and walked through with the keyboard.

import { change, desk, looked } from "./actions.js";
import { byId, fill, h, iconButton, svg } from "./dom.js";
import { count, countOf } from "./text.js";
import { duration, iso, label, shown } from "./time.js";

const HEIGHT = 92;
const FOOT = 18;
const TOP = 12;

/** @typedef {{start: number, step: number, counts: [number, number, number][]}} Histogram */

/** @type {Histogram | null} */
let told = null;
/** Events that are in no bar. */
let timeless = 0;
/** The bar that the keyboard is on. */
let cursor = 0;

/**
 * Shows a histogram; draws it again when the window's width changes.
 * @param {Histogram | null} histogram
 * @param {number} without how many events tell no time
 */
export function show(histogram, without) {
  if (!told) new ResizeObserver(draw).observe(byId("histogram"));
  told = histogram;
  timeless = without;
  cursor = Math.min(cursor, (histogram?.counts.length ?? 1) - 1);
  draw();
}

function draw() {
  const place = byId("histogram");
  if (!told) {
    fill(place, h("p", { class: "empty" }, "No event tells a time"));
    return;
  }
  const width = Math.max(200, place.clientWidth - 24);
  const had = document.activeElement?.classList.contains("bars");
  const tip = h("div", { class: "tip", hidden: true });
  const picture = bars(told, width, tip);
  fill(place, head(told), h("div", { class: "plot" }, picture, tip));
  if (had) picture.focus();
}

/** @param {Histogram} histogram */
function head(histogram) {
  const sum = (/** @type {number} */ index) => histogram.counts.reduce((all, counts) => all + counts[index], 0);
  const { from, to } = desk.state;
  return h("div", { class: "legend" },
    h("span", { class: "key ok" }, `${count(sum(0) - sum(1))} ok`),
    h("span", { class: "key failed" }, `${count(sum(1))} failed`),
    desk.summary.triggers.length > 0 && h("span", { class: "key fired" }, `${count(sum(2))} fired`),
    timeless > 0 && h("span", { class: "dim" }, `${count(timeless)} without a time`),
    h("span", { class: "gap" }),
    h("span", { class: "dim" }, `a bar is ${duration(histogram.step)}, times are UTC`),
    (from || to) && iconButton("⤢", "Show all of the time", () => change({ from: "", to: "" })));
}

/**
 * @param {Histogram} histogram
 * @param {number} width
 * @param {HTMLElement} tip
 */
function bars(histogram, width, tip) {
  const { start, step, counts } = histogram;
  const highest = Math.max(1, ...counts.map((found) => found[0]));
  const each = width / counts.length;
  const scale = (HEIGHT - FOOT - TOP) / highest;
  const floor = HEIGHT - FOOT;
  // A single event among thousands is still seen.
  const tall = (/** @type {number} */ number) => (number === 0 ? 0 : Math.max(2, number * scale));
  const gap = each > 5 ? 1 : 0;
  const shapes = counts.flatMap(([all, failed, fired], index) => {
    const [x, wide] = [index * each + gap / 2, Math.max(0.8, each - gap)];
    const [ok, bad] = [tall(all - failed), tall(failed)];
    return [
      ok > 0 && svg("rect", { class: "ok", x, width: wide, y: floor - ok, height: ok }),
      bad > 0 && svg("rect", { class: "failed", x, width: wide, y: floor - ok - bad, height: bad }),
      fired > 0 && svg("circle", { class: "fired", cx: x + wide / 2, cy: Math.max(4, floor - ok - bad - 5), r: Math.min(2.5, Math.max(1.4, wide / 3)) }),
    ];
  });
  const brush = svg("rect", { class: "brush", y: 0, height: floor, width: 0 });
  const mark = svg("rect", { class: "mark", y: 0, height: floor, width: 0 });
  const summary = `${countOf(counts.reduce((all, found) => all + found[0], 0), "event")} from ${shown(start)} to ${shown(start + step * counts.length)} UTC. Arrow keys go from bar to bar, Enter shows one.`;
  const picture = svg("svg", { class: "bars", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, tabindex: 0, role: "application", "aria-label": summary },
    mark, shapes, axis(histogram, width, each), svg("text", { class: "most", x: 2, y: 9 }, count(highest)), brush);
  watch(/** @type {SVGSVGElement} */ (picture), histogram, { each, brush, mark, tip });
  return picture;
}

/**
 * @param {Histogram} histogram
 * @param {number} width
 * @param {number} each
 */
function axis({ start, step, counts }, width, each) {
  const every = Math.max(1, Math.ceil(counts.length / Math.max(2, Math.floor(width / 110))));
  const labels = [];
  for (let index = 0; index < counts.length; index += every) {
    const x = index * each;
    if (x > width - 40) break;
    labels.push(svg("line", { class: "tick", x1: x, x2: x, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT + 4 }), svg("text", { x: x + 3, y: HEIGHT - 4 }, label(start + index * step, step)));
  }
  return [svg("line", { class: "axis", x1: 0, x2: width, y1: HEIGHT - FOOT, y2: HEIGHT - FOOT }), ...labels];
}

/**
 * @param {SVGSVGElement} picture
 * @param {Histogram} histogram
 * @param {{each: number, brush: SVGElement, mark: SVGElement, tip: HTMLElement}} parts
 */
function watch(picture, histogram, { each, brush, mark, tip }) {
  const { start, step, counts } = histogram;
  const barAt = (/** @type {PointerEvent} */ event) => {
    const x = event.clientX - picture.getBoundingClientRect().left;
    return Math.max(0, Math.min(counts.length - 1, Math.floor(x / each)));
  };
  const cover = (/** @type {SVGElement} */ rect, /** @type {number} */ first, /** @type {number} */ last) => {
    rect.setAttribute("x", String(first * each));
    rect.setAttribute("width", String(Math.max(0, (last - first + 1) * each)));
  };
  const tell = (/** @type {number} */ first, /** @type {number} */ last) => {
    const sum = (/** @type {number} */ index) => counts.slice(first, last + 1).reduce((all, found) => all + found[index], 0);
    fill(tip, h("strong", null, countOf(sum(0), "event")), sum(1) > 0 && h("span", { class: "bad" }, ` ${count(sum(1))} failed`),
      sum(2) > 0 && h("span", { class: "fire" }, ` ${count(sum(2))} fired`), h("div", { class: "dim" }, `${shown(start + first * step)} – ${shown(start + (last + 1) * step)}`));
    tip.hidden = false;
    const middle = ((first + last + 1) / 2) * each - tip.offsetWidth / 2;
    tip.style.left = `${Math.max(0, Math.min(picture.clientWidth - tip.offsetWidth, middle))}px`;
  };
  const zoom = (/** @type {number} */ first, /** @type {number} */ last) => {
    const [from, to] = looked();
    // What is asked for never reaches over what was: a bar at the edge may.
    change({ from: iso(Math.max(from, start + first * step)), to: iso(Math.min(to, start + (last + 1) * step)) });
  };
  let from = -1;
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    picture.setPointerCapture(event.pointerId);
    from = barAt(event);
    cover(brush, from, from);
  });
  picture.addEventListener("pointermove", (event) => {
    const at = barAt(event);
    const [first, last] = from < 0 ? [at, at] : [Math.min(from, at), Math.max(from, at)];
    cover(from < 0 ? mark : brush, first, last);
    tell(first, last);
  });
  picture.addEventListener("pointerup", (event) => {
    if (from < 0) return;
    const at = barAt(event);
    const [first, last] = [Math.min(from, at), Math.max(from, at)];
    from = -1;
    zoom(first, last);
  });
  picture.addEventListener("pointerleave", () => {
    if (from >= 0) return;
    cover(mark, 0, -1);
    tip.hidden = true;
  });
  picture.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Enter") zoom(cursor, cursor);
    else if (by) {
      cursor = Math.max(0, Math.min(counts.length - 1, cursor + by));
      cover(mark, cursor, cursor);
      tell(cursor, cursor);
      picture.setAttribute("aria-label", tip.textContent ?? "");
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
