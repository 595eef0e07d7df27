// An event as a tree that can be walked through, with what can be done for each of its fields.

import { desk, filterExists, filterFor, filterOut, isFiltered, toggleColumn } from "./actions.js";
import { h, iconButton } from "./dom.js";
import { copy } from "./notices.js";
import { count } from "./text.js";

/**
 * A value: its kind and what it holds. Members are `[the name as a search has it, or null where it has none; the name; the value]`.
 * @typedef {["object", [string | null, string, Node][]] | ["array", Node[]] | ["string" | "number" | "boolean" | "null", string]} Node
 */

/** Members that lie deeper are folded at first, unless they are short. */
const OPEN_DEPTH = 3;
const SHORT = 6;

/** What somebody has folded or unfolded, by its place, of this event. */
const turned = new Map();
let whose = "";

/**
 * @param {Node} root
 * @param {string} id the event's: what is folded of it stays so when it is drawn again
 * @returns {HTMLElement}
 */
export function tree(root, id) {
  if (id !== whose) turned.clear();
  whose = id;
  const list = h("ul", { class: "tree", role: "tree", "aria-label": "Fields of this event", onkeydown: onKey, onfocusin: onFocus }, items(root, "", 0, ""));
  list.querySelector("[role=treeitem]")?.setAttribute("tabindex", "0");
  return list;
}

/**
 * @param {Node} node
 * @param {string | null} path the path so far; `null` where a search can not name it
 * @param {number} depth
 * @param {string} place
 * @returns {HTMLElement[]}
 */
function items(node, path, depth, place) {
  if (node[0] === "object") {
    const below = (/** @type {string | null} */ name) => (path === null || name === null ? null : path === "" ? name : `${path}.${name}`);
    return node[1].map(([quoted, name, value]) => item(name, value, below(quoted), depth, place));
  }
  // Elements have the path of their list: any of them will do.
  if (node[0] === "array") return node[1].map((value, index) => item(`[${index}]`, value, path, depth, place));
  return [];
}

/**
 * @param {string} name
 * @param {Node} node
 * @param {string | null} path
 * @param {number} depth
 * @param {string} above the place that it is in
 */
function item(name, node, path, depth, above) {
  const [kind, content] = node;
  const place = `${above}/${JSON.stringify(name)}`;
  if (kind === "object" || kind === "array") {
    const isOpen = turned.get(place) ?? (depth < OPEN_DEPTH || content.length <= SHORT);
    const size = kind === "object" ? `{${count(content.length)}}` : `[${count(content.length)}]`;
    const group = h("ul", { role: "group" }, items(node, path, depth + 1, place));
    const row = h("div", { class: "row" }, h("span", { class: "twig", "aria-hidden": "true" }), h("span", { class: "name" }, name), h("span", { class: "dim" }, ` ${size}`), path !== null && branchActs(path));
    const element = h("li", { role: "treeitem", "aria-expanded": String(isOpen), tabindex: -1, "data-place": place }, row, group);
    row.addEventListener("click", (event) => {
      if (!(/** @type {Element} */ (event.target).closest("button"))) fold(element);
    });
    return element;
  }
  const state = path !== null && kind !== "null" ? isFiltered(path, content) : "";
  return h("li", { role: "treeitem", tabindex: -1, "data-place": place, class: state ? `is-${state}` : "" },
    h("div", { class: "row" }, h("span", { class: "name" }, name), h("span", { class: `value ${kind}` }, kind === "string" && content === "" ? '""' : content),
      path !== null && leafActs(path, kind, content)));
}

/**
 * @param {string} path
 * @param {string} kind
 * @param {string} value
 */
function leafActs(path, kind, value) {
  const isSearched = kind !== "null";
  return h("span", { class: "acts" },
    isSearched && iconButton("+", `Only ${path} ${value}`, () => filterFor(path, value), { tabindex: -1, "data-key": "f" }),
    isSearched && iconButton("−", `Without ${path} ${value}`, () => filterOut(path, value), { tabindex: -1, "data-key": "x" }),
    isSearched && iconButton("∃", `Only events that have ${path}`, () => filterExists(path), { tabindex: -1, "data-key": "e" }),
    columnAct(path),
    iconButton("⧉", `Copy the path ${path}`, () => copy(path, "Path copied"), { tabindex: -1, "data-key": "p" }),
    isSearched && iconButton("⎘", "Copy the value", () => copy(value, "Value copied"), { tabindex: -1, "data-key": "y" }));
}

/** @param {string} path */
function branchActs(path) {
  return h("span", { class: "acts" },
    iconButton("∃", `Only events that have ${path}`, () => filterExists(path), { tabindex: -1, "data-key": "e" }),
    columnAct(path),
    iconButton("⧉", `Copy the path ${path}`, () => copy(path, "Path copied"), { tabindex: -1, "data-key": "p" }));
}

/** @param {string} path */
function columnAct(path) {
  const is = desk.state.cols.includes(path);
  return iconButton("▥", is ? `Take the column ${path} away` : `Show ${path} as a column`, () => toggleColumn(path), { tabindex: -1, class: is ? "icon is-on" : "icon", "data-key": "c" });
}

/** @param {HTMLElement} element */
function fold(element) {
  const isOpen = element.getAttribute("aria-expanded") !== "true";
  element.setAttribute("aria-expanded", String(isOpen));
  turned.set(element.dataset.place, isOpen);
}

/**
 * The keyboard comes back to where it was last.
 * @param {FocusEvent} event
 */
function onFocus(event) {
  const at = /** @type {HTMLElement} */ (event.target);
  if (!at.matches("[role=treeitem]")) return;
  /** @type {Element} */ (event.currentTarget).querySelectorAll('[role=treeitem][tabindex="0"]').forEach((item) => item.setAttribute("tabindex", "-1"));
  at.tabIndex = 0;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const at = /** @type {HTMLElement} */ (event.target).closest("[role=treeitem]");
  if (!(at instanceof HTMLElement) || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = /** @type {HTMLElement[]} */ ([.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll("[role=treeitem]")]).filter((item) => item.offsetParent !== null);
  const place = all.indexOf(at);
  const expanded = at.getAttribute("aria-expanded");
  const parent = at.parentElement?.closest("[role=treeitem]");
  const act = at.querySelector(`:scope > .row button[data-key="${CSS.escape(event.key)}"]`);
  if (event.key === "ArrowDown") go(all[place + 1]);
  else if (event.key === "ArrowUp") go(all[place - 1]);
  else if (event.key === "ArrowRight" && expanded === "false") fold(at);
  else if (event.key === "ArrowRight" && expanded === "true") go(all[place + 1]);
  else if (event.key === "ArrowLeft" && expanded === "true") fold(at);
  else if (event.key === "ArrowLeft" && parent instanceof HTMLElement) go(parent);
  else if (event.key === "Enter" && expanded) fold(at);
  else if (act instanceof HTMLElement) act.click();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

/** @param {HTMLElement | undefined} to */
function go(to) {
  to?.focus();
}
