// How the browser's requests for the collector's own files went (Resource Timing); no other request is looked at.
const U32_MAX = 2 ** 32 - 1;

/** The timings of those files that the browser has recorded, in microseconds. */
export function resources({ own, what, wasm, worker }) {
  const timings = [];
  for (const [name, url] of [[what, own], ["wasm", wasm], ["worker", worker]]) {
    const entry = url && performance.getEntriesByName?.(url, "resource")[0];
    if (!entry) continue;
    timings.push({
      what: name,
      protocol: String(entry.nextHopProtocol ?? "").slice(0, 32),
      dnsUs: between(entry.domainLookupStart, entry.domainLookupEnd),
      connectUs: between(entry.connectStart, entry.connectEnd),
      tlsUs: entry.secureConnectionStart ? between(entry.secureConnectionStart, entry.connectEnd) : 0,
      waitUs: between(entry.requestStart, entry.responseStart),
      receiveUs: between(entry.responseStart, entry.responseEnd),
    });
  }
  return timings;
}

function between(from, to) {
  const span = Math.round((to - from) * 1000);
  return span > 0 ? Math.min(span, U32_MAX) : 0;
}
