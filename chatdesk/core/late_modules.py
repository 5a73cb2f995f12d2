"""Has modules of Python that a window at rest does not need loaded when something of them is used. Import this before
anything imports asyncio.

The first five bring OpenSSL, 5 ms of each start and 5 MB of memory; the others another MB.
"""

import sys

from chatdesk.core.loading_on_use import FinderOnUse

_OPENSSL = ("ssl", "asyncio.sslproto", "hashlib", "hmac", "secrets")
_OTHERS = ("csv", "difflib", "email.utils", "html", "importlib.metadata")

sys.meta_path.insert(0, FinderOnUse(*_OPENSSL, *_OTHERS))
