"""Says why the web could not be searched."""

from __future__ import annotations

from chatdesk.core.errors import ChatDeskError
from chatdesk.core.texts import Text
from chatdesk.core.tools.web_search.choice import SearchStep


class SearchFailed(ChatDeskError):
    """The web could not be searched. ``step`` is the step that a test of the engine comes to."""

    code = "web_search_failed"
    what = Text("The web could not be searched.")
    safe = ""
    next_step = ""

    def __init__(self, what: str, next_step: str, *, step: SearchStep = SearchStep.REACHED) -> None:
        self.step = step
        super().__init__(what, next_step=next_step)
