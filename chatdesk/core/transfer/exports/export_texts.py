"""Defines the texts around the messages of an export, which people read in their own language."""

from __future__ import annotations

from typing import Final

from chatdesk.core.domain.message import STATUS_TEXTS, UNREADABLE_TEXT, Role
from chatdesk.core.domain.thread import BRANCH_MARK, NEW_THREAD_TITLE, NOT_TAKEN_TITLE, RECOVERED_TITLE, title_text
from chatdesk.core.providers.failure_texts import CERTIFICATE_TEXTS, FAILURE_TEXTS
from chatdesk.core.rendering.blocks import CALLOUT_TITLES
from chatdesk.core.texts import Text

SPEAKERS: Final = {
    Role.SYSTEM: Text("System"),
    Role.USER: Text("You"),
    Role.ASSISTANT: Text("Answer"),
    Role.TOOL: Text("Tool"),
}
NOTE, EDITED_ANSWER = Text("Note"), Text("Edited answer")
REASONING, TOOL_RESULT = Text("Reasoning"), Text("Tool result")
TOOL_CALL = Text("Tool call")
IMAGE, FILE = Text("Image: {name}"), Text("File: {name}")
LOST_IMAGE, LOST_FILE = Text("Image: {name} ({problem})"), Text("File: {name} ({problem})")
ATTACHMENT, BYTES_MISSING = Text("attachment"), Text("its bytes are missing or damaged")
UNKNOWN_TIME = Text("at an unknown time")
MOMENT = Text("{year}-{month}-{day} {hour}:{minute} UTC")
MISLEADING_LINK = Text("The link “{words}” leads to {place}.")
MORE_MISLEADING_LINKS = Text("More links of this message lead elsewhere than their words say.")


def all_texts() -> list[str]:
    """Return every text that an export may have to show in another language."""
    sentences = [*FAILURE_TEXTS.values(), *CERTIFICATE_TEXTS.values()]
    return [
        *SPEAKERS.values(),
        *(NOTE, EDITED_ANSWER, REASONING, TOOL_RESULT, TOOL_CALL, IMAGE, FILE, LOST_IMAGE, LOST_FILE),
        *(ATTACHMENT, BYTES_MISSING, UNKNOWN_TIME, MOMENT, MISLEADING_LINK, MORE_MISLEADING_LINKS),
        *(title_text(each) for each in (NEW_THREAD_TITLE, RECOVERED_TITLE, NOT_TAKEN_TITLE, BRANCH_MARK)),
        *CALLOUT_TITLES.values(),
        *(sentence for _short, sentence in STATUS_TEXTS.values()),
        UNREADABLE_TEXT,
        *(text for each in sentences for text in (each.what, each.next_step)),
    ]
