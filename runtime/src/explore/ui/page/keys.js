// The keyboard.

import { change, filterFor, filterOut, shift } from "./actions.js";
import { byId } from "./dom.js";
import { openHelp } from "./help.js";
import { close } from "./menu.js";
import { across, current, step, toggleOpen } from "./table.js";

/** @type {Record<string, () => void>} */
const KEYS = {
  "/": () => {
    const input = /** @type {HTMLInputElement} */ (byId("q"));
    input.focus();
    input.select();
  },
  j: () => step(1),
  ArrowDown: () => step(1),
  k: () => step(-1),
  ArrowUp: () => step(-1),
  h: () => across(-1),
  ArrowLeft: () => across(-1),
  l: () => across(1),
  ArrowRight: () => across(1),
  Enter: () => toggleOpen(),
  f: () => withCell(filterFor),
  x: () => withCell(filterOut),
  c: () => byId("columns").click(),
  t: () => byId("make-trigger").click(),
  "[": () => shift(-1),
  "]": () => shift(1),
  0: () => change({ from: "", to: "" }),
  "?": () => openHelp(),
};

/** @param {(field: string, value: string) => void} filter */
function withCell(filter) {
  const cell = current();
  if (cell) filter(...cell);
}

/**
 * On a narrow window the fields lie over the events while they are wanted.
 * @param {boolean} wanted
 * @returns {boolean} whether anything changed
 */
export function showFields(wanted) {
  const was = document.body.classList.contains("shows-fields");
  document.body.classList.toggle("shows-fields", wanted);
  byId("fields").setAttribute("aria-expanded", String(wanted));
  return was !== wanted;
}

/** Makes the keys work wherever nothing is being typed. */
export function setUp() {
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const isTyping = target.matches("input, textarea, select");
    if (event.key === "Escape") {
      if (isTyping) target.blur();
      else if (!close() && !showFields(false)) change({ sel: "" });
      return;
    }
    const isButton = target.matches("button, a, summary, [role=treeitem]") && (event.key === "Enter" || event.key.startsWith("Arrow"));
    if (isTyping || isButton || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}
