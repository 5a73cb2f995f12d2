"""Has packages of the protocol's library loaded when something of them is used. Import this before anything of it.

As a whole the library brings its servers with a web framework, a quarter of the processor time until the process that
hosts tool servers is there. What is used of it is in modules below these packages.
"""

import sys

from chatdesk.core.system.loading_on_use import FinderOnUse

sys.meta_path.insert(0, FinderOnUse("mcp", "mcp.client"))
