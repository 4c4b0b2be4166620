// Plain script's reader: the same conversions as the WebAssembly module's, over the table that both are made from.
import { json } from "./json.js";

const TEXT_LIMIT = 512;
const LIST_LIMIT = 16;
const WORD = /^\w{1,32}$/;
const I32_MAX = 2 ** 31 - 1;

/** The facts of one context: values, `null` for what it does not have, and `{ blocked }` for what it forbids. */
export function readFacts(rows, root, prepared, rank) {
  const facts = {};
  for (const [name, profile, convert, get] of rows) {
    if (profile > rank) continue;
    try {
      const value = get(root, prepared);
      facts[name] = value == null ? null : convert(value);
    } catch (error) {
      facts[name] = { blocked: word(error) };
    }
  }
  try {
    // Browsers keep few graphics contexts, and the page may want them.
    prepared.graphics?.getExtension("WEBGL_lose_context")?.loseContext();
  } catch {
    // One that is not given back goes later.
  }
  return facts;
}

/** Why something could not be read, as JSON. */
export const blocked = (error) => json({ blocked: word(error) });

/** The name of an error, where that is one word. */
export function word(error) {
  const name = error?.name;
  return typeof name === "string" && WORD.test(name) ? name : "error";
}

const must = (holds) => {
  if (!holds) throw { name: "type" };
};

export function text(value) {
  must(typeof value === "string");
  const bytes = new TextEncoder().encode(value.slice(0, TEXT_LIMIT));
  let end = Math.min(bytes.length, TEXT_LIMIT);
  while (end < bytes.length && (bytes[end] & 0xc0) === 0x80) end--;
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, end));
}

const list = (convert) => (values) => {
  must(Array.isArray(values));
  // Not `Array.from`, of which some libraries make one that does not convert.
  const converted = [];
  for (let index = 0; index < Math.min(values.length, LIST_LIMIT); index++) converted.push(convert(values[index]));
  return converted;
};

export const texts = list(text);

export const brands = list((entry) => {
  must(entry != null);
  return text(`${text(entry.brand)}/${text(entry.version)}`);
});

export function flag(value) {
  must(typeof value === "boolean");
  return value;
}

export const integer = (scale) => (value) => {
  must(typeof value === "number");
  if (!Number.isFinite(value)) return null;
  return Math.max(-I32_MAX - 1, Math.min(I32_MAX, Math.floor(value * scale + 0.5)));
};

/** Minutes that local time is ahead of UTC: now, or on the first of a month (from 0) of this year. */
export function offset(root, month) {
  if (typeof root.Date !== "function") return null;
  const now = new root.Date();
  const then = month == null ? now : new root.Date(now.getFullYear(), month, 1);
  return -then.getTimezoneOffset();
}

/** A parameter of the graphics hardware, unmasked where the browser allows it. */
export function graphics(root, prepared, unmasked, plain) {
  prepared.graphics ??= root.document?.createElement?.("canvas")?.getContext?.("webgl");
  const gl = prepared.graphics;
  return gl?.getParameter?.(gl.getExtension?.("WEBGL_debug_renderer_info") != null ? unmasked : plain);
}

/** Something that came by promise before the facts were read; a string is the word for why it did not. */
export function prepared(value, property) {
  if (typeof value === "string") throw { name: value };
  return value?.[property];
}
