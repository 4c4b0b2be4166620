// The document's own members. An element that is named like one (`<img name="currentScript">`) stands in its place on
// the document itself, and visitors' markup may hold such elements.

/** A property of the document, whatever the page's elements are called. */
export const own = (name) => Reflect.get(Document.prototype, name, document);

/** Calls a method of the document, whatever the page's elements are called. */
export const call = (name, ...values) => own(name).apply(document, values);
