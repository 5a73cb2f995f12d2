"""Reports the result of an import in a sentence, in lines and as data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from chatdesk.core.domain.imported import OUTCOME_TEXTS, ImportLine, ImportOutcome
from chatdesk.core.plurals import counted

_MOST_LINES: Final = 100_000


@dataclass(slots=True)
class ImportReport:
    """The result of an import, line by line in the order of the file. ``is_whole`` is false if it was stopped."""

    source: str = ""
    lines: list[ImportLine] = field(default_factory=list)
    counts: Counter[ImportOutcome] = field(default_factory=Counter)
    messages: int = 0
    missing_files: int = 0
    left_out: int = 0
    notes: list[str] = field(default_factory=list)
    project_ids: set[str] = field(default_factory=set)
    is_whole: bool = True
    is_dry_run: bool = False

    def add(self, line: ImportLine) -> None:
        self.counts[line.outcome] += 1
        self.messages += line.messages
        if len(self.lines) < _MOST_LINES:
            self.lines.append(line)

    @property
    def summary(self) -> str:
        """A sentence with the counts, and what else a person must know."""
        new, grown = self.counts[ImportOutcome.NEW], self.counts[ImportOutcome.EXTENDED]
        would = "Would import" if self.is_dry_run else "Imported"
        messages = counted(self.messages, "message")
        parts = [f"{would} {counted(new, 'new thread')} with {messages}"] if new and not grown else []
        if grown:
            went_on = f"{counted(grown, 'thread')} that went on"
            parts = [f"{would} {counted(new, 'new thread')} and {went_on}, {messages} in all"]
        same = self.counts[ImportOutcome.UNCHANGED]
        rest = [
            _were(same, "here already"),
            _were(self.counts[ImportOutcome.IN_TRASH], "in the trash and left there"),
            _were(self.counts[ImportOutcome.DELETED], "deleted for good before and left out"),
            _were(self.counts[ImportOutcome.SKIPPED], "skipped", noun="entry", plural="entries"),
        ]
        sentences = [part for part in (*parts, *rest) if part] or ["There was nothing to import"]
        stopped = [] if self.is_whole else ["The import was stopped; importing the file again goes on"]
        return ". ".join(sentences + stopped + [note.rstrip(".") for note in self.all_notes]) + "."

    @property
    def all_notes(self) -> list[str]:
        notes = list(self.notes)
        if self.missing_files:
            files = counted(self.missing_files, "file that messages name is", "files that messages name are")
            notes.append(f"{files} not in the export.")
        if self.left_out:
            hidden = counted(self.left_out, "message that the vendor hides was", "messages that the vendor hides were")
            notes.append(f"{hidden} left out.")
        return notes

    def as_text(self) -> str:
        """Return the whole report, one line for each thread."""
        lines = [self.summary, ""]
        for line in self.lines:
            count = f" ({counted(line.messages, 'message')})" if line.messages else ""
            reason = f": {line.reason}" if line.reason else ""
            lines.append(f"{OUTCOME_TEXTS[line.outcome]:14}  {line.title}{count}{reason}")
        return "\n".join(lines) + "\n"

    def as_data(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "is_whole": self.is_whole,
            "is_dry_run": self.is_dry_run,
            "messages": self.messages,
            "missing_files": self.missing_files,
            "left_out": self.left_out,
            "counts": {outcome.value: self.counts[outcome] for outcome in ImportOutcome},
            "notes": self.all_notes,
            "lines": [
                {
                    "outcome": line.outcome.value,
                    "title": line.title,
                    "messages": line.messages,
                    "reason": line.reason,
                    "thread_id": line.thread_id,
                }
                for line in self.lines
            ],
        }


def _were(number: int, what: str, *, noun: str = "thread", plural: str = "threads") -> str:
    return f"{counted(number, f'{noun} was', f'{plural} were')} {what}" if number else ""
