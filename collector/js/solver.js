// The work of a challenge, done in a worker, so that the page stays as it is. Knows its messages, not what they are for.

const START_LIMIT_MS = 8000;

/** A worker that is ready to work; rejects where a policy forbids it, or what it needs does not come. */
export async function solver(beside) {
  const thread = new Worker(`${beside}.${OCTET_CHALLENGE_WORKER.hash}.challenge.worker.js`);
  const timer = setTimeout(() => thread.onerror({ preventDefault() {} }), START_LIMIT_MS);
  const told = (message, progress) =>
    new Promise((resolve, reject) => {
      thread.onerror = (event) => {
        event.preventDefault();
        reject(new Error("octet: the challenge's worker failed"));
      };
      thread.onmessage = ({ data }) => {
        if (data.failed) reject(new Error("octet: the challenge's worker failed"));
        else if (data.share !== undefined) progress(data.share);
        else resolve(data);
      };
      thread.postMessage(message);
    });
  const end = () => thread.terminate();
  try {
    await told({ beside });
  } catch (error) {
    end();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    end,
    solve: async (challenge, progress) => (await told({ challenge }, progress)).solution,
  };
}
