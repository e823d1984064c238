// What the mock does not do: a redirect, silence, an answer in parts, and telling who came. It prints its address.
import { createServer } from "node:http";

const seen = { closed: 0, led: 0 };
const events = { "content-type": "text/event-stream" };

const server = createServer((request, response) => {
  // Pages of other origins may call it, once they have asked.
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("access-control-allow-headers", "authorization, content-type, *");
  if (request.method === "OPTIONS") return response.end();
  response.on("close", () => { seen.closed += response.writableEnded ? 0 : 1; });
  const body = [];
  request.on("data", (chunk) => body.push(chunk));
  request.on("end", () => {
    const json = (value) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify(value));
    };
    switch (`${request.method} ${request.url}`) {
      case "GET /v1/moves":
        response.writeHead(200, events);
        response.write('id: 1\ndata: {"parcel":1,"sta');
        setTimeout(() => {
          response.write('te":"came"}\n\n');
          setTimeout(() => response.end('id: 2\ndata: {"parcel":2,"state":"left"}\n\n'), 20);
        }, 20);
        break;
      case "GET /v1/log":
        response.writeHead(200, events);
        response.write("data: one\n\n");
        break;
      case "GET /v1/silent":
        break;
      case "GET /v1/away":
        response.writeHead(302, { location: `${address()}/v1/elsewhere?token=fixture-secret-0001` }); // not-a-secret
        response.end();
        break;
      case "GET /v1/long":
        response.end("x".repeat(1 << 20));
        break;
      case "POST /v1/parcels":
        json({ parcels: Buffer.concat(body).toString().trim().split("\n").length });
        break;
      case "GET /v1/headers":
        json(request.headers);
        break;
      case "GET /v1/seen":
        json(seen);
        break;
      default:
        seen.led += request.url.startsWith("/v1/elsewhere") ? 1 : 0;
        response.writeHead(404);
        response.end();
    }
  });
});
const address = () => `http://127.0.0.1:${server.address().port}`;
server.listen(0, "127.0.0.1", () => console.log(address()));
