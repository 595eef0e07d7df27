// The events as rows. One row and one cell of it is where the keyboard is.

import { change, desk, filterFor, filterOut, isSearchable, moveColumn, toggleColumn } from "./actions.js";
import { byId, fill, h, iconButton } from "./dom.js";
import { openMenu } from "./menu.js";
import { count } from "./text.js";
import { shown } from "./time.js";

/** @typedef {null | string | string[] | {cut: string}} Cell nothing, a text, several texts, or the beginning of a long one */
/** @typedef {{id: string, time: number | null, failed: boolean, fired: string[], cells: Cell[]}} Row */

/** @type {Row[]} */
let rows = [];
let total = 0;
let cursor = -1;
let column = 0;
/** @type {() => void} */
let more = () => {};

/**
 * Shows rows from the first on.
 * @param {Row[]} found
 * @param {number} all
 * @param {() => void} onmore is called when there are more and somebody comes to the end
 */
export function show(found, all, onmore) {
  [rows, total, more] = [found, all, onmore];
  const at = rows.findIndex((row) => row.id === desk.state.sel);
  cursor = at >= 0 ? at : Math.min(cursor, rows.length - 1);
  const place = byId("rows");
  if (rows.length === 0) {
    fill(place, nothing());
    return;
  }
  const table = h("table", null, h("thead", null, heads()), h("tbody", null, rows.map(line)));
  fill(place, table, end());
  place.scrollTop = 0;
  mark(at >= 0);
}

/**
 * Adds rows behind those that are shown.
 * @param {Row[]} found
 */
export function append(found) {
  const first = rows.length;
  rows = [...rows, ...found];
  document.querySelector("#rows tbody")?.append(...found.map((row, index) => line(row, first + index)));
  document.querySelector("#rows .end")?.replaceWith(end());
}

/** How many rows are shown. */
export function length() {
  return rows.length;
}

function nothing() {
  const { q, from, to, fired } = desk.state;
  const ways = [
    (from || to) && h("button", { type: "button", class: "quiet", onclick: () => change({ from: "", to: "" }) }, "Look at all of the time"),
    q && h("button", { type: "button", class: "quiet", onclick: () => change({ q: "" }) }, "Clear the search"),
    fired && h("button", { type: "button", class: "quiet", onclick: () => change({ fired: "" }) }, "Whatever fired"),
  ];
  const said = desk.summary.events === 0 ? "There are no events in these logs" : "No event is like this";
  return h("div", { class: "empty" }, h("p", null, said), h("div", null, ways));
}

function end() {
  const left = total - rows.length;
  if (left <= 0) return h("p", { class: "end dim" }, rows.length > 20 ? "These are all" : "");
  const button = h("button", { type: "button", class: "quiet", onclick: () => more() }, `More (${count(left)} left)`);
  new IntersectionObserver((seen, observer) => {
    if (!seen.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    more();
  }, { root: byId("rows"), rootMargin: "400px" }).observe(button);
  return h("p", { class: "end" }, button);
}

function heads() {
  const sorted = (/** @type {string} */ name) => {
    const { sort } = desk.state;
    return sort === name ? "ascending" : sort === `-${name}` ? "descending" : "none";
  };
  const flip = (/** @type {string} */ name) => () => change({ sort: desk.state.sort === `-${name}` ? name : `-${name}` });
  const sign = { ascending: " ▲", descending: " ▼", none: "" };
  const time = h("th", { scope: "col", class: "time", "aria-sort": sorted("time") }, h("button", { type: "button", onclick: flip("time") }, `time (UTC)${sign[sorted("time")]}`));
  const others = desk.state.cols.map((name, index) =>
    h("th", { scope: "col", draggable: "true", "aria-sort": sorted(name), "data-column": name, ...dragged(name, index) },
      h("span", { class: "head" },
        h("button", { type: "button", title: name, onclick: flip(name) }, h("bdi", null, name), sign[sorted(name)]),
        iconButton("⋮", `Column ${name}`, (event) => columnMenu(/** @type {HTMLElement} */ (event.currentTarget), name, index)))));
  return h("tr", null, time, others);
}

/**
 * @param {HTMLElement} opener
 * @param {string} name
 * @param {number} index
 */
function columnMenu(opener, name, index) {
  openMenu(opener, `Column ${name}`, [
    { name: "Sort upwards", act: () => change({ sort: name }) },
    { name: "Sort downwards", act: () => change({ sort: `-${name}` }) },
    { name: "Move left", act: () => moveColumn(name, index - 1), disabled: index === 0 },
    { name: "Move right", act: () => moveColumn(name, index + 1), disabled: index === desk.state.cols.length - 1 },
    { name: "Take away", act: () => toggleColumn(name) },
  ]);
}

/**
 * @param {string} name
 * @param {number} index
 */
function dragged(name, index) {
  return {
    ondragstart: (/** @type {DragEvent} */ event) => event.dataTransfer?.setData("text/plain", name),
    ondragover: (/** @type {DragEvent} */ event) => event.preventDefault(),
    ondrop: (/** @type {DragEvent} */ event) => {
      event.preventDefault();
      const moved = event.dataTransfer?.getData("text/plain") ?? "";
      if (desk.state.cols.includes(moved)) moveColumn(moved, index);
    },
  };
}

/**
 * @param {Row} row
 * @param {number} index
 */
function line(row, index) {
  const kinds = [row.failed && "failed", row.fired.length > 0 && "fired"].filter(Boolean).join(" ");
  const open = () => {
    cursor = index;
    change({ sel: desk.state.sel === row.id ? "" : row.id });
  };
  return h("tr", { class: kinds, "data-row": index, onclick: open },
    h("td", { class: "time" }, row.fired.length > 0 && h("span", { class: "fire", title: `Fires ${row.fired.join(", ")}` }, "⚡"), shown(row.time)),
    desk.state.cols.map((name, place) => cell(name, row.cells[place] ?? null)));
}

/**
 * @param {string} name
 * @param {Cell} value
 */
function cell(name, value) {
  if (value === null) return h("td", { class: "none" }, "–");
  if (Array.isArray(value)) return h("td", { title: value.join("\n") }, value.join(", "));
  if (typeof value !== "string") return h("td", { title: value.cut }, value.cut, "…");
  if (!isSearchable(value)) return h("td", { title: value }, h("span", { class: "text" }, value));
  const act = (/** @type {(field: string, value: string) => void} */ filter) => (/** @type {Event} */ event) => {
    event.stopPropagation();
    filter(name, value);
  };
  return h("td", { title: value }, h("span", { class: "text" }, value),
    h("span", { class: "acts" }, iconButton("+", `Only ${name} ${value}`, act(filterFor), { tabindex: -1 }), iconButton("−", `Without ${name} ${value}`, act(filterOut), { tabindex: -1 })));
}

/**
 * Shows where the keyboard is and which event is open.
 * @param {boolean} [follow] whether to scroll there
 */
export function mark(follow = false) {
  document.querySelectorAll("#rows tr.is-cursor, #rows tr.is-open, #rows td.is-cursor").forEach((found) => found.classList.remove("is-cursor", "is-open"));
  const open = rows.findIndex((row) => row.id === desk.state.sel && row.id !== "");
  document.querySelector(`#rows tr[data-row="${open}"]`)?.classList.add("is-open");
  const line = document.querySelector(`#rows tr[data-row="${cursor}"]`);
  if (!line) return;
  line.classList.add("is-cursor");
  line.children[column + 1]?.classList.add("is-cursor");
  if (follow) line.scrollIntoView({ block: "nearest" });
}

/**
 * Goes up or down; the event that is open goes along.
 * @param {number} by
 */
export function step(by) {
  if (rows.length === 0) return;
  cursor = Math.max(0, Math.min(rows.length - 1, cursor + by));
  if (cursor >= rows.length - 5 && rows.length < total) more();
  if (desk.state.sel) change({ sel: rows[cursor].id }, "replace");
  mark(true);
}

/**
 * Goes to another cell of the row.
 * @param {number} by
 */
export function across(by) {
  column = Math.max(0, Math.min(desk.state.cols.length - 1, column + by));
  if (cursor < 0) cursor = 0;
  mark(true);
}

/** Opens the event where the keyboard is, or closes it. */
export function toggleOpen() {
  const row = rows[Math.max(0, cursor)];
  if (!row) return;
  cursor = Math.max(0, cursor);
  change({ sel: desk.state.sel === row.id ? "" : row.id });
}

/**
 * The cell where the keyboard is: its column and its text.
 * @returns {[string, string] | null}
 */
export function current() {
  const name = desk.state.cols[column];
  const value = rows[cursor]?.cells[column];
  return name !== undefined && typeof value === "string" && isSearchable(value) ? [name, value] : null;
}
