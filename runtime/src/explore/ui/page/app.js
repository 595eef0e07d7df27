// The page: whenever the state changes, what depends on it is asked for and shown.

import { asked, desk, start } from "./actions.js";
import { NoAnswer, ask } from "./api.js";
import { open as openColumns } from "./columns.js";
import { show as showEvent } from "./detail.js";
import { byId, fill } from "./dom.js";
import { show as showFacets } from "./facets.js";
import { openHelp, setUpTheme } from "./help.js";
import { show as showHistogram } from "./histogram.js";
import { setUp as setUpKeys, showFields } from "./keys.js";
import { close } from "./menu.js";
import { copy, forgetFailure, tellOfFailure, tellOfLogs } from "./notices.js";
import { setUp as setUpSearch, show as showSearch, tellProblems } from "./search.js";
import { append, length, mark, show as showRows } from "./table.js";
import { count, countOf } from "./text.js";
import { duration, shown } from "./time.js";
import { take } from "./token.js";
import { open as openTrigger } from "./trigger.js";

/** So many rows are asked for at once. */
const ROWS = 100;

/** @type {AbortController | undefined} */
let asking;
let isMore = false;

/** @param {number} offset */
function question(offset) {
  const { q, from, to, fired, cols, sort, facets } = desk.state;
  return { q, ...(offset ? asked() : { from, to }), fired, sort, columns: cols, facets: offset ? [] : facets, offset, limit: ROWS };
}

async function search() {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const began = performance.now();
  const { from, to } = desk.state;
  document.body.classList.add("is-busy");
  try {
    const answer = await ask("search", question(0), signal);
    forgetFailure();
    tellProblems(answer.problems ?? [], desk.state.q);
    // What was found last stays, and is seen to be old.
    document.body.classList.toggle("is-wrong", !answer.rows);
    if (answer.rows) {
      fill(byId("told"), `${countOf(answer.total, "event")} of ${count(desk.summary.events)}`, ` in ${duration(performance.now() - began)}`);
      desk.meant = { from, to, times: answer.times };
      showHistogram(answer.histogram, answer.timeless);
      showFacets(answer.facets, answer.total);
      showRows(answer.rows, answer.total, more);
    }
    document.body.dataset.shown = location.search;
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
  if (!signal.aborted) document.body.classList.remove("is-busy");
}

async function more() {
  if (isMore || !asking) return;
  const { signal } = asking;
  isMore = true;
  try {
    append((await ask("search", question(length()), signal)).rows ?? []);
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
  isMore = false;
}

/** @param {unknown} error */
function fail(error) {
  tellOfFailure(error instanceof NoAnswer ? error.message : `The page has met a bug: ${error}`);
  if (!(error instanceof NoAnswer)) console.error(error);
}

/** @param {import("./state.js").State} before */
function changed(before) {
  const { sel, ...now } = desk.state;
  const { sel: selBefore, ...then } = before;
  showSearch();
  if (JSON.stringify(now) !== JSON.stringify(then)) search();
  if (sel !== selBefore) mark();
  showEvent();
}

function setUp() {
  setUpTheme();
  setUpSearch();
  setUpKeys();
  byId("help").addEventListener("click", openHelp);
  byId("columns").addEventListener("click", () => openColumns(byId("columns")));
  byId("make-trigger").addEventListener("click", openTrigger);
  byId("copy-link").addEventListener("click", () => copy(location.href, "Link copied: it holds the whole view, and no token"));
  byId("fields").addEventListener("click", () => showFields(!document.body.classList.contains("shows-fields")));
  document.addEventListener("pointerdown", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (!target.closest("#facets, #fields")) showFields(false);
  });
  window.addEventListener("popstate", close);
}

async function main() {
  take();
  window.addEventListener("hashchange", () => take() && location.reload());
  setUp();
  start(changed);
  showSearch();
  try {
    desk.summary = await ask("summary", {});
  } catch (error) {
    fail(error);
    return;
  }
  const { extent, events, files } = desk.summary;
  if (extent) byId("home").title = `${countOf(events, "event")} of ${countOf(files, "file")}, ${shown(extent[0])} to ${shown(extent[1])} UTC`;
  tellOfLogs(desk.summary);
  await Promise.all([search(), showEvent()]);
}

main();
