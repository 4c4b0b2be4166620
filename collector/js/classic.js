// The classic script: defines the global `octet`, and starts by itself where its own tag carries a session reference.
import { assess } from "./assess.js";
import { own } from "./dom.js";
import { loadedFrom } from "./own.js";
import { verify } from "./verify.js";

const running = own("currentScript");
const tag = running instanceof HTMLScriptElement ? running : undefined;
loadedFrom(tag?.src, "script", tag && { ...tag.dataset });
globalThis.octet = Object.freeze({ verify, assess });
if (tag?.dataset.octetRef) {
  verify({ apiUrl: tag.dataset.octetApi, sessionRef: tag.dataset.octetRef }).catch(() => {});
}
