// Follow alerts from Node: GATEWAY=... TOKEN=... node alerts.mjs. With AFTER it goes on after a cursor that was kept.

import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const QUERY = `subscription ($after: String) {
  alerts(after: $after) { kind alarmId services { serviceId effect } }
}`;
const SILENT = 75_000; // without even a heartbeat, which comes after 30 s: the connection is dead
const PASSING = ["LAGGED", "INTERNAL_SERVER_ERROR", "DEADLINE_EXCEEDED", "STORE_UNAVAILABLE", "OVERLOADED", "TOO_MANY_STREAMS"];

let after = process.env.AFTER;
let attempts = 0;
let silence;

function heard(cursor) {
  after = cursor;
  attempts = 0;
}

const client = createClient({
  url: process.env.GATEWAY.replace(/^http/, "ws"),
  webSocketImpl: WebSocket,
  connectionParams: () => ({ Authorization: `Bearer ${process.env.TOKEN}` }), // asked each time: a new token goes here
  retryAttempts: 0, // the loop below comes back, because it asks for what comes after another cursor
  on: {
    message: () => {
      clearTimeout(silence);
      silence = setTimeout(() => client.terminate(), SILENT);
    },
    ping: (received, payload) => received && payload?.cursor && heard(payload.cursor), // a heartbeat
  },
});

function follow() {
  return new Promise((resolve, reject) => {
    const next = ({ data, errors, extensions }) => {
      if (!extensions?.cursor) return reject(errors); // the last answer: it says why there are no more
      console.log(JSON.stringify({ cursor: extensions.cursor, ...data?.alerts }));
      heard(extensions.cursor);
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
