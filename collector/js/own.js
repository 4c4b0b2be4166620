// Where this copy of the collector came from: its own URL and its own tag. The other files stand beside it, under the
// base name that it was served by.
import { call } from "./dom.js";

const own = { url: undefined, what: undefined, tag: undefined };

/** Told once by the entry file, while it loads. */
export function loadedFrom(url, what, tag) {
  Object.assign(own, { url, what, tag });
}

/** The data attributes of the tag that carries this reference, if the page has one. */
export function ownTag(ref) {
  if (own.tag?.octetRef === ref) return own.tag;
  return call("querySelector", `script[data-octet-ref="${ref}"]`)?.dataset;
}

/** The URLs of the collector's files; `base` is where the edge serves them, when this script does not know its own. */
export function files(base) {
  const beside = /^(.*\/[^/?#]+?)(\.[0-9a-f]{16})?\.m?js([?#]|$)/.exec(own.url)?.[1] ?? `${base}/octet-collector`;
  return {
    own: own.url,
    what: own.what,
    beside,
    wasm: `${beside}.${OCTET_WASM.hash}.wasm`,
    worker: `${beside}.${OCTET_WORKER.hash}.worker.js`,
    assess: `${beside}.${OCTET_ASSESS.hash}.assess.mjs`,
  };
}
