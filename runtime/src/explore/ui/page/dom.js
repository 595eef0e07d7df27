// Elements. Every text goes through here as a text node, so nothing that stands in an event can become markup.

import { pieces, visible } from "./text.js";

/** @typedef {Node | string | number | null | undefined | false | Child[]} Child */

/**
 * An element. `on…` members are listeners, `true` and `false` set and leave out, everything else is an attribute.
 * @param {string} tag
 * @param {Record<string, any> | null} [members]
 * @param {...Child} children
 * @returns {HTMLElement}
 */
export function h(tag, members, ...children) {
  return /** @type {HTMLElement} */ (made(document.createElement(tag), members, children));
}

/**
 * The same for a picture.
 * @param {string} tag
 * @param {Record<string, any> | null} [members]
 * @param {...Child} children
 * @returns {SVGElement}
 */
export function svg(tag, members, ...children) {
  return /** @type {SVGElement} */ (made(document.createElementNS("http://www.w3.org/2000/svg", tag), members, children));
}

/**
 * @param {Element} element
 * @param {Record<string, any> | null | undefined} members
 * @param {Child[]} children
 */
function made(element, members, children) {
  for (const [name, value] of Object.entries(members ?? {})) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, visible(String(value)));
  }
  element.append(...nodes(children));
  return element;
}

/**
 * @param {Child} child
 * @returns {Node[]}
 */
function nodes(child) {
  if (child === null || child === undefined || child === false) return [];
  if (Array.isArray(child)) return child.flatMap(nodes);
  if (child instanceof Node) return [child];
  return pieces(String(child)).map((piece) => {
    if (!piece.hidden) return document.createTextNode(piece.text);
    const escape = document.createElement("span");
    escape.className = piece.mild ? "escape mild" : "escape";
    escape.textContent = piece.text;
    return escape;
  });
}

/**
 * Replaces what an element holds.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/**
 * Draws a part of the page anew. Where the keyboard was in it, it is there again, if what it was on is still there.
 * @param {Element} part
 * @param {() => void} draw
 */
export function redraw(part, draw) {
  const had = document.activeElement;
  const name = had && part.contains(had) && had !== part ? nameOf(had) : null;
  draw();
  if (name === null) return;
  const again = [...part.querySelectorAll("button, input, [tabindex]")].find((element) => nameOf(element) === name);
  if (!(again instanceof HTMLElement)) return;
  again.focus({ preventScroll: true });
  if (document.activeElement === again) return;
  // It is seen only where the keyboard is beside it.
  again.parentElement?.querySelector("button")?.focus({ preventScroll: true });
  again.focus({ preventScroll: true });
}

/**
 * What tells an element from the others of its part: where it is, and what it does.
 * @param {Element} element
 */
function nameOf(element) {
  const place = element.closest("[data-place]")?.getAttribute("data-place") ?? "";
  const does = element.hasAttribute("data-place") ? "" : (element.getAttribute("data-key") ?? element.getAttribute("aria-label") ?? element.textContent);
  return JSON.stringify([element.tagName, place, does]);
}

/**
 * An element of the page by its id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}

/**
 * A small button with a sign on it.
 * @param {string} sign
 * @param {string} label what it does, for who hovers and who listens
 * @param {(event: MouseEvent) => void} onclick
 * @param {Record<string, any>} [members]
 * @returns {HTMLElement}
 */
export function iconButton(sign, label, onclick, members) {
  return h("button", { type: "button", class: "icon", title: label, "aria-label": label, onclick, ...members }, sign);
}
