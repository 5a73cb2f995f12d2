"""Reports whether the local service is ready, for health checks: ``python -m chatdesk.client``.

Prints one line. The exit status is 0 where the service can be used, also without a provider, and 1 otherwise.
"""

from __future__ import annotations

import sys

from chatdesk.client.client import Client
from chatdesk.client.errors import ClientError
from chatdesk.client.target import Retries


def main() -> int:
    try:
        with Client(retries=Retries(attempts=1)) as client:
            found = client.ready()
    except ClientError as error:
        # Part of the message may come from a foreign server: control characters must not reach the terminal.
        print("".join(each if each.isprintable() else "?" for each in str(error)), file=sys.stderr)
        return 1
    missing = [name for name in ("provider", "team", "disk") if not getattr(found, name)]
    print("ready" if not missing else f"ready, but for: {', '.join(missing)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
