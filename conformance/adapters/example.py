#!/usr/bin/env python3
"""A template for adapters: the contract check drives a client in any language through a program like this one.

The upper half stands for the library under test, here a small client on urllib that keeps every rule. The lower half is
the adapter: it reads one JSON object a line, calls the library, and writes what its caller would see. Copy the lower
half and put your library in the place of the upper one. Python 3.9, nothing but the standard library.

    keyfit check --api transactional --client python3 --client-arg conformance/adapters/example.py
"""

import json
import os
import random
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

# --- the library ------------------------------------------------------------------------------------------------------

KINDS = {400: "bad-request", 401: "unauthorized", 402: "payment-required", 403: "forbidden", 404: "not-found",
         409: "conflict", 413: "payload-too-large", 422: "unprocessable", 429: "rate-limited"}
ATTEMPTS = 3


class Failure(Exception):
    """A call that failed. Neither its text nor its form shows a body, where a server may repeat a token."""

    def __init__(self, kind, reply=None):
        super().__init__(kind if reply is None else f"{kind}: status {reply.status}")
        self.kind, self.reply = kind, reply


class Reply:
    """An answer, read whole."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, {name.lower(): value for name, value in headers}, body
        try:
            self.value = json.loads(body)
        except ValueError:
            self.value = None

    def member(self, *path):
        value = self.value
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def limit(self, name):
        value = self.headers.get("x-ratelimit-" + name, "")
        return int(value) if value.isdecimal() else None

    def asks_to_wait(self, now):
        """Seconds until the window is over, or as many as `Retry-After` says."""
        if self.limit("reset") is not None:
            return max(self.limit("reset") - now, 0)
        after = self.headers.get("retry-after", "")
        return int(after) if after.isdecimal() else 0


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Whoever follows a redirect carries the token to wherever it leads."""

    def redirect_request(self, *_):
        return None


class Client:
    """`source` is asked for the token at first and after a 401, `sleep` and `now` are the clock."""

    def __init__(self, base_url, source, sleep=time.sleep, now=time.time):
        self.base_url, self.source, self.sleep, self.now = base_url.rstrip("/"), source, sleep, now
        self.token = source()
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect)

    def call(self, method, path, arguments):
        """The value of a success and its status. Everything else is a `Failure`."""
        url, body = self.url(path, dict(arguments)), arguments.get("body")
        reply = self.send(method, url, body)
        if reply.status == 401 and self.source() != self.token:
            self.token = self.source()
            reply = self.send(method, url, body)
        for attempt in range(1, ATTEMPTS):
            # After a 429 nothing was executed; after a 5xx only reading is sure to do no harm.
            if reply.status != 429 and not (reply.status >= 500 and method == "GET"):
                break
            self.sleep(max(reply.asks_to_wait(self.now()), 0.2 * 2**attempt) + random.uniform(0, 0.1))
            reply = self.send(method, url, body)
        if not 200 <= reply.status < 300:
            fallback = {3: "redirect", 4: "client", 5: "server"}.get(reply.status // 100, "unexpected")
            raise Failure(KINDS.get(reply.status, fallback), reply)
        if reply.member("errors"):
            raise Failure("partial-failure", reply)
        return reply.value, reply.status

    def url(self, path, arguments):
        arguments.pop("body", None)
        segments = []
        for segment in path.split("/"):
            if segment.startswith("{"):
                segment = str(arguments.pop(segment[1:-1]))
                if segment in ("", ".", "..") or "\\" in segment:
                    raise Failure("invalid-request")
            segments.append(urllib.parse.quote(segment, safe=""))
        query = urllib.parse.urlencode(arguments)
        return self.base_url + "/".join(segments) + ("?" + query if query else "")

    def send(self, method, url, body):
        headers = {"Authorization": "Bearer " + self.token, "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        try:
            with self.opener.open(urllib.request.Request(url, data, headers, method=method), timeout=20) as answer:
                return Reply(answer.status, answer.headers.items(), answer.read())
        except urllib.error.HTTPError as answer:
            return Reply(answer.code, answer.headers.items(), answer.read())
        except OSError as error:
            raise Failure("transport") from error


# --- the adapter ------------------------------------------------------------------------------------------------------

class Clock:
    """A clock on which every wait is over at once, so that waits are told and nobody waits."""

    def __init__(self):
        self.waited = 0.0

    def sleep(self, seconds):
        self.waited += seconds

    def now(self):
        return time.time() + self.waited


class Adapter:
    def __init__(self):
        self.client = self.token = self.clock = None

    def answer(self, request):
        if request["protocol"] != 1:
            return {"error": "this adapter speaks protocol 1"}
        return getattr(self, "on_" + request["request"])(request)

    def on_connect(self, request):
        if request["api"] not in ("transactional", "legacy"):
            return {"unsupported": {"reason": "the example knows the SMS endpoints only"}}
        # A case begins: nothing of the one before is left, the clock's lead over the server's included.
        self.token, self.clock = request["token"], Clock()
        self.client = Client(request["base_url"], lambda: self.token, self.clock.sleep, self.clock.now)
        return {"ok": True}

    def on_token(self, request):
        # The client finds it when it asks its source again, and not before.
        self.token = request["token"]
        return {"ok": True}

    def on_call(self, request):
        operation, before = request["operation"], self.clock.waited
        try:
            value, status = self.client.call(operation["method"], operation["path"], request["arguments"])
            outcome = {"success": {"status": status, "value": value}}
        except Failure as failure:
            outcome = {"failure": seen(failure)}
        return {"id": request["id"], "outcome": outcome, "waited": self.clock.waited - before}


def seen(failure):
    """What the caller sees of a failure. Members that a library does not have are left out."""
    told = {"kind": failure.kind, "texts": [str(failure), repr(failure)]}
    if (reply := failure.reply) is None:
        return told
    told.update(status=reply.status, headers=reply.headers, body=reply.body.decode(errors="replace"))
    told["code"] = reply.member("error", "code")
    told["message"] = reply.member("message") or reply.member("error", "message")
    if reply.status == 429:
        told["retry_after"] = reply.asks_to_wait(time.time())
    limits = {name: reply.limit(name) for name in ("limit", "remaining", "reset")}
    if None not in limits.values():
        told["rate_limit"] = limits
    return told


def main():
    adapter = Adapter()
    # Answers go to the real standard output alone: what else is printed goes to stderr.
    answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    for line in sys.stdin:
        answers.write(json.dumps(adapter.answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
