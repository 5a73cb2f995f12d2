"""Writes the pages that a browser shows after a sign-in to a tool server. The process that hosts the servers writes
them, and gets their translations with the sign-in."""

from __future__ import annotations

from typing import Final

from chatdesk.core.texts import Text

NOTHING_HERE: Final = Text("There is nothing here.")
NOT_AWAITED: Final = Text("This answer belongs to no sign-in that ChatDesk waits for.")
DECLINED: Final = Text("The sign-in was declined. You can close this page.")
DONE: Final = Text("ChatDesk has the answer. You can close this page.")
PAGES: Final = (NOTHING_HERE, NOT_AWAITED, DECLINED, DONE)
