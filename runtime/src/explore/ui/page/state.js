// Everything that a link holds. What is not in it is as in `DEFAULTS`.

/**
 * @typedef {object} State
 * @property {string} q the search
 * @property {string} from events at or after this
 * @property {string} to events before this
 * @property {string} fired only events for which this trigger fires
 * @property {string[]} cols the columns, each once
 * @property {string[]} facets the fields on the left, each once
 * @property {string} sort a column or `time`, with `-` the other way round
 * @property {string} sel the event that is open
 */

/** @type {State} */
export const DEFAULTS = {
  q: "",
  from: "",
  to: "",
  fired: "",
  cols: ["event", "actor", "source", "region", "ip", "error"],
  facets: ["event", "source", "error", "actor", "region", "account", "identity", "ip"],
  sort: "-time",
  sel: "",
};

/** @type {(keyof State)[]} */
const NAMES = ["q", "from", "to", "fired", "cols", "facets", "sort", "sel"];

/**
 * The state that a link holds.
 * @param {string} search what stands behind the path, with `?` or without
 * @returns {State}
 */
export function read(search) {
  const given = new URLSearchParams(search);
  const state = /** @type {any} */ (structuredClone(DEFAULTS));
  for (const name of NAMES) {
    const text = given.get(name);
    if (text !== null) state[name] = Array.isArray(state[name]) ? list(text) : text;
  }
  return state;
}

/**
 * The link's part behind the path: empty where everything is as in `DEFAULTS`.
 * @param {State} state
 * @returns {string}
 */
export function write(state) {
  const pairs = NAMES.filter((name) => !same(state[name], DEFAULTS[name])).map((name) => {
    const value = state[name];
    return `${name}=${encoded(Array.isArray(value) ? value.map(escaped).join(",") : value)}`;
  });
  return pairs.length ? `?${pairs.join("&")}` : "";
}

/**
 * @param {string | string[]} a
 * @param {string | string[]} b
 */
function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[\\,]/g, "\\$&");
}

/**
 * @param {string} text
 * @returns {string[]} each once
 */
function list(text) {
  const items = [];
  let item = "";
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "\\") {
      at += 1;
      item += text[at] ?? "";
    } else if (text[at] === ",") {
      items.push(item);
      item = "";
    } else {
      item += text[at];
    }
  }
  items.push(item);
  return [...new Set(items.filter((found) => found !== ""))];
}

/**
 * As few percent signs as a link allows, so that people can read it.
 * @param {string} text
 */
function encoded(text) {
  return encodeURIComponent(text).replace(/%(3A|2C|2F|40|20)/g, (sign) => ({ "%3A": ":", "%2C": ",", "%2F": "/", "%40": "@", "%20": "+" })[sign] ?? sign);
}
