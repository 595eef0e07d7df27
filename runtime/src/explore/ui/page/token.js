// The token that the printed link holds. It stands in the fragment, which no browser sends anywhere, is kept where pages of this very address and port find it,
// and goes with each question in a header: a cookie would go to every port of this machine.

const KEY = "trailwire-token";

/** Takes the token out of the address. Whether there was one. */
export function take() {
  const given = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (given === undefined) return false;
  localStorage.setItem(KEY, given);
  history.replaceState(history.state, "", location.pathname + location.search);
  return true;
}

/** @returns {string} */
export function token() {
  return localStorage.getItem(KEY) ?? "";
}
