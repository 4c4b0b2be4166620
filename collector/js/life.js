// The life of a page while something is collected in it: waits until it is shown, notes that it was hidden, and tells
// when it is left. Knows nothing of what is collected.
import { call, own } from "./dom.js";

/**
 * Begins to follow the page, once it is shown; `undefined` where the call was abandoned by then, or the page is not
 * secure. `left` resolves when the page is left or the call is abandoned, and `end()` stops following.
 */
export async function begin(gone) {
  // A framework's double effect abandons its first call within the same task: nothing has been opened then.
  await null;
  if (gone.aborted || !isSecureContext) return undefined;
  const page = { hidden: false, prerendered: own("prerendering") === true, leftEarly: false };
  if (page.prerendered) {
    await new Promise((resolve) => {
      call("addEventListener", "prerenderingchange", resolve, { once: true, signal: gone });
      gone.addEventListener("abort", resolve, { once: true });
    });
    if (gone.aborted) return undefined;
  }
  const over = new AbortController();
  const { signal } = over;
  const hidden = () => (page.hidden ||= own("visibilityState") === "hidden");
  hidden();
  call("addEventListener", "visibilitychange", hidden, { signal });
  const left = new Promise((resolve) => {
    addEventListener("pagehide", () => resolve((page.leftEarly = true)), { signal });
    gone.addEventListener("abort", resolve, { signal });
  });
  return { page, left, end: () => over.abort() };
}

/** What a call rejects with that its page has abandoned. */
export const aborted = () => new DOMException("octet: the call was abandoned", "AbortError");

/** A message's own random name: a retry carries the same one. */
export const randomId = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The promise's value, or a rejection with a timeout after `ms`. */
export function within(ms, promise) {
  let timer;
  const limit = new Promise((_, reject) => (timer = setTimeout(reject, ms, { name: "timeout" })));
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}
