"""The quick actions: the questions about an answer that can be asked with one press."""

from __future__ import annotations

from typing import Final

#: How the name of such an action begins; a key of ``QUICK_ACTIONS`` or the id of a prompt follows.
QUICK: Final = "quick:"
#: Keys and names of those that everybody has.
QUICK_ACTIONS: Final = (("shorter", "Shorter"), ("longer", "Longer"))
