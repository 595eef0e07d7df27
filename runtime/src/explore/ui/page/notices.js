// What is to be said beside the events: what could not be read, what went wrong, what was done.

import { byId, fill, h, iconButton } from "./dom.js";
import { count, countOf } from "./text.js";

/**
 * Tells what was not read. It stays until it is put away.
 * @param {any} summary
 */
export function tellOfLogs(summary) {
  const notices = [];
  if (summary.left > 0) {
    notices.push(notice("warn", `${countOf(summary.left, "file")} not read: the room for records is used up. Narrow what is read with --from, --until, --account or --region, or give it more with --memory.`));
  }
  if (summary.faults > 0) {
    const more = summary.faults - summary.first_faults.length;
    const list = h("ul", null, summary.first_faults.map((/** @type {string} */ fault) => h("li", null, fault)), more > 0 && h("li", null, `and ${count(more)} more`));
    const head = `${countOf(summary.faults, "piece")} of the logs could not be read: what is shown is without them`;
    notices.push(notice("warn", h("details", null, h("summary", null, head), list)));
  }
  fill(byId("notices"), notices);
}

/**
 * Tells that a question had no answer.
 * @param {string} message
 */
export function tellOfFailure(message) {
  const before = document.querySelector(".notice.bad");
  before?.remove();
  byId("notices").append(notice("bad", message));
}

/** Takes back what was told of a failure. */
export function forgetFailure() {
  document.querySelector(".notice.bad")?.remove();
}

/**
 * @param {string} kind
 * @param {import("./dom.js").Child} content
 */
function notice(kind, content) {
  const element = h("div", { class: `notice ${kind}` }, h("div", null, content), iconButton("×", "Put away", () => element.remove()));
  return element;
}

/** @type {number | undefined} */
let fading;

/**
 * Says for a moment that something was done.
 * @param {string} message
 */
export function toast(message) {
  const element = byId("toast");
  fill(element, message);
  element.classList.add("is-shown");
  clearTimeout(fading);
  fading = setTimeout(() => element.classList.remove("is-shown"), 2500);
}

/**
 * Puts a text where it can be pasted from.
 * @param {string} text
 * @param {string} done
 */
export async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    const field = /** @type {HTMLTextAreaElement} */ (h("textarea", { class: "hidden", "aria-hidden": "true" }));
    field.value = text;
    document.body.append(field);
    field.select();
    toast(document.execCommand("copy") ? done : "The browser does not let this page copy");
    field.remove();
  }
}
