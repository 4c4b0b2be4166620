// Posts the bundle, and the very same bytes once more when that fails. Knows no more of the answer than its status.
const ACCEPTED = 202;
const UNAVAILABLE = 503;
// Handed to the browser, which does not tell how it went.
const QUEUED = -1;
const ANSWER_LIMIT_MS = 8000;
const RETRY_MS = 400;

/** Whether Octet accepted the bundle. */
export async function post(url, body, gone, page, left) {
  for (let attempt = 0; ; attempt++) {
    const status = await send(url, body, gone, page);
    if (gone.aborted || attempt || (status && status !== UNAVAILABLE)) return status === ACCEPTED;
    await Promise.race([new Promise((resolve) => setTimeout(resolve, RETRY_MS * (1 + Math.random()))), left]);
    if (gone.aborted) return false;
  }
}

/** What `read` makes of the answer, its status by default; 0 when there was none. */
export async function send(url, body, gone, page, limit = ANSWER_LIMIT_MS, read = ({ status }) => status) {
  const type = "application/json";
  // A page that is left takes its requests with it, unless they are kept alive.
  const keepalive = "keepalive" in Request.prototype;
  if (page.leftEarly && !keepalive) {
    navigator.sendBeacon?.(url, new Blob([body], { type }));
    return QUEUED;
  }
  const stop = new AbortController();
  const abort = () => stop.abort();
  const timer = setTimeout(abort, limit);
  gone.addEventListener("abort", abort);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": type },
      body,
      credentials: "same-origin",
      keepalive,
      signal: stop.signal,
    });
    return await read(response);
  } catch {
    return 0;
  } finally {
    clearTimeout(timer);
    gone.removeEventListener("abort", abort);
  }
}
