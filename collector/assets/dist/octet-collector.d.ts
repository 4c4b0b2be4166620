// Octet's collector, in the browser. Types of `octet-collector.mjs` and of the global `octet` that
// `octet-collector.js` defines.

/** What `verify` is told. */
export interface VerifyConfig {
  /** Base URL of the edge, absolute or relative to the page: `/octet` where it is mounted there. */
  apiUrl: string;
  /** The opaque token that the backend minted for this page view: 1 to 128 of `A-Z a-z 0-9 _ -`. */
  sessionRef: string;
  /** Overrides the URL of the latency channel. */
  wsUrl?: string;
  /** No active network measurement: faster, lighter, lower confidence. */
  passiveOnly?: boolean;
  /** Abandons the call while it runs; its promise rejects with an `AbortError`. */
  signal?: AbortSignal;
}

/** How collection ended. It carries no verdict: the backend asks Octet for that. */
export interface Verified {
  /** The session reference that was collected for. */
  readonly ref: string;
  /** Whether Octet accepted what was collected. */
  readonly completed: boolean;
}

/**
 * Collects for one page view and posts it to the edge. A second call for the same reference joins the first.
 *
 * Rejects with a `TypeError` when `apiUrl` or `sessionRef` is missing or malformed (nothing is sent then), and with
 * an `AbortError` when `signal` aborts. Everything else resolves.
 */
export function verify(config: VerifyConfig): Promise<Verified>;

declare global {
  /** Defined by the classic script `octet-collector.js`. */
  const octet: { readonly verify: typeof verify };
}
