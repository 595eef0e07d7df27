// What a person can do, wherever on the page: each changes the state, and the state is the link.

import { holds, narrowed, not, term, without } from "./query.js";
import { read, write } from "./state.js";
import { iso, parsed } from "./time.js";

/** @typedef {import("./state.js").State} State */

/** What the page is about: what is asked for, and what was read. */
export const desk = {
  /** @type {State} */
  state: read(""),
  /** @type {any} */
  summary: null,
  /** What the times of a state meant when it was asked for: the program reads words, and the page does not. */
  /** @type {{from: string, to: string, times: [number | null, number | null]} | null} */
  meant: null,
};

/** @type {(before: State) => void} */
let follow = () => {};

/**
 * Takes the state from the link, and calls `changed` whenever it changes, the back button included.
 * @param {(before: State) => void} changed
 */
export function start(changed) {
  follow = changed;
  desk.state = read(location.search);
  window.addEventListener("popstate", () => {
    const before = desk.state;
    desk.state = read(location.search);
    follow(before);
  });
}

/**
 * Changes a part of the state. What is looked at step by step takes the place of the step before; all else can be gone back from.
 * @param {Partial<State>} part
 * @param {"push" | "replace"} [how]
 */
export function change(part, how = "push") {
  const before = desk.state;
  const after = { ...before, ...part };
  const link = location.pathname + write(after);
  if (write(after) === write(before)) return;
  desk.state = after;
  if (how === "push") history.pushState(null, "", link);
  else history.replaceState(null, "", link);
  follow(before);
}

/**
 * Whether a value can be asked for: the JSON of an object is only shown.
 * @param {string} value
 * @returns {boolean}
 */
export function isSearchable(value) {
  return !/^\{("[\s\S]*)?\}$/.test(value);
}

/**
 * Only events with this value; a second time takes it back.
 * @param {string} field
 * @param {string} value
 */
export function filterFor(field, value) {
  toggle(term(field, value));
}

/**
 * Only events without this value; a second time takes it back.
 * @param {string} field
 * @param {string} value
 */
export function filterOut(field, value) {
  toggle(not(term(field, value)));
}

/**
 * Only events that have the field.
 * @param {string} field
 */
export function filterExists(field) {
  toggle(`${field}:*`);
}

/** @param {string} text */
function toggle(text) {
  const { q } = desk.state;
  change({ q: holds(q, text) ? without(q, text) : narrowed(q, text) });
}

/**
 * Whether a value is asked for, or asked to be left out.
 * @param {string} field
 * @param {string} value
 * @returns {"for" | "out" | ""}
 */
export function isFiltered(field, value) {
  const wanted = term(field, value);
  if (holds(desk.state.q, wanted)) return "for";
  return holds(desk.state.q, not(wanted)) ? "out" : "";
}

/**
 * Shows a column or takes it away.
 * @param {string} name
 */
export function toggleColumn(name) {
  const { cols } = desk.state;
  change({ cols: cols.includes(name) ? cols.filter((col) => col !== name) : [...cols, name] });
}

/**
 * Puts a column before another place.
 * @param {string} name
 * @param {number} place
 */
export function moveColumn(name, place) {
  const rest = desk.state.cols.filter((col) => col !== name);
  const bounded = Math.max(0, Math.min(rest.length, place));
  change({ cols: [...rest.slice(0, bounded), name, ...rest.slice(bounded)] });
}

/**
 * The times of the state, in milliseconds; `null` for no end.
 * @returns {[number | null, number | null]}
 */
function meant() {
  const { from, to } = desk.state;
  return desk.meant?.from === from && desk.meant.to === to ? desk.meant.times : [parsed(from), parsed(to)];
}

/** The times to ask further pages with: what words meant for the first, they mean for all. */
export function asked() {
  const { from, to } = desk.state;
  const [first, last] = meant();
  return { from: first === null ? from : iso(first), to: last === null ? to : iso(last) };
}

/**
 * The stretch of time that is looked at, in milliseconds: what was asked for, else all of the logs.
 * @returns {[number, number]}
 */
export function looked() {
  const [first, last] = desk.summary?.extent ?? [0, 0];
  const [from, to] = meant();
  return [from ?? first, to ?? last + 1000];
}

/**
 * Moves the stretch by its own length: -1 to what was before, 1 to what came after.
 * @param {-1 | 1} direction
 */
export function shift(direction) {
  const [from, to] = looked();
  const by = direction * (to - from);
  change({ from: iso(from + by), to: iso(to + by) });
}

/**
 * The events around a time.
 * @param {number} time
 * @param {number} reach
 * @param {Partial<State>} part
 */
export function around(time, reach, part) {
  change({ ...part, from: iso(Math.floor((time - reach) / 1000) * 1000), to: iso(Math.ceil((time + reach) / 1000) * 1000) });
}
