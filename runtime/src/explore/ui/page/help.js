// What the keys do and how a search is written, and the choice between light and dark.

import { byId, h } from "./dom.js";

const KEYS = [
  ["/", "go to the search bar"],
  ["j  k", "next and previous event"],
  ["h  l", "cell to the left and to the right"],
  ["Enter", "open the event, or close it"],
  ["f", "only events with this cell's value"],
  ["x", "without this cell's value"],
  ["c", "choose columns"],
  ["[  ]", "the time before and after"],
  ["0", "all of the time"],
  ["t", "make a trigger from this search"],
  ["Esc", "close what is open"],
  ["?", "this help"],
];

const LANGUAGE = [
  ["event:Create* -event:CreateLogStream", "one name out, all others that begin so in"],
  ["error:*", "the field is there: calls that failed"],
  ["actor:alice OR actor:\"break glass\"", "either; quotes for texts with blanks"],
  ["-region:us-east-1,eu-west-1", "in neither of two regions"],
  ["ip:10.0.0.0/8", "addresses of a network"],
  ["requestParameters.maxResults:>100", "a number's range, by its path"],
  ["time:>=2026-03-01T12", "a time, cut short where one likes"],
  ["i-0abc123", "a text anywhere in the event"],
];

/** Opens the help. */
export function openHelp() {
  const rows = (/** @type {string[][]} */ list) => list.map(([name, text]) => h("tr", null, h("td", null, h("kbd", null, name)), h("td", null, text)));
  const dialog = /** @type {HTMLDialogElement} */ (h("dialog", { class: "help", "aria-label": "Help", onclose: () => dialog.remove() },
    h("header", null, h("h2", null, "Keyboard"), h("button", { type: "button", class: "icon", "aria-label": "Close", onclick: () => dialog.close() }, "×")),
    h("table", null, rows(KEYS)), h("h2", null, "Searches"), h("table", null, rows(LANGUAGE))));
  document.body.append(dialog);
  dialog.showModal();
}

/** Light, dark, or as the system has it; what was chosen stays chosen in this browser. */
export function setUpTheme() {
  const root = document.documentElement;
  const apply = (/** @type {string | null} */ theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  };
  apply(localStorage.getItem("theme"));
  byId("theme").addEventListener("click", () => {
    const isDark = getComputedStyle(root).colorScheme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    const theme = isDark ? "light" : "dark";
    localStorage.setItem("theme", theme);
    apply(theme);
  });
}
