"""The driver for the AWS SDK for Python (boto3)."""

import base64

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError

import boto3_cases
from protocol import STREAMS_OPERATIONS, ServiceError, decode_binary, serve


class Driver:
    def __init__(self):
        self.client = boto3.client("dynamodb")
        self.streams = boto3.client("dynamodbstreams")

    def call(self, operation, input):
        client = self.streams if operation in STREAMS_OPERATIONS else self.client
        return self._answer(getattr(client, xform_name(operation)), input)

    def pages(self, operation, input):
        paginator = self.client.get_paginator(xform_name(operation))
        arguments = {k: v for k, v in input.items() if k != "Limit"}
        if "Limit" in input:
            arguments["PaginationConfig"] = {"PageSize": input["Limit"]}
        return self._answer(lambda **kwargs: [_strip(page) for page in paginator.paginate(**kwargs)], arguments)

    def wait(self, waiter, input):
        self.client.get_waiter(xform_name(waiter)).wait(**input, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    def _answer(self, method, input):
        try:
            return _strip(method(**decode_binary(input, base64.b64decode)))
        except ClientError as e:
            error = e.response["Error"]
            raise ServiceError(
                error["Code"], error["Message"], e.response.get("Item"), e.response.get("CancellationReasons")
            ) from e


def _strip(output):
    """The output without what botocore adds to it."""
    if isinstance(output, dict):
        output.pop("ResponseMetadata", None)
    return output


serve(Driver(), boto3_cases.CASES)
