// Which columns there are: added from every field that records have, taken away, put in another order.

import { desk, moveColumn, toggleColumn } from "./actions.js";
import { fill, h, iconButton } from "./dom.js";
import { openBeside } from "./menu.js";
import { count } from "./text.js";

/** So many fields are listed at once; typing narrows them. */
const LISTED = 200;

/**
 * Opens the list of columns under a button.
 * @param {HTMLElement} opener
 */
export function open(opener) {
  const chosen = h("ol", { class: "chosen" });
  const offered = h("ul", { class: "offered" });
  const wanted = /** @type {HTMLInputElement} */ (h("input", { type: "text", placeholder: "Find a field …", "aria-label": "Find a field", spellcheck: "false", oninput: () => draw() }));
  const draw = () => {
    fill(chosen, desk.state.cols.map((name, index) => shown(name, index, draw)));
    fill(offered, offers(wanted.value.trim().toLowerCase(), draw));
  };
  draw();
  openBeside(opener, "Columns", h("div", { class: "columns" }, h("h2", null, "Columns"), chosen, h("h2", null, "Fields of these events"), wanted, offered));
}

/**
 * @param {string} name
 * @param {number} index
 * @param {() => void} draw
 */
function shown(name, index, draw) {
  const then = (/** @type {() => void} */ act) => () => {
    act();
    draw();
  };
  const last = desk.state.cols.length - 1;
  return h("li", null, h("span", { class: "path", title: name }, name),
    iconButton("↑", `Move ${name} left`, then(() => moveColumn(name, index - 1)), { disabled: index === 0 }),
    iconButton("↓", `Move ${name} right`, then(() => moveColumn(name, index + 1)), { disabled: index === last }),
    iconButton("×", `Take ${name} away`, then(() => toggleColumn(name))));
}

/**
 * @param {string} wanted
 * @param {() => void} draw
 */
function offers(wanted, draw) {
  const names = [...desk.summary.short_names, ...desk.summary.paths].filter((name) => !desk.state.cols.includes(name) && name.toLowerCase().includes(wanted));
  const add = (/** @type {string} */ name) => () => {
    toggleColumn(name);
    draw();
  };
  const rows = names.slice(0, LISTED).map((name) => h("li", null, h("button", { type: "button", class: "item path", title: name, onclick: add(name) }, `+ ${name}`)));
  const rest = names.length - LISTED;
  return [rows, rest > 0 && h("li", { class: "dim" }, `and ${count(rest)} more: type to narrow them`)];
}
