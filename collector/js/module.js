// The ES module: `import { assess, verify } from "…/octet-collector.mjs"`.
import { loadedFrom } from "./own.js";

loadedFrom(import.meta.url, "module");
export { assess } from "./assess.js";
export { verify } from "./verify.js";
