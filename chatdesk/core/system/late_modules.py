"""Has the modules of Python that bring OpenSSL loaded when something of them is used: 5 ms of each start and 5 MB of
memory of a window that asks nobody. Import this before anything else."""

import sys

from chatdesk.core.system.loading_on_use import FinderOnUse

sys.meta_path.insert(0, FinderOnUse("ssl", "asyncio.sslproto", "hashlib", "hmac", "secrets"))
