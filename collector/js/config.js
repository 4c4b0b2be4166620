// What a page may ask for, parsed once: after this, every value is one that can be used.
import { own } from "./dom.js";
import { files } from "./own.js";

const SESSION_REF = /^[\w-]{1,128}$/;

/** The parsed configuration of a call; throws a `TypeError` for what is missing or malformed. */
export function parse(config) {
  const { apiUrl, sessionRef, wsUrl, passiveOnly, signal } = config ?? {};
  check(typeof sessionRef === "string" && SESSION_REF.test(sessionRef), "sessionRef", "1 to 128 of A-Z a-z 0-9 _ -");
  const api = address("apiUrl", apiUrl);
  const channel = wsUrl == null ? undefined : address("wsUrl", wsUrl);
  check(signal == null || typeof signal.addEventListener === "function", "signal", "an AbortSignal");
  return { ref: sessionRef, api, channel, passiveOnly: !!passiveOnly, signal };
}

/** The URLs of one run. */
export function locations({ ref, api, channel }) {
  const base = api.origin + api.pathname.replace(/\/+$/, "");
  const socket = new URL(channel ?? `${base}/v1/ws`);
  socket.protocol = socket.protocol.replace("http", "ws");
  socket.hash = "";
  socket.searchParams.set("ref", ref);
  return { signals: `${base}/v1/signals`, channel: socket.href, ...files(base) };
}

function address(name, text) {
  let url;
  try {
    url = typeof text === "string" && text ? new URL(text, own("baseURI")) : undefined;
  } catch {
    // Said below, by name.
  }
  check(url && /^(http|ws)s?:$/.test(url.protocol) && !url.username && !url.password, name, "a URL");
  check(name === "wsUrl" || url.protocol.startsWith("http"), name, "an http or https URL");
  return url;
}

function check(holds, name, what) {
  if (!holds) throw new TypeError(`octet: ${name} must be ${what}`);
}
