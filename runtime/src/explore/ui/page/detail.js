// One event: who did it, how they came to it, and everything that it says.

import { change, desk, filterFor } from "./actions.js";
import { NoAnswer, ask } from "./api.js";
import { byId, fill, h, iconButton, redraw } from "./dom.js";
import { lineage } from "./lineage.js";
import { copy } from "./notices.js";
import { shown } from "./time.js";
import { tree } from "./tree.js";

/** @type {AbortController | undefined} */
let asking;
/** @type {any} */
let event = null;

/** Shows the event that the state has open, or nothing. */
export async function show() {
  const place = byId("detail");
  const { sel } = desk.state;
  // Whatever is still on its way is not what is open now.
  asking?.abort();
  place.hidden = sel === "";
  document.body.classList.toggle("has-detail", sel !== "");
  if (sel === "") {
    event = null;
    fill(place);
    return;
  }
  if (event?.id === sel) {
    draw();
    return;
  }
  asking = new AbortController();
  const { signal } = asking;
  try {
    const answer = await ask("event", { id: sel }, signal);
    if (signal.aborted) return;
    event = answer;
    draw();
    place.scrollTop = 0;
  } catch (error) {
    if (signal.aborted) return;
    event = null;
    const said = error instanceof NoAnswer && error.status === 404 ? "This event is not in these logs" : String(/** @type {Error} */ (error).message);
    fill(place, h("header", null, h("h2", null, "Event"), closer()), h("p", { class: "empty" }, said));
  }
}

function draw() {
  const place = byId("detail");
  const top = place.scrollTop;
  const head = h("header", null, h("div", null, h("h2", null, event.name ?? "An event without a name"), h("p", { class: "dim" }, `${shown(event.time)} UTC`)), closer());
  const fired = event.fired.map((/** @type {string} */ name) =>
    h("button", { type: "button", class: "badge fire", title: `Only events for which ${name} fires`, onclick: () => change({ fired: name }) }, `⚡ ${name}`));
  const tools = h("p", { class: "tools" }, h("button", { type: "button", class: "quiet", onclick: () => copy(event.json, "Event copied as JSON") }, "Copy JSON"),
    h("button", { type: "button", class: "quiet", onclick: () => copy(location.href, "Link copied") }, "Copy link"));
  redraw(place, () => fill(place, head, fired.length > 0 && h("p", { class: "badges" }, fired), who(), lineage(event), h("h3", null, "Everything it says"), tools, tree(event.tree, event.id), h("p", { class: "file dim" }, `Read from ${event.file}`)));
  place.scrollTop = top;
}

function closer() {
  return iconButton("×", "Close (Esc)", () => change({ sel: "" }));
}

function who() {
  const { actor } = event;
  const mfa = { true: "with a second factor", false: "without a second factor" }[String(actor.mfa)];
  /** @type {[string, string | undefined, (() => void)?][]} */
  const facts = [
    ["Kind", event.kind],
    ["On behalf of", actor.on_behalf_of],
    ["Account", actor.account, () => filterFor("userIdentity.accountId", actor.account)],
    ["Access key", actor.access_key, () => filterFor("key", actor.access_key)],
    ["Through", actor.via],
    ["Tool", actor.tool],
    ["Signed in", mfa],
    ["In", [event.account, event.region, event.source].filter(Boolean).join(" · ")],
  ];
  const rows = facts.filter(([, value]) => value).map(([name, value, act]) =>
    [h("dt", null, name), h("dd", null, act ? h("button", { type: "button", class: "link", title: "Only events with it", onclick: act }, value) : value)]);
  return h("section", { class: "who" }, h("p", { class: "actor" }, h("button", { type: "button", class: "link", title: "Only events of this actor", onclick: () => filterFor("actor", actor.name) }, actor.name)), h("dl", null, rows));
}
