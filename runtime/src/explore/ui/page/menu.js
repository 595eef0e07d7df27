// Small windows that open beside what was clicked, and close when something else is.

import { h } from "./dom.js";

/** @type {{element: HTMLElement, opener: HTMLElement | SVGElement} | null} */
let open = null;

/**
 * Opens a window under `opener`. The first thing in it that can be typed into or pressed gets the focus.
 * @param {HTMLElement} opener
 * @param {string} label
 * @param {HTMLElement} content
 */
export function openBeside(opener, label, content) {
  const again = open?.opener === opener;
  close();
  if (again) return;
  const element = h("div", { class: "popover", role: "dialog", "aria-label": label, onkeydown: onKey }, content);
  document.body.append(element);
  const place = opener.getBoundingClientRect();
  const width = element.offsetWidth;
  element.style.left = `${Math.max(8, Math.min(place.left, window.innerWidth - width - 8))}px`;
  const top = place.bottom + 4;
  element.style.top = `${top}px`;
  element.style.maxHeight = `${Math.max(120, window.innerHeight - top - 12)}px`;
  opener.setAttribute("aria-expanded", "true");
  open = { element, opener };
  const first = element.querySelector("input") ?? element.querySelector("button:not(:disabled), a");
  if (first instanceof HTMLElement) first.focus();
}

/**
 * Opens a list of things to do.
 * @param {HTMLElement} opener
 * @param {string} label
 * @param {{name: string, act: () => void, disabled?: boolean}[]} items
 */
export function openMenu(opener, label, items) {
  const pressed = (/** @type {() => void} */ act) => () => {
    close();
    act();
  };
  const buttons = items.map((item) =>
    h("button", { type: "button", class: "item", disabled: item.disabled ?? false, onclick: pressed(item.act) }, item.name));
  openBeside(opener, label, h("div", { class: "menu" }, buttons));
}

/** Closes what is open; tells whether something was. */
export function close() {
  if (!open) return false;
  const { element, opener } = open;
  open = null;
  const hadFocus = element.contains(document.activeElement);
  element.remove();
  opener.setAttribute("aria-expanded", "false");
  if (hadFocus && opener.isConnected) opener.focus();
  return true;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.key === "Escape") {
    event.stopPropagation();
    close();
    return;
  }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !(document.activeElement instanceof HTMLButtonElement)) return;
  const all = [.../** @type {HTMLElement} */ (event.currentTarget).querySelectorAll("button:not(:disabled)")];
  const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
  event.preventDefault();
  /** @type {HTMLElement} */ (next).focus();
}

document.addEventListener("pointerdown", (event) => {
  const target = /** @type {Node} */ (event.target);
  if (open && !open.element.contains(target) && !open.opener.contains(target)) close();
});
