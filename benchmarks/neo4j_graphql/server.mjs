// @neo4j/graphql behind Node's own HTTP server: no framework, no tokens, no log, documents parsed and validated once.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

import { Neo4jGraphQL } from "@neo4j/graphql";
import { execute, parse, validate } from "graphql";
import neo4j from "neo4j-driver";

const [address, port] = process.argv.slice(2);
const driver = neo4j.driver(address, undefined, { telemetryDisabled: true });
const typeDefs = readFileSync(new URL("types.graphql", import.meta.url), "utf8");
const schema = await new Neo4jGraphQL({ typeDefs, driver }).getSchema();
const sessionConfig = { database: "neo4j", defaultAccessMode: neo4j.session.READ };
const documents = new Map();

function documentOf(text) {
  let document = documents.get(text);
  if (document === undefined) {
    document = parse(text);
    const errors = validate(schema, document);
    if (errors.length) throw errors[0];
    documents.set(text, document);
  }
  return document;
}

async function answer(body) {
  const { query, variables, operationName } = JSON.parse(body);
  const contextValue = { executionContext: driver, sessionConfig };
  return execute({ schema, document: documentOf(query), variableValues: variables, operationName, contextValue });
}

function send(response, status, value) {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}

const server = createServer((request, response) => {
  if (request.url !== "/graphql") return send(response, 200, { status: "ready" });
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () =>
    answer(Buffer.concat(parts).toString()).then(
      (value) => send(response, 200, value),
      (error) => send(response, 400, { errors: [{ message: String(error) }] }),
    ),
  );
});
server.keepAliveTimeout = 0;
server.listen(Number(port), "127.0.0.1");

// Whoever started this holds the other end of our standard input: no one there, no server.
process.stdin.on("end", () => process.exit(0)).resume();
