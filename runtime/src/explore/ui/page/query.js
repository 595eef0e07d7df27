// The text of a search, changed by clicks as a person would change it.

/**
 * A value as a search has it. Whatever it is, a search for it finds it letter by letter.
 * @param {string} value
 * @returns {string}
 */
export function quoted(value) {
  if (/^[A-Za-z0-9][A-Za-z0-9._\-/:@+=]*$/.test(value)) return value;
  return `"${lineless(value.replace(/[\\"]/g, "\\$&"))}"`;
}

/**
 * What stands in quotes, without line ends and tabs: a bar of one line can not hold them.
 * @param {string} text
 * @returns {string}
 */
function lineless(text) {
  return text.replace(/[\n\r\t]/g, (letter) => ({ "\n": "\\n", "\r": "\\r", "\t": "\\t" })[letter] ?? letter);
}

/**
 * The same search on one line, whatever a link holds.
 * @param {string} q
 * @returns {string}
 */
export function onOneLine(q) {
  let [text, inQuotes] = ["", false];
  for (let at = 0; at < q.length; at += 1) {
    const letter = q[at];
    if (letter === "\\" && at + 1 < q.length && !/[\n\r\t]/.test(q[at + 1])) {
      text += letter + q[at + 1];
      at += 1;
      continue;
    }
    if (letter === '"') inQuotes = !inQuotes;
    // A backslash before a line end is one by itself.
    if (inQuotes) text += letter === "\\" ? "\\\\" : lineless(letter);
    else text += letter.replace(/[\n\r\t]/, " ");
  }
  return text;
}

/**
 * The term for a field's value. Who did it has no field of its own: what is shown is looked for where it comes from.
 * @param {string} field
 * @param {string} value
 * @returns {string}
 */
export function term(field, value) {
  if (field !== "actor") return `${field}:${quoted(value)}`;
  const account = /^account (\d+)$/.exec(value);
  if (account) return `(identity:AWSAccount userIdentity.accountId:${account[1]})`;
  if (value === "root") return "identity:Root";
  if (value === "unknown") return "-actor:*";
  // A user of Identity Center, and a principal that has no name.
  if (/^[0-9a-f]{8,10}-[0-9a-f-]{27,}$/i.test(value)) return `userIdentity.onBehalfOf.userId:${value}`;
  if (/^A[A-Z]{3}[A-Z0-9]{12,}$/.test(value)) return `userIdentity.principalId:${value}`;
  // A session is `ROLE/SESSION`, as its ARN ends.
  if (/^[\w+=,.@-]+\/[\w+=,.@-]+$/.test(value)) return `actor:*/${value.replaceAll(",", "\\,")}`;
  return `actor:${quoted(value)}`;
}

/**
 * The opposite of a term.
 * @param {string} text
 * @returns {string}
 */
export function not(text) {
  return text.startsWith("-") ? text.slice(1) : `-${text}`;
}

/**
 * A search that holds a term, too. Its opposite goes; what is there already stays as it is.
 * @param {string} q
 * @param {string} added
 * @returns {string}
 */
export function narrowed(q, added) {
  const parts = split(q);
  if (parts === null) return q.trim() === "" ? added : `(${q.trim()}) ${added}`;
  if (parts.includes(added)) return q.trim();
  return [...parts.filter((part) => part !== not(added)), added].join(" ");
}

/**
 * A search without a term.
 * @param {string} q
 * @param {string} gone
 * @returns {string}
 */
export function without(q, gone) {
  const parts = split(q);
  return parts === null ? q : parts.filter((part) => part !== gone).join(" ");
}

/**
 * Whether a term stands in a search by itself.
 * @param {string} q
 * @param {string} wanted
 * @returns {boolean}
 */
export function holds(q, wanted) {
  return split(q)?.includes(wanted) ?? false;
}

/**
 * The terms side by side; `null` where there are words between them that change what they mean.
 * @param {string} q
 * @returns {string[] | null}
 */
function split(q) {
  const parts = [];
  let [part, depth, inQuotes] = ["", 0, false];
  for (let at = 0; at < q.length; at += 1) {
    const letter = q[at];
    if (letter === "\\") {
      part += letter + (q[at + 1] ?? "");
      at += 1;
      continue;
    }
    if (letter === '"') inQuotes = !inQuotes;
    if (!inQuotes && "([{".includes(letter)) depth += 1;
    if (!inQuotes && ")]}".includes(letter)) depth -= 1;
    if (/\s/.test(letter) && !inQuotes && depth <= 0) {
      if (part) parts.push(part);
      part = "";
    } else {
      part += letter;
    }
  }
  if (part) parts.push(part);
  const words = ["OR", "AND", "NOT", "||", "&&"];
  const isPlain = !inQuotes && depth === 0 && !parts.some((found) => words.includes(found) || /[:,]$/.test(found) || found.startsWith(","));
  return isPlain ? parts : null;
}
