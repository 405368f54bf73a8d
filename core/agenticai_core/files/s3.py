"""Files on one S3 bucket."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from agenticai_core.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")


class S3Files:
    """Implements `agenticai_core.files.base.Files`. The client is safe to share by threads.

    ``signer`` makes the URLs that are given away: it knows the bucket's address as their
    receivers can reach it, and makes no request.
    """

    def __init__(self, client: "S3Client", bucket: str, signer: "S3Client | None" = None) -> None:
        self._client = client
        self._signer = signer or client
        self._bucket = bucket

    def put(self, key: str, content: bytes, content_type: str = "application/octet-stream") -> None:
        _call(
            lambda: self._client.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType=content_type
            )
        )

    def get(self, key: str) -> bytes:
        answer = _call(lambda: self._client.get_object(Bucket=self._bucket, Key=key))
        return _call(answer["Body"].read)

    def exists(self, key: str) -> bool:
        try:
            _call(lambda: self._client.head_object(Bucket=self._bucket, Key=key))
        except NotFound:
            return False
        return True

    def list(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        for page in _pages(pages):
            yield from (entry["Key"] for entry in page.get("Contents", []))

    def delete_prefix(self, prefix: str) -> int:
        # Versions, not keys: on a versioned bucket a plain delete would keep the content.
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=self._bucket, Prefix=prefix
        )
        deleted = set()
        for page in _pages(pages):
            versions: Sequence[Any] = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            doomed: Sequence[Any] = [
                {"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in versions
            ]
            if doomed:
                self._delete(doomed)
                deleted |= {entry["Key"] for entry in doomed}
        return len(deleted)

    def _delete(self, doomed: Sequence[Any]) -> None:
        answer = _call(
            lambda: self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": doomed, "Quiet": True}
            )
        )
        if answer.get("Errors"):
            raise Unavailable(f"{len(answer['Errors'])} objects could not be deleted")

    def presign(
        self,
        key: str,
        filename: str,
        seconds: int = 300,
        content_type: str = "application/octet-stream",
    ) -> str:
        return self._signer.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": key,
                "ResponseContentType": content_type,
                "ResponseContentDisposition": _attachment(filename),
            },
            ExpiresIn=seconds,
        )


def _attachment(filename: str) -> str:
    """For saving under a name in any script; the plain form is for clients that know no other."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _call(function: Callable[[], T]) -> T:
    """Run one request; absent is `NotFound`, what may pass is `Unavailable`."""
    try:
        return function()
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response["Error"]["Code"]
        if code in ("NoSuchKey", "404", "NotFound"):
            raise NotFound("No such object") from error
        if status >= 500 or code in ("SlowDown", "RequestTimeout"):
            raise Unavailable(f"The bucket answered {code}") from error
        raise
    except BotoCoreError as error:
        raise Unavailable(f"The bucket does not answer: {error}") from error


def _pages(pages: Any) -> Iterator[Any]:
    source = iter(pages)
    while (page := _call(lambda: next(source, None))) is not None:
        yield page
