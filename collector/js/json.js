// JSON whatever the page's libraries have given to arrays and objects: some still bring a `toJSON` of their own.

/** The JSON text of a value; properties that are `undefined` are left out. */
export function json(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const parts = [];
  if (Array.isArray(value)) {
    for (const element of value) parts.push(json(element));
    return `[${parts.join()}]`;
  }
  for (const [name, property] of Object.entries(value)) {
    if (property !== undefined) parts.push(`${JSON.stringify(name)}:${json(property)}`);
  }
  return `{${parts.join()}}`;
}

/** Whether this is the JSON text of an object. */
export function isObject(text) {
  if (typeof text !== "string") return false;
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}
