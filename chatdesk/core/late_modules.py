"""Has modules of Python that a window does not need to take a key, or at rest, loaded when something of them is used.
Import this before anything else.

The first five bring OpenSSL, 5 ms of each start and 5 MB of memory. Those of others take 8 ms of it: ``asyncio`` and
``dataclasses`` import ``inspect``, ``traceback`` imports ``linecache``, ``urllib.parse`` imports ``ipaddress``,
``subprocess`` imports ``locale``, and PySide's ``zipfile`` the rest. SQLAlchemy uses ``inspect`` once the window is up,
as does a dataclass without a docstring. SQLAlchemy brings three ways to SQLite of which one is used, and ``uuid_utils``
is 0.6 MB that the first id needs.
"""

import sys

from chatdesk.core.loading_on_use import FinderOnUse

_OPENSSL = ("ssl", "asyncio.sslproto", "hashlib", "hmac", "secrets")
_OF_OTHERS = (
    "inspect",
    "copy",
    "linecache",
    "tokenize",
    "ipaddress",
    "ntpath",
    "locale",
    "shutil",
    "bz2",
    "lzma",
    "tempfile",
    "random",
)
_OF_SQLALCHEMY = (
    "sqlalchemy.connectors.asyncio",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "sqlalchemy.dialects.sqlite.pysqlcipher",
)
_OF_OURS = ("chatdesk.ui.transcript.copying.copied_text",)
_OTHERS = ("csv", "difflib", "email.utils", "html", "importlib.metadata", "uuid_utils")

sys.meta_path.insert(0, FinderOnUse(*_OPENSSL, *_OF_OTHERS, *_OF_SQLALCHEMY, *_OF_OURS, *_OTHERS))
