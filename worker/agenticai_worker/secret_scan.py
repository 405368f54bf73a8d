"""Looks for secrets in the files of the current folder; prints them as JSON lines.

``python -I -m agenticai_worker.secret_scan PATH…``, to be run in a sandbox: it reads hostile
text. detect-secrets' own command is no use there, for it starts a pool of processes that needs
shared memory. A line's "allowlist" comment does not count: the code would be its own judge.
"""

import json
import sys

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings

_ALLOWLIST = "detect_secrets.filters.allowlist.is_line_allowlisted"


def main() -> None:
    with default_settings() as settings:
        settings.disable_filters(_ALLOWLIST)
        for path in sys.argv[1:]:
            for secret in scan_file(path):
                found = {"path": path, "line": secret.line_number, "type": secret.type}
                sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
