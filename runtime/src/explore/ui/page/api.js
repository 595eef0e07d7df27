// Questions to the program that serves this page.

import { token } from "./token.js";

/** A question that has no answer, and why. */
export class NoAnswer extends Error {
  /**
   * @param {string} message
   * @param {number} status
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Asks, and gives the answer.
 * @param {string} path
 * @param {object} question
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function ask(path, question, signal) {
  let response;
  try {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token()}` };
    response = await fetch(`/api/${path}`, { method: "POST", headers, body: JSON.stringify(question), signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new NoAnswer("trailwire ui does not answer: has it ended?", 0);
  }
  if (response.status === 401) {
    throw new NoAnswer("open the link that trailwire ui printed: it holds a token, and this browser has none, or that of an earlier start", 401);
  }
  const answer = await response.json();
  if (!response.ok) throw new NoAnswer(answer.error ?? `status ${response.status}`, response.status);
  return answer;
}
