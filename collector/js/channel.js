// The latency channel as the browser sees it: answers each nonce at once, whatever else is going on, and notes how
// long the edge's acknowledgement took. The edge's own clock is what counts.
import { own } from "./dom.js";

const NONCE = 1;
const ECHO = 2;
const ACKNOWLEDGED = 3;
const NONCE_LENGTH = 18;
const MOST_ROUNDS = 16;
const LONGEST_TICKET = 512;
const MOST_SIBLINGS = 8;
// A sibling that has not said hello by then has failed, and none is waited for any longer than that.
const SIBLING_HELLO_MS = 800;
const SIBLING_LIMIT_MS = 1200;

/** No channel was asked for. */
export function skipped() {
  return { report: { state: "skipped", rounds: [] }, done: Promise.resolve(), close() {} };
}

/** Opens the channel, and those of the siblings that its edge names; `done` resolves when all have ended, somehow. */
export function open(url) {
  const siblings = [];
  const first = connect(url, (peers) => {
    const urls = peers.slice(0, MOST_SIBLINGS).map((peer) => siblingOf(url, peer));
    siblings.push(...urls.filter(Boolean).map(connectSibling));
  });
  return {
    report: first.report,
    get siblings() {
      return siblings.length ? siblings.map((sibling) => sibling.report) : undefined;
    },
    done: first.done.then(() => Promise.all(siblings.map((sibling) => sibling.done))),
    close() {
      for (const channel of [first, ...siblings]) channel.close();
    },
  };
}

/** The URL of a sibling's channel; none for the edge itself, and for what cannot be of the same site. */
function siblingOf(url, peer) {
  try {
    const [own, at] = [new URL(url), new URL(peer)];
    const itself = own.host === at.host && own.pathname === at.pathname;
    if (itself || siteOf(own) !== siteOf(at) || !at.protocol.startsWith("ws")) return;
    at.searchParams.set("ref", own.searchParams.get("ref"));
    at.searchParams.set("role", "sibling");
    return at.href;
  } catch {
    // No URL.
  }
}

// Two hosts of one registrable domain share these, whatever its public suffix is.
const siteOf = ({ hostname }) => (/^[\d.]+$|:/.test(hostname) ? hostname : hostname.split(".").slice(-2).join("."));

function connectSibling(url) {
  const channel = connect(url);
  const silent = () => channel.report.state === "failed" && channel.close();
  const timers = [setTimeout(silent, SIBLING_HELLO_MS), setTimeout(channel.close, SIBLING_LIMIT_MS)];
  channel.done.then(() => timers.forEach((timer) => clearTimeout(timer)));
  return channel;
}

/** One channel; `named` is given the siblings that its edge names. */
function connect(url, named) {
  const report = { state: "failed", rounds: [] };
  const channel = { report, close() {} };
  channel.done = new Promise((resolve) => {
    let socket;
    try {
      socket = new WebSocket(url);
    } catch {
      return resolve();
    }
    socket.binaryType = "arraybuffer";
    const sent = new Map();
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") return text(data);
      const bytes = new Uint8Array(data);
      const round = bytes[1];
      if (bytes[0] === NONCE && bytes.length === NONCE_LENGTH) {
        bytes[0] = ECHO;
        socket.send(bytes);
        if (report.rounds.length < MOST_ROUNDS && !sent.has(round)) {
          const entry = { round };
          if (own("visibilityState") === "hidden") entry.hidden = true;
          report.rounds.push(entry);
          sent.set(round, [performance.now(), entry]);
        }
      } else if (bytes[0] === ACKNOWLEDGED && sent.has(round)) {
        const [at, entry] = sent.get(round);
        entry.rttUs ??= Math.round((performance.now() - at) * 1000);
      }
    };
    const text = (data) => {
      let message;
      try {
        message = JSON.parse(data);
      } catch {
        return;
      }
      if (message?.type === "hello") {
        report.state = "partial";
        if (typeof message.ticket === "string" && message.ticket.length <= LONGEST_TICKET) report.ticket = message.ticket;
        if (Array.isArray(message.peers)) named?.(message.peers);
      } else if (message?.type === "end") {
        report.state = "complete";
        resolve();
      }
    };
    socket.onclose = socket.onerror = resolve;
    channel.close = () => {
      socket.onmessage = null;
      socket.close();
      resolve();
    };
  });
  return channel;
}
