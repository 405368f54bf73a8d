"""``python -m agenticai_worker.sandbox``: what the sandbox is worth on this machine.

Prints ``strong``, ``basic`` or ``none`` and, a line each, what keeps it from being strong. Ends
with 0 if QA would run generated code in it (AGENTICAI_SANDBOX_REQUIRE), else with 1.
"""

import argparse
import sys

from agenticai_core.settings import Settings
from agenticai_worker.sandbox.base import suffices
from agenticai_worker.sandbox.local import LocalSandbox


def main() -> int:
    argparse.ArgumentParser(
        prog="python -m agenticai_worker.sandbox", description=__doc__
    ).parse_args()
    settings = Settings()
    sandbox = LocalSandbox(settings.sandbox_python, settings.sandbox_root)
    lines = [sandbox.level, *(f"  {what}" for what in sandbox.missing)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if suffices(sandbox.level, settings.required_sandbox) else 1


if __name__ == "__main__":
    sys.exit(main())
