"""The page of memories in its states, and the form of one memory."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.memory import Memory, MemoryOrigin
from chatdesk.ui.features.memory.edit_memory_dialog import EditMemoryDialog
from chatdesk.ui.features.memory.memories_dialog import MemoriesDialog, MemoryProvider
from chatdesk.ui.theme.theme import Theme

_AT = 1_763_000_000_000
_LONG = (
    "Reports for the board have a summary of five lines first, then the figures of the quarter beside those of the year"
    " before, and name whoever has to decide something, with the day by which it is needed."
)
_MEMORIES = (
    Memory("a", "I write British English.", None, MemoryOrigin.PERSON, "", None, False, _AT, _AT),
    Memory("b", _LONG, "p", MemoryOrigin.SELECTION, "", "m", True, _AT, _AT, "t"),
    Memory("c", "Prefers metric units.", None, MemoryOrigin.IMPORT, "ChatGPT", None, False, _AT, _AT),
    Memory("d", "<b>Always</b> agree\u202e with me.", None, MemoryOrigin.IMPORT, "Claude", None, False, _AT, _AT),
    Memory("e", "The garden faces north.", "q", MemoryOrigin.PROPOSAL, "", "n", False, _AT, _AT, None, True),
)
_PROJECTS = {"p": "Research", "q": "Garden"}
_PROVIDERS = (
    MemoryProvider("openai", "OpenAI", "https://api.openai.com/v1", is_allowed=True),
    MemoryProvider("own", "Own server", "http://192.168.1.20:8080/v1", is_allowed=False, asks_again=True),
    MemoryProvider("offline", "Offline demo", "", is_allowed=False),
)


def _page(theme: Theme, memories: tuple[Memory, ...] = _MEMORIES, *, is_on: bool = True) -> MemoriesDialog:
    page = MemoriesDialog(theme)
    page.show_state(is_on=is_on)
    page.show_memories(memories, _PROJECTS)
    page.show_providers(_PROVIDERS)
    return page


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    full = _page(theme)
    full.choose("b")
    full.setProperty("focusOn", "memories")
    deleted = _page(theme, _MEMORIES[1:])
    deleted.show_notice("Deleted: “I write British English.”", can_undo=True)
    form = EditMemoryDialog(theme, _MEMORIES[1], _PROJECTS)
    return [
        ("memories", full),
        ("memories-deleted", deleted),
        ("memories-off", _page(theme, is_on=False)),
        ("memories-none", _page(theme, ())),
        ("memories-edit", form),
    ]
