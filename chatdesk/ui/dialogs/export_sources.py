"""How to get one's chats out of the programs that ChatDesk imports from, in words for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ExportSource:
    """``steps`` is read in the import dialog; ``url`` leads to the page where they begin, empty where there is none."""

    program: str
    steps: str
    url: str = ""


EXPORT_SOURCES: Final = (
    ExportSource(
        "ChatGPT",
        "In ChatGPT open Settings, Data controls, and choose Export data. A link to a zip file comes by e-mail. Choose"
        " that file here, as it is.",
        "https://chatgpt.com/#settings/DataControls",
    ),
    ExportSource(
        "Claude",
        "In Claude open Settings, Privacy, and choose Export data. A link to a zip file comes by e-mail. Choose that"
        " file here, as it is.",
        "https://claude.ai/settings/data-privacy-controls",
    ),
    ExportSource(
        "Open WebUI",
        "In Open WebUI open Settings, Chats, and choose Export Chats. It saves a JSON file: choose it here.",
    ),
    ExportSource(
        "LibreChat",
        "In LibreChat open a conversation, choose Export in its menu, and JSON as the format. Choose that file here.",
    ),
    ExportSource(
        "ChatDesk",
        "In the other ChatDesk choose Export… in the menu of a thread, then Everything, and JSON. Choose that zip file"
        " here.",
    ),
)
