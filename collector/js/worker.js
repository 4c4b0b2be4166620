// The worker: reads the core facts once, when it is told the profile's rank.
import { core } from "./facts.js";
import { json } from "./json.js";
import { readFacts } from "./read.js";

onmessage = ({ data: rank }) => postMessage(json(readFacts(core, globalThis, {}, rank)));
