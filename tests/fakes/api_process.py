"""The API as a process of its own, over the emulator that the environment names."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx

from agenticai_local.ports import HOST, free_port

WAIT = 60.0  # s; longer than anything here takes, short enough to fail


@contextmanager
def api_process(
    variables: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> Iterator[tuple[httpx.Client, subprocess.Popen[bytes]]]:
    """A client of the process once it answers, and the process."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "agenticai_api"],
        env=os.environ | variables | {"AGENTICAI_API_PORT": str(port)},
    )
    many = httpx.Limits(max_connections=None)
    try:
        with httpx.Client(
            transport=httpx.HTTPTransport(retries=8, limits=many),  # 0, 0.5, 1, 2, … s apart
            base_url=f"http://{HOST}:{port}",
            headers=headers,
            trust_env=False,
            timeout=WAIT,
        ) as client:
            assert client.get("/health").status_code == 200
            yield client, process
    finally:
        process.kill()
        process.wait()
