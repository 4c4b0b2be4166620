// The ES module: `import { verify } from "…/octet-collector.mjs"`.
import { loadedFrom } from "./own.js";

loadedFrom(import.meta.url, "module");
export { verify } from "./verify.js";
