// The classic script: defines the global `octet`, and starts by itself where its own tag carries a session reference.
import { loadedFrom } from "./own.js";
import { verify } from "./verify.js";

const tag = document.currentScript;
loadedFrom(tag?.src, "script", tag && { ...tag.dataset });
globalThis.octet = Object.freeze({ verify });
if (tag?.dataset.octetRef) {
  verify({ apiUrl: tag.dataset.octetApi, sessionRef: tag.dataset.octetRef }).catch(() => {});
}
