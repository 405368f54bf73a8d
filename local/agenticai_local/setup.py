"""``python -m agenticai_local.setup KEY_FILE``: what docker/compose.yaml runs before the services.

Makes the table, the bucket, the queues and an API key in the emulator at AWS_ENDPOINT_URL, prints
the key, and keeps it in KEY_FILE. Run again it changes nothing, and prints the same key where the
emulator still knows it.
"""

import os
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from agenticai_local.bootstrap import prepare
from agenticai_local.errors import LocalError


def main(key_file: Path) -> int:
    previous = key_file.read_text() if key_file.exists() else None
    try:
        made = prepare(os.environ["AWS_ENDPOINT_URL"], "agenticai", "local", previous)
    except (LocalError, BotoCoreError, ClientError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if made.api_key != previous:
        _write(key_file, made.api_key)
    print(f"API key: {made.api_key}")
    return 0


def _write(key_file: Path, secret: str) -> None:
    """Readable by its owner only, from the first moment on."""
    fresh = key_file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
    fresh.replace(key_file)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
