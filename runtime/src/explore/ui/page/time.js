// Times, always in UTC as CloudTrail writes them.

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/**
 * As a search has it: `2026-03-01T12:00:00Z`.
 * @param {number} time
 * @returns {string}
 */
export function iso(time) {
  return new Date(time).toISOString().replace(".000Z", "Z");
}

/**
 * As people read it: `2026-03-01 12:00:00`.
 * @param {number | null} time
 * @returns {string}
 */
export function shown(time) {
  if (time === null) return "no time";
  return iso(time).replace("T", " ").replace("Z", "");
}

/**
 * A time as somebody typed it, in milliseconds; `null` where it is none.
 * @param {string} text
 * @returns {number | null}
 */
export function parsed(text) {
  const time = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?Z)?$/.test(text.trim()) ? Date.parse(text.trim()) : NaN;
  return Number.isNaN(time) ? null : time;
}

/**
 * What is needed to tell stretches of this length apart.
 * @param {number} time
 * @param {number} step
 * @returns {string}
 */
export function label(time, step) {
  const [day, clock] = shown(time).split(" ");
  const [, month, date] = day.split("-");
  const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  const name = `${Number(date)} ${months[Number(month) - 1]}`;
  if (step >= DAY) return step >= 28 * DAY ? `${months[Number(month) - 1]} ${day.slice(0, 4)}` : name;
  if (clock.startsWith("00:00:00")) return name;
  return step < MINUTE ? clock : clock.slice(0, 5);
}

/**
 * `1 Mar 12:00 – 2 Mar 08:30 UTC`.
 * @param {string} from
 * @param {string} to
 * @returns {string}
 */
export function range(from, to) {
  const brief = (/** @type {string} */ text) => {
    const time = parsed(text);
    return time === null ? text : shown(time).replace(/:00$/, "").replace(/ 00:00$/, "");
  };
  if (!from && !to) return "All time";
  if (!to) return `From ${brief(from)}`;
  if (!from) return `Until ${brief(to)}`;
  return `${brief(from)} – ${brief(to)}`;
}

/**
 * `12 ms`, `3 min`, `2 d`.
 * @param {number} length
 * @returns {string}
 */
export function duration(length) {
  for (const [unit, name] of /** @type {[number, string][]} */ ([[DAY, "d"], [HOUR, "h"], [MINUTE, "min"], [SECOND, "s"]])) {
    if (length >= unit) return `${Math.round((length / unit) * 10) / 10} ${name}`;
  }
  return `${Math.round(length)} ms`;
}
