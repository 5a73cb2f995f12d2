"""Defers the import of packages of the protocol's library until they are used. Import this before any of its modules.

A full import includes the library's servers with a web framework, which takes a quarter of the start time of the
process that hosts tool servers. The modules in use are below these packages.
"""

import sys

from chatdesk.core.system.loading_on_use import FinderOnUse

sys.meta_path.insert(0, FinderOnUse("mcp", "mcp.client"))
