"""The import dialog: choosing, a file that cannot be imported, running, and its report."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.imported import ImportedMemory, ImportLine, ImportOutcome, ImportProgress
from chatdesk.ui.features.transfer.import_dialog import ImportDialog
from chatdesk.ui.theme.theme import Theme

LINES = [
    ImportLine(ImportOutcome.NEW, "Choosing a database for a desktop application", 24),
    ImportLine(ImportOutcome.NEW, "Ein Rezept für Brot", 6),
    ImportLine(ImportOutcome.EXTENDED, "Travelling through Portugal by train", 8),
    ImportLine(ImportOutcome.UNCHANGED, "Regular expressions, explained slowly"),
    ImportLine(ImportOutcome.IN_TRASH, "Old notes", 0, "It is in the trash. Restore it and import again."),
    ImportLine(ImportOutcome.SKIPPED, "Entry 17 of conversations.json", 0, "It is damaged."),
]
SUMMARY = (
    "Imported 2 new threads and 1 thread with new messages, 38 messages in all. 1 thread was here already. 1 thread "
    "was in the trash and left there. 1 entry was skipped. 3 files that messages name are not in the export."
)


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("import-empty", _dialog(theme)),
        ("import-chosen", _dialog(theme, Path("/home/me/Downloads/chatgpt-export-2026-11-21.zip"))),
        ("import-failed", _failed(theme)),
        ("import-running", _running(theme)),
        ("import-report", _report(theme)),
        ("import-memories", _memories(theme, is_on=True)),
        ("import-memories-off", _memories(theme, is_on=False)),
    ]


def _dialog(theme: Theme, path: Path | None = None) -> ImportDialog:
    return ImportDialog(theme, [("p", "Personal"), ("w", "Work & research"), ("c", "ChatGPT")], path=path)


def _failed(theme: Theme) -> ImportDialog:
    dialog = _dialog(theme, Path("holiday.zip"))
    dialog.show_failure("There is nothing in this file that ChatDesk can import. Nothing was changed.")
    return dialog


def _running(theme: Theme) -> ImportDialog:
    dialog = _dialog(theme, Path("conversations.json"))
    dialog.show_progress(ImportProgress(730, 2_000, 1_204, 38_112))
    return dialog


def _report(theme: Theme) -> ImportDialog:
    dialog = _dialog(theme, Path("conversations.json"))
    dialog.show_report(SUMMARY, LINES, has_threads=True)
    return dialog


def _memories(theme: Theme, *, is_on: bool) -> ImportDialog:
    dialog = _report(theme)
    texts = (
        "Ana keeps bees, ten hives behind the house.",
        "Writes British English.",
        "Hives: " + "painted blue, " * 20,
    )
    dialog.memories.show_memories([ImportedMemory(each) for each in texts], is_on=is_on)
    return dialog
