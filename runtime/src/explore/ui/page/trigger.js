// A trigger that fires for what the search finds: its HCL, and what it would have done with these logs.

import { desk } from "./actions.js";
import { ask } from "./api.js";
import { fill, h } from "./dom.js";
import { copy } from "./notices.js";
import { count, countOf } from "./text.js";

/** Typing has to rest so long before the program is asked. */
const REST = 250;

/** Opens the window. */
export function open() {
  const name = /** @type {HTMLInputElement} */ (h("input", { type: "text", id: "trigger-name", spellcheck: "false", maxlength: 40 }));
  const result = h("div", { class: "result", "aria-live": "polite" }, h("p", { class: "dim" }, "Judging these logs …"));
  /** @type {number | undefined} */
  let waiting;
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: "trigger", "aria-label": "Make a trigger", onclose: () => dialog.remove() },
    h("header", null, h("h2", null, "A trigger from this search"), h("button", { type: "button", class: "icon", "aria-label": "Close", onclick: () => dialog.close() }, "×")),
    h("p", null, h("code", { class: "q" }, desk.state.q || "every event")),
    h("p", { class: "field" }, h("label", { for: "trigger-name" }, "Name"), name), result));
  const draw = async () => {
    try {
      const { q, from, to } = desk.state;
      const answer = await ask("trigger", { q, from, to, name: name.value });
      if (!name.value && answer.name) name.value = answer.name;
      fill(result, answer.problems?.length ? answer.problems.map(problem) : [backtest(answer), hcl(answer)]);
    } catch (error) {
      fill(result, problem({ message: /** @type {Error} */ (error).message, help: null }));
    }
  };
  name.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(draw, REST);
  });
  document.body.append(dialog);
  dialog.showModal();
  draw();
}

/** @param {{message: string, help: string | null}} told */
function problem(told) {
  return h("p", { class: "problem bad" }, told.message, told.help && h("span", { class: "dim" }, ` – ${told.help}`));
}

/**
 * How often it would have fired, and on which days.
 * @param {{fired: number, found: number, days: [string, number][], notes: string[]}} answer
 */
function backtest({ fired, found, days, notes }) {
  const most = Math.max(1, ...days.map((day) => day[1]));
  const rows = days.map(([day, number]) => {
    const bar = h("span", { class: "bar" });
    bar.style.width = `${(100 * number) / most}%`;
    return h("tr", null, h("th", { scope: "row" }, day), h("td", { class: "number" }, count(number)), h("td", { class: "wide" }, bar));
  });
  const said = fired === found ? "" : ` The search finds ${count(found)}.`;
  return h("section", null, h("p", { class: "fires" }, h("strong", null, `It would have fired ${count(fired)} ${fired === 1 ? "time" : "times"}`), ` on ${countOf(days.length, "day")}.${said}`),
    notes.map((note) => h("p", { class: "problem warn" }, note)), days.length > 0 && h("div", { class: "days" }, h("table", null, rows)));
}

/** @param {{hcl: string}} answer */
function hcl(answer) {
  const button = h("button", { type: "button", class: "primary", onclick: () => copy(answer.hcl, "Trigger copied") }, "Copy HCL");
  // The lines of this text are the program's own: what comes from an event is escaped in it.
  return h("section", null, h("pre", { class: "hcl", tabindex: 0 }, answer.hcl.trimEnd().split("\n").map((line) => [line, h("br")])), button);
}
