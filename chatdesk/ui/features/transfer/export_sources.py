"""Writes the instructions for exporting chats from the programs that ChatDesk imports from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True)
class ExportSource:
    """A program whose exports can be imported. ``steps`` is read in the import dialog; ``url`` leads to the page where
    they begin, empty where there is none. ``is_folder``: the program keeps its chats in a folder, which is chosen
    instead of a file."""

    program: str
    steps: str
    url: str = ""
    is_folder: bool = False


EXPORT_SOURCES: Final = (
    ExportSource(
        "ChatGPT",
        Text(
            "In ChatGPT open Settings, Data controls, and choose Export data. A link to a zip file comes by e-mail."
            " Choose that file here, as it is."
        ),
        "https://chatgpt.com/#settings/DataControls",
    ),
    ExportSource(
        "Claude",
        Text(
            "In Claude open Settings, Privacy, and choose Export data. A link to a zip file comes by e-mail. Choose"
            " that file here, as it is."
        ),
        "https://claude.ai/settings/data-privacy-controls",
    ),
    ExportSource(
        "Gemini",
        Text(
            "In Google Takeout choose My Activity alone, in it Gemini Apps alone, and JSON as the format. A link to a"
            " zip file comes by e-mail. Choose that file here, as it is."
        ),
        "https://takeout.google.com/",
    ),
    ExportSource(
        "Open WebUI",
        Text("In Open WebUI open Settings, Chats, and choose Export Chats. It saves a JSON file: choose it here."),
    ),
    ExportSource(
        "LibreChat",
        Text(
            "In LibreChat open a conversation, choose Export in its menu, and JSON as the format. Choose that file"
            " here."
        ),
    ),
    ExportSource(
        "AnythingLLM",
        Text(
            "In AnythingLLM open Settings, Admin, Workspace Chats, and choose Export, then JSON. Choose that file"
            " here. CSV and JSONL are read as well, with less in them."
        ),
    ),
    ExportSource(
        "Chatbox",
        Text(
            "In Chatbox open Settings, General, Data Backup. Tick Chat History and choose Export Selected Data. Choose"
            " that file here."
        ),
    ),
    ExportSource(
        "Cherry Studio",
        Text(
            "In Cherry Studio open Settings, Data Settings. Choose Export to Phone and export to a file; in older"
            " versions choose Backup. Choose that zip file here."
        ),
    ),
    ExportSource(
        "Jan",
        Text("In Jan open Settings, General, and show the data folder. Choose the folder “threads” in it here."),
        is_folder=True,
    ),
    ExportSource(
        "LM Studio",
        Text(
            "Choose the folder “conversations” here. It is in the folder “.lmstudio” of your home folder; LM Studio"
            " shows it when you choose Reveal in the menu of a chat."
        ),
        is_folder=True,
    ),
    ExportSource(
        "ChatDesk",
        Text(
            "In the other ChatDesk choose Export… in the menu of a thread, then Everything, and JSON. Choose that zip"
            " file here."
        ),
    ),
)
