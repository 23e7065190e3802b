"""The behaviours only the AWS CLI shows: its flags, formats and exit codes. Each command is a process of its own."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile


def _aws(*arguments, code=0):
    """Runs aws dynamodb with the arguments and returns what it printed: standard output, or error if it must fail."""
    run = subprocess.run(
        [sys.executable, "-m", "awscli", "dynamodb", *arguments], capture_output=True, text=True, check=False
    )
    assert run.returncode == code, f"aws dynamodb {' '.join(arguments)}: exit code {run.returncode}: {run.stderr}"
    return run.stdout if code == 0 else run.stderr


@contextlib.contextmanager
def _table(name):
    """A table with the key pk (S) and sk (N), made with shorthand arguments, that is deleted at the end."""
    _aws(
        "create-table", "--table-name", name,
        "--attribute-definitions", "AttributeName=pk,AttributeType=S", "AttributeName=sk,AttributeType=N",
        "--key-schema", "AttributeName=pk,KeyType=HASH", "AttributeName=sk,KeyType=RANGE",
        "--billing-mode", "PAY_PER_REQUEST",
    )  # fmt: skip
    _aws("wait", "table-exists", "--table-name", name)
    try:
        yield name
    finally:
        _aws("delete-table", "--table-name", name)


def query_and_output(prefix):
    """output formats and --query"""
    with _table(prefix + "Output") as table:
        status = _aws("describe-table", "--table-name", table, "--query", "Table.TableStatus", "--output", "text")
        assert status == "ACTIVE\n", status
        for sk, color in enumerate(["red", "green", "blue"]):
            item = json.dumps({"pk": {"S": "p"}, "sk": {"N": str(sk)}, "color": {"S": color}})
            assert _aws("put-item", "--table-name", table, "--item", item) == ""
        colors = _aws(
            "query", "--table-name", table, "--key-condition-expression", "pk = :p",
            "--expression-attribute-values", '{":p": {"S": "p"}}', "--no-scan-index-forward",
            "--query", "Items[].color.S", "--output", "text",
        )  # fmt: skip
        assert colors.split() == ["blue", "green", "red"], colors
    _aws("wait", "table-not-exists", "--table-name", table)


def input_files(prefix):
    """input from files"""
    with _table(prefix + "Files") as table, tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "input.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({table: [{"PutRequest": {"Item": {"pk": {"S": "f"}, "sk": {"N": str(i)}}}} for i in range(25)]}, f)
        assert json.loads(_aws("batch-write-item", "--request-items", f"file://{path}")) == {"UnprocessedItems": {}}
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"TableName": table, "Key": {"pk": {"S": "f"}, "sk": {"N": "7"}}}, f)
        got = json.loads(_aws("get-item", "--cli-input-json", f"file://{path}", "--consistent-read"))
        assert got == {"Item": {"pk": {"S": "f"}, "sk": {"N": "7"}}}, got


def pagination(prefix):
    """pages, --max-items and --starting-token"""
    with _table(prefix + "Pages") as table:
        requests = {table: [{"PutRequest": {"Item": {"pk": {"S": "p"}, "sk": {"N": str(i)}}}} for i in range(10)]}
        _aws("batch-write-item", "--request-items", json.dumps(requests))
        query = [
            "query", "--table-name", table, "--key-condition-expression", "pk = :p",
            "--expression-attribute-values", '{":p": {"S": "p"}}',
        ]  # fmt: skip
        everything = json.loads(_aws(*query, "--page-size", "3"))
        assert [i["sk"]["N"] for i in everything["Items"]] == [str(i) for i in range(10)]
        assert "NextToken" not in everything
        first = json.loads(_aws(*query, "--page-size", "3", "--max-items", "4"))
        rest = json.loads(_aws(*query, "--starting-token", first["NextToken"]))
        assert [i["sk"]["N"] for i in first["Items"] + rest["Items"]] == [str(i) for i in range(10)]
        assert len(first["Items"]) == 4


def errors(prefix):
    """errors and exit codes"""
    missing = prefix + "Missing"
    stderr = _aws("describe-table", "--table-name", missing, code=255)
    assert stderr.strip().endswith(
        "An error occurred (ResourceNotFoundException) when calling the DescribeTable operation: "
        f"Requested resource not found: Table: {missing} not found"
    ), stderr
    with _table(prefix + "Errors") as table:
        stderr = _aws(
            "put-item", "--table-name", table, "--item", '{"pk": {"S": "a"}, "sk": {"N": "1"}}',
            "--condition-expression", "attribute_exists(pk)", code=255,
        )  # fmt: skip
        assert "(ConditionalCheckFailedException)" in stderr and "The conditional request failed" in stderr, stderr


CASES = [query_and_output, input_files, pagination, errors]
