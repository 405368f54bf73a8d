"""Enough of AWS for `copilot … package`, in this process: moto behind an HTTPS proxy.

Copilot reads the application, its environments and their stacks before it renders anything. moto
answers that; nothing leaves the machine.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

os.environ["TEST_PROXY_MODE"] = "true"  # moto reads it when it is imported

from moto.cloudformation import models
from moto.cloudformation.responses import CloudFormationResponse
from moto.moto_proxy.certificate_creator import CertificateCreator
from moto.moto_proxy.proxy3 import ProxyRequestHandler

logging.getLogger("MOTO_PROXY").setLevel(logging.ERROR)  # else it tells of every request
ACCOUNT, REGION = "123456789012", "us-east-1"
Connect = Callable[[str], Any]


class Handler(ProxyRequestHandler):
    """moto closes each connection and does not say so; Copilot would use it again."""

    def end_headers(self) -> None:
        if self.command != "CONNECT":
            self.send_header("Connection", "close")
        BaseHTTPRequestHandler.end_headers(self)


@contextmanager
def offline_aws(home: Path) -> Iterator[tuple[dict[str, str], Connect]]:
    """The environment for processes that are to see this AWS only, and a maker of clients."""
    _mend_moto()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy = f"http://127.0.0.1:{server.server_port}"
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    environment = keys | {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HTTPS_PROXY": proxy,
        "HTTP_PROXY": proxy,
        "NO_PROXY": "",
        "SSL_CERT_FILE": CertificateCreator.cacert,
        "AWS_CA_BUNDLE": CertificateCreator.cacert,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def connect(service: str) -> Any:
        return boto3.client(
            service,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            verify=CertificateCreator.cacert,
            config=Config(proxies={"https": proxy}),
        )

    try:
        yield environment, connect
    finally:
        server.shutdown()
        server.server_close()


def _mend_moto() -> None:
    """Two answers as AWS gives them: a stack set's instance keeps one stack id, and a template's
    metadata is JSON."""
    describe = models.StackInstance.to_dict
    summarise = CloudFormationResponse.get_template_summary

    def to_dict(self: Any) -> dict[str, Any]:
        return {**describe(self), "StackId": self.stack.stack_id}

    def get_template_summary(self: Any) -> Any:
        answer = summarise(self)
        answer._result["Metadata"] = json.dumps(answer._result.get("Metadata") or {})
        return answer

    models.StackInstance.to_dict = to_dict
    CloudFormationResponse.get_template_summary = get_template_summary
