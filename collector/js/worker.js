// The worker: reads the core facts once, when it is told the profile's rank.
import { core } from "./facts.js";
import { readFacts } from "./read.js";

onmessage = ({ data: rank }) => postMessage(JSON.stringify(readFacts(core, globalThis, {}, rank)));
