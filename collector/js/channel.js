// The latency channel as the browser sees it: answers each nonce at once, whatever else is going on, and notes how
// long the edge's acknowledgement took. The edge's own clock is what counts.
import { own } from "./dom.js";

const NONCE = 1;
const ECHO = 2;
const ACKNOWLEDGED = 3;
const NONCE_LENGTH = 18;
const MOST_ROUNDS = 16;
const LONGEST_TICKET = 512;

/** No channel was asked for. */
export function skipped() {
  return { report: { state: "skipped", rounds: [] }, done: Promise.resolve(), close() {} };
}

/** Opens the channel; `done` resolves when it has ended, in whatever way. */
export function open(url) {
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
