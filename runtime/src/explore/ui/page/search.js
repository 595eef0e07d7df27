// The search bar: what is typed, what is wrong with it, and the times.

import { change, desk } from "./actions.js";
import { begin, hide } from "./complete.js";
import { byId, fill, h } from "./dom.js";
import { close, openBeside } from "./menu.js";
import { onOneLine } from "./query.js";
import { DAY, HOUR, MINUTE, iso, range } from "./time.js";

/** @typedef {{message: string, help: string | null, place: [number, number] | null, error: boolean}} Problem */

const input = /** @type {HTMLInputElement} */ (byId("q"));

/** The search that the bar was given last: what is being typed stays until there is another. */
let given = "";

/** Makes the bar work. */
export function setUp() {
  begin((problems, text) => tellProblems(problems.filter((problem) => !isUnfinished(problem, text)), text));
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    hide();
    // The keys are for the events now.
    byId("rows").focus();
    given = input.value.trim();
    change({ q: given });
  });
  input.addEventListener("input", () => byId("clear").hidden = input.value === "");
  byId("clear").addEventListener("click", () => {
    input.value = "";
    given = "";
    change({ q: "" });
    input.focus();
  });
  byId("time").addEventListener("click", () => openTimes());
}

/** Shows what the state asks for. */
export function show() {
  const { q, from, to } = desk.state;
  if (q !== given) input.value = onOneLine(q);
  given = q;
  byId("clear").hidden = input.value === "";
  fill(byId("time"), range(from, to), (from || to) && h("span", { class: "dim" }, " UTC"));
  byId("time").classList.toggle("is-set", Boolean(from || to));
}

/**
 * A search that ends where something should follow is no mistake yet.
 * @param {Problem} problem
 * @param {string} text
 */
function isUnfinished(problem, text) {
  return problem.place !== null && problem.place[1] >= text.trimEnd().length && document.activeElement === input;
}

/**
 * Shows what is wrong, with a caret under the place.
 * @param {Problem[]} problems
 * @param {string} text
 */
export function tellProblems(problems, text) {
  input.toggleAttribute("aria-invalid", problems.some((problem) => problem.error));
  fill(byId("problems"), problems.map((problem) =>
    h("div", { class: `problem ${problem.error ? "bad" : "warn"}` }, problem.place && caret(text, problem.place),
      h("p", null, h("strong", null, problem.error ? "error: " : "warning: "), problem.message, problem.help && h("span", { class: "dim" }, ` – ${problem.help}`)))));
}

/**
 * @param {string} text
 * @param {[number, number]} place
 */
function caret(text, [start, end]) {
  // Of a long search the part around the place is shown.
  const from = Math.max(0, start - 60);
  const cut = text.slice(from, end + 40);
  const [first, last] = [start - from, Math.max(end, start + 1) - from];
  return h("pre", null, from > 0 && "…", cut.slice(0, first), h("mark", null, cut.slice(first, last) || " "), cut.slice(last));
}

function openTimes() {
  const [first, last] = desk.summary.extent ?? [0, 0];
  const until = last + 1000;
  const recent = [["15 minutes", 15 * MINUTE], ["Hour", HOUR], ["6 hours", 6 * HOUR], ["Day", DAY], ["7 days", 7 * DAY], ["30 days", 30 * DAY]];
  const set = (/** @type {string} */ from, /** @type {string} */ to) => () => {
    close();
    change({ from, to });
  };
  const quick = recent.filter(([, length]) => Number(length) < until - first).map(([name, length]) =>
    h("button", { type: "button", class: "item", onclick: set(iso(until - Number(length)), "") }, `Last ${String(name).toLowerCase()} of the logs`));
  const field = (/** @type {string} */ id, /** @type {string} */ label, /** @type {string} */ value, /** @type {string} */ hint) => {
    const box = /** @type {HTMLInputElement} */ (h("input", { type: "text", id, placeholder: hint, spellcheck: "false" }));
    box.value = value;
    return { box, row: h("p", { class: "field" }, h("label", { for: id }, label), box) };
  };
  const from = field("from", "From", desk.state.from, iso(first));
  const to = field("to", "Until", desk.state.to, iso(until));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    set(from.box.value.trim(), to.box.value.trim())();
  };
  const form = h("form", { onsubmit: submit }, from.row, to.row,
    h("p", { class: "dim" }, "In UTC: a day such as 2026-03-01, or 2026-03-01T12:00:00Z"), h("button", { type: "submit", class: "primary" }, "Apply"));
  openBeside(byId("time"), "Times", h("div", { class: "times" }, form, h("div", { class: "menu" }, h("button", { type: "button", class: "item", onclick: set("", "") }, "All time"), quick)));
}
