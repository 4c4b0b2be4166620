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

/** What `assess` is told. */
export interface AssessConfig extends VerifyConfig {
  /** The app's public key: `app_…`. */
  appKey: string;
  /** Called once with the verdict. */
  onVerdict?: (verdict: BotVerdict) => void;
  /** Called when the verdict is degraded, with what went wrong; and for colours of the challenge that are refused. */
  onError?: (error: unknown) => void;
  /** Called when a challenge is shown, and when one cannot be. */
  onEscalate?: (kind: "challenge" | "unavailable") => void;
  /** Whether to show a challenge where the app is set to that and the visit is of high risk; false by default. */
  escalate?: boolean;
  /** What the challenge looks like and says. */
  challengeConfig?: ChallengeConfig;
  /** How long the visit is observed before the verdict is asked for, in milliseconds: 1200 by default, 10000 at most. */
  collectWindowMs?: number;
  /** The parameter of the page's URL whose value is a click token: 1 to 256 of `A-Z a-z 0-9 . _ ~ -`. */
  tokenParam?: string;
}

/** What a challenge looks like and says; each is optional. */
export interface ChallengeConfig {
  /** The language of its texts; by default the page's, then the visitor's. */
  locale?: string;
  /** `light` or `dark`; by default as the visitor's system is. */
  scheme?: "light" | "dark";
  /** `#rrggbb` each. Refused, all of them, where text would have less contrast than 4.5:1. */
  colors?: { background?: string; text?: string; button?: string; buttonText?: string };
  /** A CSS font family list. */
  font?: string;
  /** How round its corners are, 0 to 32 pixels. */
  radius?: number;
  /** Texts in place of its own, at most 300 characters each. */
  texts?: {
    title?: string;
    text?: string;
    start?: string;
    working?: string;
    failed?: string;
    expired?: string;
    retry?: string;
    leave?: string;
  };
}

/** Whether the visit is a bot's. The page's copy is advisory: decide on the backend's. */
export interface BotVerdict {
  /** True exactly at level `high` or `critical`. */
  readonly is_bot: boolean;
  /** 0 to 100, higher is more suspicious. */
  readonly score: number;
  /** The score's band. Treat one that you do not know as the most severe. */
  readonly level: "low" | "medium" | "high" | "critical";
  /** What the app is set to do about visits of high risk; `record_only` below that. */
  readonly action: "record_only" | "challenge" | "flag";
  /** Whether the visit's signals agree with one another. */
  readonly consistency: { readonly ok: boolean };
  /** The verdict could not be fully computed: the other fields mean nothing then. Unknown, not clean. */
  readonly degraded: boolean;
  /** What came of a challenge, if one was shown. */
  readonly challenge?: "passed" | "failed" | "expired" | "unavailable";
}

/**
 * Collects as `verify` does, observes the visit for a while and resolves with the verdict; after a challenge, with the one
 * after it. A second call for the same reference joins the first.
 *
 * Never rejects: on any failure, a malformed configuration and an abort included, it resolves with a degraded verdict and
 * calls `onError`. `onVerdict` is not called when `signal` aborts.
 */
export function assess(config: AssessConfig): Promise<BotVerdict>;

declare global {
  /** Defined by the classic script `octet-collector.js`. */
  const octet: { readonly verify: typeof verify; readonly assess: typeof assess };
}
