// What is offered while somebody types, and what is wrong with what they have typed.

import { ask } from "./api.js";
import { byId, fill, h } from "./dom.js";

/** Typing has to rest so long before the program is asked. */
const REST = 120;

const input = /** @type {HTMLInputElement} */ (byId("q"));
const list = byId("offers");

/** @type {{text: string, kind: string, note: string}[]} */
let offers = [];
let start = 0;
let chosen = -1;
/** Where the caret was when they were asked for: away from there they do not fit. */
let place = 0;
/** @type {number | undefined} */
let waiting;
/** @type {AbortController | undefined} */
let asking;

/**
 * Begins to offer.
 * @param {(problems: any[], text: string) => void} tell is given what is wrong with the text, every time that it is known
 */
export function begin(tell) {
  input.addEventListener("input", () => later(tell));
  input.addEventListener("keydown", onKey);
  input.addEventListener("blur", () => hide());
  for (const moved of ["keyup", "pointerup"]) {
    // Those that were asked for since stay asked for.
    input.addEventListener(moved, () => !list.hidden && input.selectionStart !== place && show([], 0));
  }
  list.addEventListener("pointerdown", (event) => {
    const place = /** @type {HTMLElement} */ (event.target).closest("li")?.dataset.place;
    event.preventDefault();
    if (place !== undefined) take(Number(place), tell);
  });
}

/** @param {(problems: any[], text: string) => void} tell */
function later(tell) {
  clearTimeout(waiting);
  waiting = setTimeout(() => offer(tell), REST);
}

/** @param {(problems: any[], text: string) => void} tell */
async function offer(tell) {
  asking?.abort();
  asking = new AbortController();
  const { value } = input;
  const caret = input.selectionStart ?? value.length;
  try {
    const answer = await ask("complete", { before: value.slice(0, caret), after: value.slice(caret) }, asking.signal);
    if (input.value !== value) return;
    tell(answer.problems, value);
    const isThere = answer.offers.length === 1 && answer.offers[0].text === value.slice(answer.start, caret);
    place = caret;
    show(isThere || document.activeElement !== input || input.selectionStart !== caret ? [] : answer.offers, answer.start);
  } catch {
    hide();
  }
}

/**
 * @param {typeof offers} found
 * @param {number} at
 */
function show(found, at) {
  [offers, start, chosen] = [found, at, -1];
  fill(list, offers.map((each, place) =>
    h("li", { role: "option", id: `offer-${place}`, "data-place": place, "aria-selected": "false" }, h("span", { class: `offer ${each.kind}` }, each.text), h("span", { class: "dim" }, each.note))));
  list.hidden = offers.length === 0;
  input.setAttribute("aria-expanded", String(!list.hidden));
  input.removeAttribute("aria-activedescendant");
}

/** Takes the offers away. */
export function hide() {
  clearTimeout(waiting);
  asking?.abort();
  show([], 0);
}

/** @param {number} place */
function choose(place) {
  chosen = (place + offers.length) % offers.length;
  [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === chosen)));
  list.children[chosen].scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", `offer-${chosen}`);
}

/**
 * @param {number} place
 * @param {(problems: any[], text: string) => void} [tell]
 */
function take(place, tell) {
  const { text } = offers[place];
  const caret = input.selectionStart ?? input.value.length;
  // What is left of the word behind the caret goes; a field is followed by its value, a value by the next term.
  const after = input.value.slice(caret).replace(/^[^\s()",]*"?/, "");
  const space = text.endsWith(":") || after.startsWith(" ") ? "" : " ";
  input.setRangeText(text + space + after, start, input.value.length, "end");
  const end = start + text.length + space.length;
  input.setSelectionRange(end, end);
  if (tell && text.endsWith(":")) offer(tell);
  else hide();
  input.dispatchEvent(new Event(text.endsWith(":") ? "input" : "change"));
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (list.hidden) return;
  if (event.key === "ArrowDown") choose(chosen + 1);
  else if (event.key === "ArrowUp") choose(chosen < 0 ? offers.length - 1 : chosen - 1);
  else if (chosen >= 0 && (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey))) take(chosen);
  else if (event.key === "Escape") {
    hide();
    event.stopPropagation();
  } else return;
  event.preventDefault();
}
