// What a page may ask for, parsed once: after this, every value is one that can be used.
import { own } from "./dom.js";
import { files } from "./own.js";

const SESSION_REF = /^[\w-]{1,128}$/;
const APP_KEY = /^app_[\w-]{1,64}$/;
const CLICK_TOKEN = /^[\w.~-]{1,256}$/;
const WINDOW_MS = 1200;
const LONGEST_WINDOW_MS = 10_000;

/** The parsed configuration of a call; throws a `TypeError` for what is missing or malformed. */
export function parse(config) {
  const { apiUrl, sessionRef, wsUrl, passiveOnly, signal } = config ?? {};
  check(typeof sessionRef === "string" && SESSION_REF.test(sessionRef), "sessionRef", "1 to 128 of A-Z a-z 0-9 _ -");
  const api = address("apiUrl", apiUrl);
  const channel = wsUrl == null ? undefined : address("wsUrl", wsUrl);
  check(signal == null || typeof signal.addEventListener === "function", "signal", "an AbortSignal");
  return { ref: sessionRef, api, channel, passiveOnly: !!passiveOnly, signal };
}

/** The parsed configuration of an assessment: that of a collection, and what stands beside it. */
export function parseAssess(config) {
  const asked = parse(config);
  const { apiUrl, wsUrl, passiveOnly, appKey, escalate, challengeConfig, collectWindowMs, tokenParam } = config;
  check(typeof appKey === "string" && APP_KEY.test(appKey), "appKey", "app_ and 1 to 64 of A-Z a-z 0-9 _ -");
  const window = collectWindowMs ?? WINDOW_MS;
  check(typeof window === "number" && window >= 0, "collectWindowMs", "a number of milliseconds");
  check(tokenParam == null || typeof tokenParam === "string", "tokenParam", "the name of a URL parameter");
  const token = tokenParam == null ? null : new URLSearchParams(location.search).get(tokenParam);
  return {
    ...asked,
    ...callbacks(config),
    first: { apiUrl, sessionRef: asked.ref, wsUrl, passiveOnly },
    appKey,
    escalate: !!escalate,
    challengeConfig,
    windowMs: Math.round(Math.min(window, LONGEST_WINDOW_MS)),
    clickToken: CLICK_TOKEN.test(token ?? "") ? token : undefined,
  };
}

/** What a configuration wants to be told. */
export function callbacks(config) {
  const { onVerdict, onError, onEscalate } = config ?? {};
  for (const [name, value] of Object.entries({ onVerdict, onError, onEscalate })) {
    check(value == null || typeof value === "function", name, "a function");
  }
  return { onVerdict, onError, onEscalate };
}

/** The URLs of one run. */
export function locations({ ref, api, channel }) {
  const base = api.origin + api.pathname.replace(/\/+$/, "");
  const socket = new URL(channel ?? `${base}/v1/ws`);
  socket.protocol = socket.protocol.replace("http", "ws");
  socket.hash = "";
  socket.searchParams.set("ref", ref);
  return { api: `${base}/v1`, signals: `${base}/v1/signals`, channel: socket.href, ...files(base) };
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
