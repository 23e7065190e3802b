"""The behaviours only boto3 shows: the resource API, its conditions, batch writers and typed exceptions."""

import contextlib
from decimal import Decimal

import boto3
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer


@contextlib.contextmanager
def _table(name):
    """A table resource with the key pk (S) and sk (N) that is deleted at the end."""
    table = boto3.resource("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    table.wait_until_exists()
    try:
        yield table
    finally:
        table.delete()


def native_values(prefix):
    """native values through the resource API"""
    item = {
        "pk": "a",
        "sk": Decimal("1.5"),
        "text": "",
        "flag": False,
        "nothing": None,
        "list": [Decimal(1), "two", [Decimal(3), {"four": Decimal(4)}]],
        "map": {"nested": {"deep": True}},
        "bytes": Binary(b"\x00\x7f\xff"),
        "strings": {"x", "y"},
        "numbers": {Decimal(1), Decimal("2.5")},
        "binaries": {Binary(b"\x01"), Binary(b"\x02")},
        "exact": Decimal("1234567890123456789012345678.9012345678"),
    }
    with _table(prefix + "Native") as table:
        table.put_item(Item=item)
        assert table.get_item(Key={"pk": "a", "sk": Decimal("1.5")}, ConsistentRead=True)["Item"] == item
        assert "Item" not in table.get_item(Key={"pk": "a", "sk": 2})


def batch_writer(prefix):
    """a batch writer and conditions as objects"""
    with _table(prefix + "Batch") as table:
        with table.batch_writer(overwrite_by_pkeys=["pk", "sk"]) as batch:
            for i in range(100):
                batch.put_item(Item={"pk": f"p{i % 2}", "sk": i, "name": f"item {i}", "tags": ["t", str(i % 10)]})
            batch.put_item(Item={"pk": "p0", "sk": 0, "name": "last wins", "tags": []})
            batch.delete_item(Key={"pk": "p1", "sk": 99})
        found = table.query(
            KeyConditionExpression=Key("pk").eq("p0") & Key("sk").between(10, 60),
            FilterExpression=Attr("name").begins_with("item") & ~Attr("tags").contains("2") & (Attr("sk2").not_exists() | Attr("tags").size().gt(5)),
            ScanIndexForward=False,
        )
        assert [int(i["sk"]) for i in found["Items"]] == [i for i in range(60, 9, -2) if i % 10 != 2], found
        assert found["ScannedCount"] == 26
        assert table.get_item(Key={"pk": "p0", "sk": 0})["Item"]["name"] == "last wins"
        assert table.scan(Select="COUNT")["Count"] == 99


def update_and_errors(prefix):
    """updates and typed exceptions"""
    with _table(prefix + "Updates") as table:
        updated = table.update_item(
            Key={"pk": "a", "sk": 1},
            UpdateExpression="SET #v = if_not_exists(#v, :zero) + :step ADD colors :colors",
            ExpressionAttributeNames={"#v": "value"},
            ExpressionAttributeValues={":zero": 10, ":step": Decimal("0.25"), ":colors": {"red"}},
            ReturnValues="ALL_NEW",
        )
        assert updated["Attributes"] == {"pk": "a", "sk": 1, "value": Decimal("10.25"), "colors": {"red"}}
        exceptions = table.meta.client.exceptions
        try:
            table.put_item(Item={"pk": "a", "sk": 1}, ConditionExpression=Attr("pk").not_exists())
        except exceptions.ConditionalCheckFailedException as e:
            assert e.response["Error"]["Message"] == "The conditional request failed"
            assert e.response["ResponseMetadata"]["HTTPStatusCode"] == 400
            assert e.response["ResponseMetadata"]["RetryAttempts"] == 0
        else:
            raise AssertionError("the condition did not fail")
        try:
            boto3.resource("dynamodb").Table(prefix + "Missing").load()
        except exceptions.ResourceNotFoundException:
            pass
        else:
            raise AssertionError("the missing table was found")


def table_attributes(prefix):
    """attributes and collections of resources"""
    with _table(prefix + "Attributes") as table:
        table.reload()  # until then the attributes are those of the CreateTable response
        assert table.table_status == "ACTIVE"
        assert table.key_schema == [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ]
        assert table.item_count == 0
        assert table.creation_date_time.year >= 2020
        assert table.billing_mode_summary["BillingMode"] == "PAY_PER_REQUEST"
        assert table.name in [t.name for t in boto3.resource("dynamodb").tables.all()]


def batch_get(prefix):
    """batch reads through the resource API"""
    with _table(prefix + "BatchGet") as table:
        with table.batch_writer() as batch:
            for i in range(100):
                batch.put_item(Item={"pk": "p", "sk": i})
        keys = [{"pk": "p", "sk": i} for i in range(100)]
        response = boto3.resource("dynamodb").batch_get_item(RequestItems={table.name: {"Keys": keys}})
        assert {int(i["sk"]) for i in response["Responses"][table.name]} == set(range(100))
        assert response["UnprocessedKeys"] == {}


def resumed_pagination(prefix):
    """a paginator that stops and resumes"""
    with _table(prefix + "Resumed") as table:
        with table.batch_writer() as batch:
            for i in range(10):
                batch.put_item(Item={"pk": "p", "sk": i})
        serialize = TypeSerializer().serialize
        deserialize = TypeDeserializer().deserialize
        query = {
            "TableName": table.name,
            "KeyConditionExpression": "pk = :p",
            "ExpressionAttributeValues": {":p": serialize("p")},
        }
        paginator = boto3.client("dynamodb").get_paginator("query")
        first = paginator.paginate(**query, PaginationConfig={"PageSize": 3, "MaxItems": 4}).build_full_result()
        rest = paginator.paginate(**query, PaginationConfig={"StartingToken": first["NextToken"]}).build_full_result()
        assert [int(deserialize(i["sk"])) for i in first["Items"]] == [0, 1, 2, 3]
        assert [int(deserialize(i["sk"])) for i in rest["Items"]] == [4, 5, 6, 7, 8, 9]


CASES = [native_values, batch_writer, update_and_errors, table_attributes, batch_get, resumed_pagination]
