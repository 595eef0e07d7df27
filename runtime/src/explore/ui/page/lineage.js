// Who opened the session that did this, what else it did, and which keys the event handed out.

import { around, change } from "./actions.js";
import { h } from "./dom.js";
import { term } from "./query.js";
import { countOf } from "./text.js";
import { MINUTE, shown } from "./time.js";

/** @typedef {{id: string, time: number | null, name: string | null, account: string | null, region: string | null, actor: string | null}} Brief */

const KEY = "userIdentity.accessKeyId";

/**
 * @param {any} event as the program answers
 * @returns {HTMLElement | null}
 */
export function lineage(event) {
  const { openers, session, given, copies } = event.lineage;
  const steps = [...openers].reverse().map((/** @type {Brief} */ opener) => h("li", null, brief(opener, opener.actor ?? "unknown")));
  const chain = steps.length > 0 && h("ol", { class: "chain" }, steps, h("li", { class: "is-here" }, h("strong", null, event.who), h("span", { class: "dim" }, " this event")));
  const links = [
    session && go(`${countOf(session.events, "event")} with the key ${session.key}`, () => change({ q: term(KEY, session.key), from: "", to: "", fired: "" })),
    event.time !== null && go("±5 minutes of this actor", () => around(event.time, 5 * MINUTE, { q: term("actor", event.actor.name), fired: "" })),
    event.time !== null && go("±5 minutes of anybody", () => around(event.time, 5 * MINUTE, { q: "", fired: "" })),
    given.map((/** @type {{key: string, events: number}} */ key) =>
      go(`${countOf(key.events, "event")} with the key it handed out, ${key.key}`, () => change({ q: term(KEY, key.key), from: "", to: "", fired: "" }))),
  ];
  const others = copies.length > 0 && h("div", null, h("h3", null, "The same event in other accounts"), h("ul", { class: "copies" }, copies.map((/** @type {Brief} */ copy) => h("li", null, brief(copy, `${copy.account} ${copy.region}`)))));
  return h("section", { class: "lineage" }, chain && h("h3", null, "How it came to this"), chain, h("h3", null, "Follow"), h("ul", { class: "links" }, links.flat().filter(Boolean).map((link) => h("li", null, link))), others);
}

/**
 * @param {Brief} event
 * @param {string} head
 */
function brief(event, head) {
  return [h("button", { type: "button", class: "link", onclick: () => change({ sel: event.id }) }, head), h("span", { class: "dim" }, ` ${event.name ?? ""} ${shown(event.time)}`)];
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
function go(text, onclick) {
  return h("button", { type: "button", class: "link", onclick }, text);
}
