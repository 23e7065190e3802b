"""The driver protocol of the compatibility tests: requests on standard input, answers on standard output.

The protocol is described in ../doc.go.
"""

import base64
import datetime
import json
import os
import sys
import traceback


# The operations of DynamoDB Streams, which the clients take for a service of its own.
STREAMS_OPERATIONS = {"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"}


class ServiceError(Exception):
    """An error the service answered with."""

    def __init__(self, type, message, item=None, reasons=None):
        super().__init__(f"{type}: {message}")
        self.answer = {"type": type, "message": message}
        if item is not None:
            self.answer["item"] = item
        if reasons is not None:
            self.answer["reasons"] = reasons


def serve(driver, cases):
    """Answers requests until standard input ends.

    driver has the methods call, pages and wait; cases is a list of functions that take the table name prefix and
    are named by their docstrings.
    """
    named = {case.__doc__: case for case in cases}
    # What a client prints must not get between the answers.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        try:
            answer = _answer(driver, named, json.loads(line))
        except ServiceError as e:
            answer = {"error": e.answer}
        except Exception:
            answer = {"failure": traceback.format_exc()}
        answers.write(json.dumps(answer, default=_encode) + "\n")
        answers.flush()


def _answer(driver, cases, request):
    input = request.get("input", {})
    match request["do"]:
        case "call":
            return {"output": driver.call(request["operation"], input)}
        case "pages":
            return {"pages": driver.pages(request["operation"], input)}
        case "wait":
            driver.wait(request["waiter"], input)
            return {"output": {}}
        case "cases":
            return {"cases": list(cases)}
        case "case":
            try:
                cases[request["name"]](request["prefix"])
            except ServiceError as e:
                # Cases check their errors themselves, so one that leaves a case is a failure.
                raise AssertionError(str(e)) from e
            return {"output": {}}
        case other:
            raise ValueError(f"unknown request {other}")


def _encode(value):
    """Bytes as base64 text and times as seconds, as the API's JSON has them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(f"no JSON form for {value!r}")


def decode_binary(value, decode, member=None):
    """Applies decode to the base64 text of every binary attribute value inside value."""
    if member == "B" and isinstance(value, str):
        return decode(value)
    if member == "BS" and isinstance(value, list):
        return [decode(v) for v in value]
    if isinstance(value, list):
        return [decode_binary(v, decode) for v in value]
    if isinstance(value, dict):
        return {k: decode_binary(v, decode, k) for k, v in value.items()}
    return value
