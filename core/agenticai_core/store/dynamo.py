"""The store on one DynamoDB table."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import BotoCoreError, ClientError
from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from agenticai_core.clock import now
from agenticai_core.store.base import (
    Check,
    Condition,
    ConditionFailed,
    Item,
    Key,
    Page,
    Put,
    StoreConflict,
    StoreUnavailable,
    Update,
    Write,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

_INDEX_KEYS = {None: ("PK", "SK"), "GSI1": ("GSI1PK", "GSI1SK"), "GSI2": ("GSI2PK", "GSI2SK")}
_CONFLICTS = frozenset({"TransactionConflict", "TransactionConflictException"})
_TRANSIENT = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "RequestLimitExceeded",
        "InternalServerError",
        "ServiceUnavailable",
        "TransactionInProgressException",
        "ProvisionedThroughputExceeded",
        "ThrottlingError",
    }
)


class DynamoStore:
    """Implements `agenticai_core.store.base.Store`. The client is safe to share by threads."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def get(self, key: Key) -> Item | None:
        answer = _call(
            lambda: self._client.get_item(TableName=self._table, Key=_key(key), ConsistentRead=True)
        )
        item = answer.get("Item")
        return _live(_from_wire(item)) if item else None

    def batch_get(self, keys: Sequence[Key]) -> list[Item]:
        if len(keys) > 100:
            raise ValueError("batch_get takes at most 100 keys")
        found: list[Item] = []
        pending: list[Any] = [_key(key) for key in keys]

        def fetch() -> bool:
            nonlocal pending
            request: Any = {self._table: {"Keys": pending, "ConsistentRead": True}}
            answer = _call(lambda: self._client.batch_get_item(RequestItems=request))
            rows = answer["Responses"].get(self._table, [])
            found.extend(item for row in rows if (item := _live(_from_wire(row))) is not None)
            rest: Any = answer.get("UnprocessedKeys", {})
            pending = list(rest[self._table]["Keys"]) if rest else []
            return bool(pending)

        if pending and _until_done(fetch):
            raise StoreUnavailable("the table did not give all items of a batch")
        return found

    def query(
        self,
        pk: str,
        *,
        index: str | None = None,
        prefix: str = "",
        after: str | None = None,
        upto: str | None = None,
        limit: int = 100,
        newest_first: bool = False,
        start: Mapping[str, str] | None = None,
    ) -> Page:
        request = _query(pk, index, prefix, after, upto)
        request |= {"TableName": self._table, "ScanIndexForward": not newest_first}
        last: Any = {name: {"S": text} for name, text in start.items()} if start else None
        items: list[Item] = []
        while True:
            # A page of DynamoDB may come out short (1 MB, expired items): fill up to the limit.
            asked = request | {"Limit": limit - len(items)}
            if last:
                asked["ExclusiveStartKey"] = last
            answer = _call(lambda asked=asked: self._client.query(**asked))  # type: ignore[misc]
            rows = [_live(_from_wire(row)) for row in answer["Items"]]
            items.extend(row for row in rows if row is not None)
            last = answer.get("LastEvaluatedKey")
            if not last or len(items) >= limit:
                break
        return Page(items, {name: value["S"] for name, value in last.items()} if last else None)

    def write(self, *writes: Write, token: str | None = None) -> None:
        # Only a transaction takes a token; the client may send any other write twice.
        if len(writes) == 1 and token is None and not isinstance(writes[0], Check):
            _call(lambda: self._write_one(writes[0]))
            return
        request: dict[str, Any] = {
            "TransactItems": [{_verb(write): self._params(write)} for write in writes]
        }
        if token is not None:
            request["ClientRequestToken"] = token
        _call(lambda: self._client.transact_write_items(**request))

    def _write_one(self, write: Write) -> None:
        params = self._params(write)
        match write:
            case Put():
                self._client.put_item(**params)
            case Update():
                self._client.update_item(**params)
            case _:
                self._client.delete_item(**params)

    def _params(self, write: Write) -> dict[str, Any]:
        names = _Names()
        params: dict[str, Any] = {"TableName": self._table}
        if isinstance(write, Put):
            params["Item"] = _to_wire(write.item)
        else:
            params["Key"] = _key(write.key)
        if isinstance(write, Update):
            params["UpdateExpression"] = _update_expression(write, names)
        if write.condition is not None:
            params["ConditionExpression"] = _expression(write.condition, names)
        return params | names.params()


class _Names:
    """Placeholders of one request, for any attribute name and value."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def name(self, attribute: str) -> str:
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def value(self, value: Any) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = _serialize(value)
        return placeholder

    def params(self) -> dict[str, Any]:
        params: dict[str, Any] = {}
        if self._names:
            params["ExpressionAttributeNames"] = {v: k for k, v in self._names.items()}
        if self._values:
            params["ExpressionAttributeValues"] = self._values
        return params


def _expression(condition: Condition, names: _Names) -> str:
    if condition.op in ("and", "or"):
        inner = f" {condition.op.upper()} ".join(
            _expression(part, names) for part in condition.parts
        )
        return f"({inner})"
    name = names.name(condition.attribute)
    if condition.op in ("exists", "absent"):
        function = "attribute_exists" if condition.op == "exists" else "attribute_not_exists"
        return f"{function}({name})"
    sign = {"eq": "=", "lt": "<", "ge": ">="}[condition.op]
    return f"{name} {sign} {names.value(condition.value)}"


def _update_expression(write: Update, names: _Names) -> str:
    parts = []
    if write.set:
        pairs = (f"{names.name(name)} = {names.value(v)}" for name, v in write.set.items())
        parts.append("SET " + ", ".join(pairs))
    if write.add:
        pairs = (f"{names.name(name)} {names.value(v)}" for name, v in write.add.items())
        parts.append("ADD " + ", ".join(pairs))
    if write.remove:
        parts.append("REMOVE " + ", ".join(names.name(name) for name in write.remove))
    return " ".join(parts)


def _query(
    pk: str, index: str | None, prefix: str, after: str | None, upto: str | None
) -> dict[str, Any]:
    if prefix and (after is not None or upto is not None):
        raise ValueError("a query has a prefix or a range, not both")
    pk_name, sk_name = _INDEX_KEYS[index]
    values = {":pk": {"S": pk}}
    names = {"#pk": pk_name}
    condition = "#pk = :pk"
    if prefix:
        condition += " AND begins_with(#sk, :prefix)"
        values[":prefix"] = {"S": prefix}
    elif after is not None and upto is not None:
        # BETWEEN includes both ends; the NUL makes the lower one exclusive.
        condition += " AND #sk BETWEEN :after AND :upto"
        values |= {":after": {"S": after + "\x00"}, ":upto": {"S": upto}}
    elif after is not None:
        condition += " AND #sk > :after"
        values[":after"] = {"S": after}
    elif upto is not None:
        condition += " AND #sk <= :upto"
        values[":upto"] = {"S": upto}
    if "#sk" in condition:
        names["#sk"] = sk_name
    request: dict[str, Any] = {
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
    return request | ({"IndexName": index} if index else {"ConsistentRead": True})


def _verb(write: Write) -> str:
    return "ConditionCheck" if isinstance(write, Check) else type(write).__name__


def _call(function: Callable[[], T]) -> T:
    """Run one request; turn its errors into the port's."""
    try:
        return function()
    except ClientError as error:
        raise _translate(error) from error
    except BotoCoreError as error:
        raise StoreUnavailable(str(error)) from error


def _translate(error: ClientError) -> Exception:
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return ConditionFailed([0])
    if code == "TransactionCanceledException":
        reasons: list[Any] = error.response.get("CancellationReasons", [])
        codes = [reason.get("Code", "None") for reason in reasons]
        failed = [n for n, reason in enumerate(codes) if reason == "ConditionalCheckFailed"]
        if failed:
            return ConditionFailed(failed)
        if _CONFLICTS.intersection(codes):
            return StoreConflict(str(codes))
        if _TRANSIENT.intersection(codes):
            return StoreUnavailable(str(codes))
        return error
    if code in _CONFLICTS:
        return StoreConflict(code)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _TRANSIENT or status >= 500:
        return StoreUnavailable(f"{code} ({status})")
    return error


def _until_done(fetch: Callable[[], bool]) -> bool:
    """Call ``fetch`` until it has nothing left to do, five times at most; whether it had."""
    return bool(
        Retrying(
            retry=retry_if_result(bool),
            stop=stop_after_attempt(5),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            retry_error_callback=lambda _: True,
        )(fetch)
    )


def _live(item: Item) -> Item | None:
    """DynamoDB deletes late what has expired; for us it is gone at once."""
    return None if "ttl" in item and item["ttl"] <= now().timestamp() else item


def _key(key: Key) -> dict[str, Any]:
    return {"PK": {"S": key.pk}, "SK": {"S": key.sk}}


def _to_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in item.items()}


def _from_wire(item: Mapping[str, Any]) -> Item:
    return {name: _plain(_DESERIALIZER.deserialize(value)) for name, value in item.items()}


_SERIALIZER = TypeSerializer()
_DESERIALIZER = TypeDeserializer()


def _serialize(value: Any) -> Any:
    return _SERIALIZER.serialize(_decimal(value))


def _decimal(value: Any) -> Any:
    """boto3 takes Decimal for floats, and lists for tuples."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, Mapping):
        return {str(name): _decimal(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_decimal(inner) for inner in value]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
