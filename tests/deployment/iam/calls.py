"""What IAM looks at when AWS gets a request: actions, resources and condition keys.

Works on the bytes that a service sends, so nothing depends on which library sent them. Names that
differ from run to run (identifiers, hashes) are cut off, so that equal calls look equal.

Where an operation and its permission differ:

- TransactWriteItems and BatchGetItem: "Permissions for `Put`, `Update`, `Delete`, and `Get` actions
  are governed by the permissions used for the underlying" operations, and a check needs
  `ConditionCheckItem` (DynamoDB developer guide, "Managing complex workflows with transactions").
  `BatchGetItem` is an action of its own.
- HeadBucket and ListObjectsV2 need `s3:ListBucket`, ListObjectVersions `s3:ListBucketVersions`,
  HeadObject `s3:GetObject`, and deleting a version `s3:DeleteObjectVersion` (S3 API reference). An
  object that is absent is answered with 404 only to those who have `s3:ListBucket`, with 403 to
  others (GetObject, "Permissions"): so a 404 that a service relies on is a use of that action.
- A pre-signed URL can do what its signer may do at the time it is used.
- SQS's batch operations need the permission of the single one (SQS developer guide).
- Parameter Store and the table encrypt with the account's keys `aws/ssm` and `aws/dynamodb`, whose
  own policies let everybody in the account use them through these services: no `kms:` action is
  needed.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

REGION, ACCOUNT, APP, ENV = "us-east-1", "000000000000", "agenticai", "local"
_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
_OBJECT = {
    "GET": "GetObject",
    "HEAD": "GetObject",
    "PUT": "PutObject",
    "DELETE": "DeleteObject",
}
_PROJECT = re.compile(r"proj_\w+")
_PARTITION = re.compile(r"=\s*(:\w+)")


@dataclass(frozen=True, order=True)
class Call:
    """One permission that was needed. ``context``: the condition keys that policies may name."""

    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Request:
    method: str
    path: str  # as it was sent, %-escapes and all
    query: str
    target: str  # X-Amz-Target, which names the operation of the JSON protocols
    body: bytes
    status: int  # of the answer


def read_calls(request: Request) -> set[Call]:
    """What a request needed. Raises `ValueError` for one that is not understood."""
    service, _, operation = request.target.partition(".")
    if not service:
        return set(_bucket_calls(request))
    body = json.loads(request.body)
    if service.startswith("DynamoDB_"):
        return set(_table_calls(operation, body))
    if service == "AmazonSQS":
        return {_queue_call(operation, body)}
    if service == "AmazonSSM":
        return {_parameter_call(operation, body)}
    raise ValueError(f"a request to an unknown service: {request.target}")


# ---- DynamoDB -----------------------------------------------------------------------------------


def _table_calls(operation: str, body: Any) -> Iterator[Call]:
    match operation:
        case "TransactWriteItems":
            for part in body["TransactItems"]:
                ((verb, inner),) = part.items()
                yield _item_call(_TRANSACTION[verb], inner)
        case "BatchGetItem":
            for table, asked in body["RequestItems"].items():
                for key in asked["Keys"]:
                    yield _item_call(operation, {"TableName": table, "Key": key})
        case "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem":
            yield _item_call(operation, body)
        case "Query":
            found = _PARTITION.search(body["KeyConditionExpression"])
            if found is None:
                raise ValueError("a query without a partition key")
            value = body["ExpressionAttributeValues"][found[1]]["S"]
            yield _keyed(operation, body["TableName"], value, body.get("IndexName"))
        case "DescribeTable":
            yield Call(f"dynamodb:{operation}", _table(body["TableName"]))
        case _:
            raise ValueError(f"an unknown operation of DynamoDB: {operation}")


def _item_call(operation: str, body: Any) -> Call:
    key = (body.get("Key") or body["Item"])["PK"]["S"]
    return _keyed(operation, body["TableName"], key)


def _keyed(operation: str, table: str, key: str, index: str | None = None) -> Call:
    entity = key.partition("#")[0] + "#"
    resource = _table(table) + (f"/index/{index}" if index else "")
    return Call(f"dynamodb:{operation}", resource, (("dynamodb:LeadingKeys", entity),))


def _table(name: str) -> str:
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


# ---- SQS and Parameter Store --------------------------------------------------------------------


def _queue_call(operation: str, body: Any) -> Call:
    name = body["QueueUrl"].rpartition("/")[2]
    action = operation.removesuffix("Batch")
    return Call(f"sqs:{action}", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")


def _parameter_call(operation: str, body: Any) -> Call:
    name = _PROJECT.sub("proj_x", body["Name"].partition(":")[0])
    context = ()
    if operation == "PutParameter":
        context = (("ssm:Overwrite", str(body.get("Overwrite", False)).lower()),)
    resource = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{name}"
    return Call(f"ssm:{operation}", resource, context)


# ---- S3 -----------------------------------------------------------------------------------------


def _bucket_calls(request: Request) -> Iterator[Call]:
    bucket, _, key = unquote(request.path).removeprefix("/").partition("/")
    query = parse_qs(request.query, keep_blank_values=True)
    arn = f"arn:aws:s3:::{bucket}"
    if key:
        yield Call(f"s3:{_OBJECT[request.method]}", _object(arn, key))
        if request.status == 404:
            yield Call("s3:ListBucket", arn)
    elif request.method == "HEAD":
        yield Call("s3:ListBucket", arn)
    elif request.method == "GET" and ("versions" in query or "list-type" in query):
        action = "ListBucketVersions" if "versions" in query else "ListBucket"
        prefix = query["prefix"][0].partition("/")[0] + "/"
        yield Call(f"s3:{action}", arn, (("s3:prefix", prefix),))
    elif request.method == "POST" and "delete" in query:
        yield from _deletions(arn, request.body.decode())
    else:
        raise ValueError(f"an unknown request to the bucket: {request.method} ?{request.query}")


def _deletions(arn: str, body: str) -> Iterator[Call]:
    for doomed in re.findall(r"<Object>(.*?)</Object>", body, re.DOTALL):
        key = re.search(r"<Key>(.*?)</Key>", doomed)
        if key is None:
            raise ValueError("an object without a key")
        action = "DeleteObjectVersion" if "<VersionId>" in doomed else "DeleteObject"
        yield Call(f"s3:{action}", _object(arn, key[1]))


def _object(arn: str, key: str) -> str:
    return f"{arn}/{key.partition('/')[0]}/x"


# ---- the recording ------------------------------------------------------------------------------


def dump(recorded: dict[str, Iterable[Call]]) -> str:
    """As JSON: service -> action -> resource -> condition keys, all in order."""
    services: dict[str, Any] = {}
    for service, calls in sorted(recorded.items()):
        actions = services.setdefault(service, {})
        for call in sorted(set(calls)):
            seen = actions.setdefault(call.action, {}).setdefault(call.resource, [])
            seen.append(dict(call.context))
    return json.dumps(services, indent=1) + "\n"


def load(text: str) -> dict[str, set[Call]]:
    """What `dump` wrote."""
    return {
        service: {
            Call(action, resource, tuple(sorted(context.items())))
            for action, resources in actions.items()
            for resource, contexts in resources.items()
            for context in contexts
        }
        for service, actions in json.loads(text).items()
    }
