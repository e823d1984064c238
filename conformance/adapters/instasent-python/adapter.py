"""The vendor's Python library, `instasent` of PyPI, before the contract check.

What is changed from outside, and nothing else: the base URL, which is an attribute of the class.

The library raises on nothing that a server answers: it hands back a status and the parsed body, whatever they are. A
status outside 2xx is counted as a failure that its caller can see; what the caller prints is what was handed back.
"""

import json
import os
import sys

from instasent import Client

UNSUPPORTED = {
    "sms-bulk-create": "the library sends one message a call",
    "price-sms-get": "the library does not know prices",
    "price-lookup-get": "the library does not know prices",
}
# What its methods take, and for each the arguments of the operation that have no place there.
FILTER = ["_q", "_sort", "_start", "_limit"]


def call(client, operation, arguments):
    """What the library returns, and the arguments that it has no place for."""
    body = arguments.get("body", {})
    if operation == "sms-create":
        # It takes a `client_id`, and drops it: that is its own doing.
        client_id = {"client_id": body["clientId"]} if "clientId" in body else {}
        handed = client.send_sms(body["from"], body["to"], body["text"], **client_id)
        return handed, ["body/" + name for name in body if name not in ("from", "to", "text", "clientId")]
    if operation == "lookup-create":
        return client.do_lookup(body["to"]), ["body/" + name for name in body if name != "to"]
    if operation == "account-get":
        return client.get_account_balance(), []
    if operation in ("sms-get", "lookup-get"):
        get = client.get_sms_by_id if operation == "sms-get" else client.get_lookup_by_id
        return get(arguments["id"]), []
    read = client.get_sms if operation == "sms-list" else client.get_lookups
    pages = {name: arguments[name] for name in ("page", "per_page") if name in arguments}
    return read(**pages), [name for name in arguments if name not in pages]


def seen(client, request):
    operation = request["operation"]["id"]
    if operation in UNSUPPORTED:
        return {"outcome": {"unsupported": {"reason": UNSUPPORTED[operation]}}}
    try:
        handed, left_out = call(client, operation, request["arguments"])
    except Exception as error:  # Whatever it raises is what its caller sees.
        return {"outcome": {"failure": {"texts": [str(error), repr(error)]}}}
    status, value = handed["response_code"], handed["response_body"]
    if 200 <= status < 300:
        return {"outcome": {"success": {"status": status, "value": value}}, "left_out": left_out}
    # The body is there, if parsed: written again it is what came, since the scripts write JSON in the same way.
    failure = {"status": status, "body": json.dumps(value, separators=(",", ":")), "texts": [repr(handed)]}
    if isinstance(value, dict) and isinstance(value.get("message"), str):
        failure["message"] = value["message"]
    return {"outcome": {"failure": failure}, "left_out": left_out}


def answer(request, held):
    if request["request"] == "connect":
        if request["api"] not in ("legacy", "transactional"):
            return {"unsupported": {"reason": "the library knows the SMS endpoints only"}}
        Client.secureChannel = Client.rootEndpoint = request["base_url"] + "/"
        held["client"] = Client(request["token"])
        return {"ok": True}
    if request["request"] == "token":
        return {"unsupported": {"reason": "the library takes one token for good"}}
    return {"id": request["id"], **seen(held["client"], request)}


def main():
    # The scripted server is on this machine: no proxy stands between.
    os.environ["NO_PROXY"] = "*"
    answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    held = {}
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line), held)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
