// Text that others wrote, as people may see it: nothing in it hides, turns or moves what stands around it.

/** Control characters, and those that reverse, hide or join their neighbours. Line ends and tabs too: what is shown is one line. */
const HIDDEN = /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu;

const KNOWN = new Map([["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"]]);

/**
 * One hidden character as an escape.
 * @param {string} letter
 * @returns {string}
 */
function escape(letter) {
  const units = [...Array(letter.length).keys()].map((at) => `\\u${letter.charCodeAt(at).toString(16).padStart(4, "0")}`);
  return KNOWN.get(letter) ?? units.join("");
}

/**
 * A text in which nothing hides, for attributes and titles.
 * @param {string} text
 * @returns {string}
 */
export function visible(text) {
  return text.replace(HIDDEN, escape);
}

/**
 * The same in pieces, so that an escape can be told from a text that looks like one.
 * @param {string} text
 * @returns {{text: string, hidden: boolean, mild: boolean}[]} `mild`: a line end or tab, which is nothing odd
 */
export function pieces(text) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > end) found.push({ text: text.slice(end, match.index), hidden: false, mild: false });
    found.push({ text: escape(match[0]), hidden: true, mild: KNOWN.has(match[0]) });
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ text: text.slice(end), hidden: false, mild: false });
  return found;
}

/**
 * A number as people read it: 192,427.
 * @param {number} number
 * @returns {string}
 */
export function count(number) {
  return number.toLocaleString("en-US");
}

/**
 * `1 event`, `2 events`.
 * @param {number} number
 * @param {string} one
 * @returns {string}
 */
export function countOf(number, one) {
  return `${count(number)} ${one}${number === 1 ? "" : "s"}`;
}
