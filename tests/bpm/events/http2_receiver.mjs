// A receiver that speaks HTTP/2 only; with a PEM file of key and certificate over TLS. Each request is a line of JSON.
import { createServer, createSecureServer } from "node:http2";
import { readFileSync } from "node:fs";

const [pem] = process.argv.slice(2);
const pair = pem && readFileSync(pem);
const server = pair ? createSecureServer({ key: pair, cert: pair, allowHTTP1: false }) : createServer();

server.on("stream", (stream, headers) => {
  const pieces = [];
  stream.on("error", () => {});
  stream.on("data", (piece) => pieces.push(piece));
  stream.on("end", () => {
    const body = Buffer.concat(pieces);
    console.log(JSON.stringify({ headers, length: body.length, body: body.subarray(0, 100).toString() }));
    if (headers[":path"] === "/busy") stream.respond({ ":status": 429, "retry-after": "7" }, { endStream: true });
    else if (headers[":path"] === "/large") {
      stream.respond({ ":status": 200 });
      stream.end(Buffer.alloc(1_000_000, "a"));
    } else {
      stream.additionalHeaders({ ":status": 103, link: "</early>" });
      stream.respond({ ":status": 202, "x-mine": "yes", "set-cookie": "a=b" });
      stream.end("taken");
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
