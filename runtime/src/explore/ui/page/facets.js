// The fields on the left: which texts they have, how often, and a plus and a minus for each.

import { change, desk, filterFor, filterOut, isFiltered, isSearchable } from "./actions.js";
import { byId, fill, h, iconButton, redraw } from "./dom.js";
import { count, countOf } from "./text.js";

/** So many texts are shown before somebody asks for more. */
const FEW = 6;

/** Fields that are folded, and those shown whole, as long as the page is open. */
const folded = new Set();
const whole = new Set();

/** @typedef {{field: string, distinct: number, missing: number, top: [string, number][]}} Facet */

/**
 * Shows the fields.
 * @param {Facet[]} facets
 * @param {number} total
 */
export function show(facets, total) {
  const again = () => show(facets, total);
  const place = byId("facets");
  redraw(place, () => fill(place, fired(total), facets.map((facet) => group(facet, total, again)), adder()));
}

/**
 * The triggers of the definitions; what is chosen is no part of the search, but of the link.
 * @param {number} total
 */
function fired(total) {
  const { triggers } = desk.summary;
  if (triggers.length === 0) return null;
  const rows = triggers.map((/** @type {string} */ name) => {
    const on = desk.state.fired === name;
    return h("li", { class: "value" },
      h("button", { type: "button", class: `name fire${on ? " is-for" : ""}`, "aria-pressed": String(on), onclick: () => change({ fired: on ? "" : name }) }, `⚡ ${name}`));
  });
  const head = desk.state.fired ? `Fired: ${countOf(total, "event")}` : "Triggers";
  return h("section", { class: "facet" }, h("h2", null, h("span", null, head)), h("ul", null, rows));
}

/**
 * @param {Facet} facet
 * @param {number} total
 * @param {() => void} again
 */
function group(facet, total, again) {
  const { field, distinct, top } = facet;
  const isFolded = folded.has(field);
  const flip = (/** @type {Set<string>} */ set) => () => {
    if (!set.delete(field)) set.add(field);
    again();
  };
  const head = h("h2", null,
    h("button", { type: "button", class: "fold", "aria-expanded": String(!isFolded), onclick: flip(folded) }, h("span", { class: "arrow", "aria-hidden": "true" }, isFolded ? "▸" : "▾"), field),
    iconButton("×", `Take ${field} away from the fields`, () => change({ facets: desk.state.facets.filter((name) => name !== field) }, "replace")),
    h("span", { class: "dim count", title: countOf(distinct, "different value") }, count(distinct)));
  if (isFolded) return h("section", { class: "facet", "data-place": field }, head);
  const shown = whole.has(field) ? top : top.slice(0, FEW);
  const rows = shown.map(([value, number]) => row(field, value, number, total));
  const rest = top.length - FEW;
  const more = rest > 0 && h("button", { type: "button", class: "more", onclick: flip(whole) }, whole.has(field) ? "fewer" : `${rest} more`);
  const none = top.length === 0 && h("p", { class: "dim none" }, "none of these events has it");
  return h("section", { class: "facet", "data-field": field, "data-place": field }, head, h("ul", null, rows), none, more);
}

/**
 * @param {string} field
 * @param {string} value
 * @param {number} number
 * @param {number} total
 */
function row(field, value, number, total) {
  const filtered = isFiltered(field, value);
  const share = h("span", { class: "share" });
  share.style.width = `${(100 * number) / Math.max(1, total)}%`;
  const name = value === "" ? "(empty)" : value;
  if (!isSearchable(value)) return h("li", { class: "value", title: value }, share, h("span", { class: "name" }, name), h("span", { class: "count" }, count(number)));
  return h("li", { class: `value${filtered ? ` is-${filtered}` : ""}` }, share,
    h("button", { type: "button", class: "name", title: value, "aria-pressed": String(filtered === "for"), onclick: () => filterFor(field, value) }, name),
    h("span", { class: "count" }, count(number)),
    iconButton("+", `Only ${field} ${value}`, () => filterFor(field, value), { class: "icon plus" }),
    iconButton("−", `Without ${field} ${value}`, () => filterOut(field, value), { class: "icon minus" }));
}

function adder() {
  const paths = desk.summary.paths.filter((/** @type {string} */ path) => !desk.state.facets.includes(path));
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "add-facet", list: "paths", placeholder: "Add a field …", spellcheck: "false" }));
  const add = (/** @type {Event} */ event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (name && !desk.state.facets.includes(name)) change({ facets: [...desk.state.facets, name] }, "replace");
  };
  return h("form", { class: "adder", onsubmit: add }, h("label", { class: "hidden", for: "add-facet" }, "Add a field"), input,
    h("datalist", { id: "paths" }, paths.map((/** @type {string} */ path) => h("option", { value: path }))));
}
