// Follow alerts from Node: GATEWAY=... TOKEN=... node alerts.mjs, by Node 20 or newer. With AFTER it goes on after a cursor.

import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const QUERY = `subscription ($after: String) {
  alerts(after: $after) { kind alarmId services { serviceId effect } }
}`;
const SILENT = 75_000; // without even a heartbeat, which comes after 30 s: the connection is dead
const LASTING = 10_000; // each connection begins with a heartbeat, so one is good that gives an event, or a heartbeat after that
const PASSING = [
  "DEADLINE_EXCEEDED", "INTERNAL_SERVER_ERROR", "ISSUER_UNAVAILABLE", "LAGGED", "OVERLOADED", "STORE_UNAVAILABLE",
  "SUBGRAPH_FAILED", "SUBGRAPH_UNAVAILABLE", "TOO_MANY_NEW_DOCUMENTS", "TOO_MANY_REQUESTS", "TOO_MANY_STREAMS",
];

let after = process.env.AFTER;
let attempts = 0;
let began;
let silence;

function heard(cursor, isEvent) {
  after = cursor;
  if (isEvent || Date.now() - began > LASTING) attempts = 0;
}

function listen() {
  clearTimeout(silence);
  silence = setTimeout(() => client.terminate(), SILENT);
}

const client = createClient({
  url: process.env.GATEWAY.replace(/^http/, "ws"),
  webSocketImpl: WebSocket,
  connectionParams: () => ({ Authorization: `Bearer ${process.env.TOKEN}` }), // asked each time: a new token goes here
  retryAttempts: 0, // the loop below comes back, because it asks for what comes after another cursor
  on: {
    opened: listen,
    message: listen,
    ping: (received, payload) => received && payload?.cursor && heard(payload.cursor, false), // a heartbeat
  },
});

function follow() {
  began = Date.now();
  return new Promise((resolve, reject) => {
    const next = ({ data, errors, extensions }) => {
      if (!extensions?.cursor) return reject(errors); // the last answer: it says why there are no more
      console.log(JSON.stringify({ cursor: extensions.cursor, ...data?.alerts, errors })); // those of an event that cannot be shown
      heard(extensions.cursor, true);
    };
    client.subscribe({ query: QUERY, variables: { after } }, { next, error: reject, complete: resolve });
  });
}

for (;;) {
  try {
    await follow();
    break;
  } catch (reason) {
    const code = reason?.[0]?.extensions?.code;
    if ((Array.isArray(reason) && !PASSING.includes(code)) || reason?.code === 4403) throw reason;
    after = reason?.[0]?.extensions?.from ?? after;
    await sleep(Math.random() * Math.min(30_000, 500 * 2 ** attempts++)); // full jitter
  } finally {
    clearTimeout(silence);
  }
}
