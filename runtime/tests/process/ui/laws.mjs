// Laws of the page's scripts that need no browser.

import assert from "node:assert/strict";
import test from "node:test";

import { holds, narrowed, not, onOneLine, quoted, term, without } from "../../../src/explore/ui/page/query.js";
import { DEFAULTS, read, write } from "../../../src/explore/ui/page/state.js";
import { visible } from "../../../src/explore/ui/page/text.js";
import { iso, label, parsed } from "../../../src/explore/ui/page/time.js";

/** Numbers that look random and are the same every time. */
function dice(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

const LETTERS = [..."aZ09 ,\\&=?#%+:/\"'()*-_.[]{}<>|!~^`\n\té😀\u202e", "OR", "AND"];

function text(roll, longest) {
  return Array.from({ length: roll(longest) }, () => LETTERS[roll(LETTERS.length)]).join("");
}

function state(roll) {
  const list = () => [...new Set(Array.from({ length: roll(6) }, () => text(roll, 6)).filter((item) => item !== ""))];
  const any = (name, value) => (roll(4) === 0 ? structuredClone(DEFAULTS[name]) : value);
  return {
    q: any("q", text(roll, 30)), from: any("from", text(roll, 8)), to: any("to", text(roll, 8)), fired: any("fired", text(roll, 8)),
    cols: any("cols", list()), facets: any("facets", list()), sort: any("sort", text(roll, 5)), sel: any("sel", text(roll, 8)),
  };
}

test("state -> link -> state is the identity", () => {
  const roll = dice(1);
  for (let round = 0; round < 5000; round += 1) {
    const before = state(roll);
    const link = write(before);
    assert.deepEqual(read(link), before, link);
    assert.equal(write(read(link)), link);
    assert.deepEqual(read(new URL(`http://127.0.0.1/${link}`).search), before);
  }
  assert.equal(write(DEFAULTS), "");
  assert.equal(write({ ...DEFAULTS, q: "error:* -event:A", cols: ["event", "a,b"] }), "?q=error:*+-event:A&cols=event,a%5C,b");
});

test("whatever a link says, it is read and written to one form", () => {
  const roll = dice(2);
  for (let round = 0; round < 5000; round += 1) {
    const link = `?${["q", "from", "cols", "facets", "sort", "unknown", ""][roll(7)]}=${text(roll, 20)}&${text(roll, 10)}`;
    const once = write(read(link));
    assert.equal(write(read(once)), once, link);
  }
});

test("a filter that is set twice is as set once, its opposite takes its place, and it can be taken back", () => {
  const roll = dice(3);
  for (let round = 0; round < 5000; round += 1) {
    const [q, added] = [["", "a", "error:*", "a OR b", "NOT x", 'ip:"a b" (c OR d)', "x:1, 2", text(roll, 12)][roll(8)], term(["event", "actor", "a.b"][roll(3)], text(roll, 8))];
    const once = narrowed(q, added);
    // To a search that is broken nothing can be added.
    if (!holds(once, added)) continue;
    assert.equal(narrowed(once, added), once, `${q} + ${added}`);
    const other = narrowed(once, not(added));
    assert.ok(holds(other, not(added)) && !holds(other, added), `${once} + ${not(added)}`);
    assert.ok(!holds(without(once, added), added));
  }
  assert.equal(narrowed("a OR b", "event:X"), "(a OR b) event:X");
  assert.equal(narrowed("  ", "event:X"), "event:X");
  assert.equal(narrowed("error:* -event:X", "event:X"), "error:* event:X");
  assert.equal(quoted('a "b" \\'), '"a \\"b\\" \\\\"');
  assert.equal(quoted("a\r\n\\n\tb"), '"a\\r\\n\\\\n\\tb"');
  const actors = { root: "identity:Root", alice: "actor:alice", "Admin/alice@example.com": "actor:*/Admin/alice@example.com", "account 111122223333": "(identity:AWSAccount userIdentity.accountId:111122223333)", "role/a,b,alice": "actor:*/role/a\\,b\\,alice", unknown: "-actor:*",
    "94482488-3041-7026-18f3-be45837cd0e4": "userIdentity.onBehalfOf.userId:94482488-3041-7026-18f3-be45837cd0e4", AIDATFQR7NSC5AU2ZV3IE: "userIdentity.principalId:AIDATFQR7NSC5AU2ZV3IE", ALICE: "actor:ALICE" };
  for (const [name, expected] of Object.entries(actors)) assert.equal(term("actor", name), expected);
});

test("a search fits on one line, and is one already where a click wrote it", () => {
  assert.equal(onOneLine('a\nb "c\n\\"d\te" \\"\r'), 'a b "c\\n\\"d\\te" \\" ');
  const roll = dice(5);
  for (let round = 0; round < 5000; round += 1) {
    const line = onOneLine(text(roll, 20));
    assert.doesNotMatch(line, /[\n\r\t]/);
    assert.equal(onOneLine(line), line);
    const written = quoted(text(roll, 8));
    assert.equal(onOneLine(written), written);
  }
});

test("nothing hides in a text that is shown", () => {
  assert.equal(visible("a\u202eb\u0000\u200b\n\t\u{e0041}\ufeff\ud800é😀"), "a\\u202eb\\u0000\\u200b\\n\\t\\udb40\\udc41\\ufeff\\ud800é😀");
  const roll = dice(4);
  for (let round = 0; round < 2000; round += 1) {
    const shown = visible(String.fromCharCode(...Array.from({ length: 8 }, () => roll(0x10000))));
    assert.ok(!/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]|\p{Cs}/u.test(shown), JSON.stringify(shown));
    assert.equal(visible(shown), shown);
  }
});

test("times are written as they are read", () => {
  for (const time of [0, 1772366400000, 1772366400123, 253402300799000]) assert.equal(parsed(iso(time)), time);
  for (const none of ["", "soon", "2026-3-1", "2026-03-01T12", "1772366400000"]) assert.equal(parsed(none), null);
  assert.equal(label(1772366400000, 60000), "12:00");
  assert.equal(label(1772323200000, 3600000), "1 Mar");
  assert.equal(label(1772366405000, 1000), "12:00:05");
});
