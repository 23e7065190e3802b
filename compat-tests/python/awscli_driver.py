"""The driver for the AWS CLI.

The shared scenarios run the CLI's own entry point inside this process, because starting it for each of some hundred
calls would take minutes. The CLI's own cases start it as users do.
"""

import base64
import contextlib
import io
import json
import re

from awscli.botocore import xform_name
from awscli.clidriver import create_clidriver

import awscli_cases
from protocol import STREAMS_OPERATIONS, ServiceError, decode_binary, serve

_ERROR = re.compile(r"An error occurred \((\w+)\) when calling the \w+ operation[^:]*: ?(.*)", re.DOTALL)


class Driver:
    def __init__(self):
        self.cli = create_clidriver()

    def call(self, operation, input):
        service = "dynamodbstreams" if operation in STREAMS_OPERATIONS else "dynamodb"
        return self._run(xform_name(operation, "-"), input, "--no-paginate", service=service)

    def pages(self, operation, input):
        arguments = {k: v for k, v in input.items() if k != "Limit"}
        page_size = ["--page-size", str(input["Limit"])] if "Limit" in input else []
        return [self._run(xform_name(operation, "-"), arguments, *page_size)]

    def wait(self, waiter, input):
        self._run("wait", None, xform_name(waiter, "-"), "--table-name", input["TableName"])

    def _run(self, command, input, *options, service="dynamodb"):
        arguments = [service, command, *options, "--output", "json"]
        if input:
            # Version 1 of the CLI takes binary values as they are and encodes them itself.
            raw = decode_binary(input, lambda text: base64.b64decode(text).decode())
            arguments += ["--cli-input-json", json.dumps(raw)]
        stdout, stderr = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            code = self.cli.main(arguments)
        if code != 0:
            if found := _ERROR.search(stderr.getvalue()):
                raise ServiceError(found[1], found[2].rstrip("\n"))
            raise RuntimeError(f"aws {' '.join(arguments)}: exit code {code}: {stderr.getvalue()}")
        return json.loads(stdout.getvalue() or "{}")


serve(Driver(), awscli_cases.CASES)
