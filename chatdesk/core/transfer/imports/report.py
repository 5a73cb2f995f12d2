"""Reports the result of an import in a sentence, in lines and as data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from chatdesk.core.domain.imported import OUTCOME_TEXTS, ImportedMemory, ImportLine, ImportOutcome
from chatdesk.core.texts import Sentences, Text, plural

_MOST_LINES: Final = 100_000


@dataclass(slots=True)
class ImportReport:
    """The result of an import, line by line in the order of the file. ``is_whole`` is false if it was stopped.
    ``memories`` are in the export; ``memories_taken``: how many became memories here, None if nobody chose that."""

    source: str = ""
    lines: list[ImportLine] = field(default_factory=list)
    counts: Counter[ImportOutcome] = field(default_factory=Counter)
    messages: int = 0
    missing_files: int = 0
    left_out: int = 0
    marks_left_out: int = 0
    notes: list[str] = field(default_factory=list)
    project_ids: set[str] = field(default_factory=set)
    memories: tuple[ImportedMemory, ...] = ()
    memories_left_out: int = 0
    memories_taken: int | None = None
    is_whole: bool = True
    is_dry_run: bool = False

    def add(self, line: ImportLine) -> None:
        self.counts[line.outcome] += 1
        self.messages += line.messages
        if len(self.lines) < _MOST_LINES:
            self.lines.append(line)

    @property
    def summary(self) -> str:
        """A sentence with the counts, and further facts that a person must know."""
        taken = self._taken
        same, trashed = self.counts[ImportOutcome.UNCHANGED], self.counts[ImportOutcome.IN_TRASH]
        deleted, skipped = self.counts[ImportOutcome.DELETED], self.counts[ImportOutcome.SKIPPED]
        found = [
            taken,
            plural("{count} threads were here already.", "{count} thread was here already.", same) if same else "",
            plural(
                "{count} threads were in the trash and left there.",
                "{count} thread was in the trash and left there.",
                trashed,
            )
            if trashed
            else "",
            plural(
                "{count} threads were deleted for good before and left out.",
                "{count} thread was deleted for good before and left out.",
                deleted,
            )
            if deleted
            else "",
            plural("{count} entries were skipped.", "{count} entry was skipped.", skipped) if skipped else "",
        ]
        if not any(found) and not self.memories:
            found = [Text("There was nothing to import.")]
        stopped = "" if self.is_whole else Text("The import was stopped. Import the same file again to continue.")
        return Sentences.of(*found, stopped, *self.all_notes)

    @property
    def _taken(self) -> str:
        """Return the sentence about the imported threads; empty if there are none."""
        new, grown = self.counts[ImportOutcome.NEW], self.counts[ImportOutcome.EXTENDED]
        if not new and not grown:
            return ""
        counts = {
            "threads": plural("{count} new threads", "{count} new thread", new),
            "messages": plural("{count} messages", "{count} message", self.messages),
        }
        if not grown:
            if self.is_dry_run:
                return Text("Would import {threads} with {messages}.", **counts)
            return Text("Imported {threads} with {messages}.", **counts)
        counts["grown"] = plural("{count} threads with new messages", "{count} thread with new messages", grown)
        if self.is_dry_run:
            return Text("Would import {threads} and {grown}, {messages} in all.", **counts)
        return Text("Imported {threads} and {grown}, {messages} in all.", **counts)

    @property
    def all_notes(self) -> list[str]:
        notes = list(self.notes)
        if self.missing_files:
            notes.append(
                plural(
                    "{count} files that messages name are not in the export.",
                    "{count} file that messages name is not in the export.",
                    self.missing_files,
                )
            )
        if self.left_out:
            notes.append(
                plural(
                    "{count} messages that the vendor hides were left out.",
                    "{count} message that the vendor hides was left out.",
                    self.left_out,
                )
            )
        if self.marks_left_out:
            notes.append(
                plural(
                    "{count} marks of sources that the export does not name were left out.",
                    "{count} mark of a source that the export does not name was left out.",
                    self.marks_left_out,
                )
            )
        return [*notes, *self._memory_notes()]

    def _memory_notes(self) -> list[str]:
        notes: list[str] = []
        if self.memories:
            notes.append(
                plural(
                    "The export contains {count} memories.", "The export contains {count} memory.", len(self.memories)
                )
            )
        if self.memories_left_out:
            notes.append(
                plural(
                    "{count} more are beyond the most that ChatDesk keeps.",
                    "{count} more is beyond the most that ChatDesk keeps.",
                    self.memories_left_out,
                )
            )
        if self.memories_taken is not None:
            notes.append(
                plural("{count} of them are remembered now.", "{count} of them is remembered now.", self.memories_taken)
            )
        elif self.memories:
            notes.append(Text("None was taken: memories are kept only where you choose them."))
        return notes

    def texts(self) -> list[str]:
        """Return the whole report: the summary, an empty line, and a line for each thread."""
        return [self.summary, "", *map(_line_text, self.lines)]

    def as_data(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "is_whole": self.is_whole,
            "is_dry_run": self.is_dry_run,
            "messages": self.messages,
            "missing_files": self.missing_files,
            "left_out": self.left_out,
            "marks_left_out": self.marks_left_out,
            "counts": {outcome.value: self.counts[outcome] for outcome in ImportOutcome},
            "notes": self.all_notes,
            "memories": [{"text": each.text, "project": each.project} for each in self.memories],
            "memories_taken": self.memories_taken,
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


def _line_text(line: ImportLine) -> str:
    outcome, reason = OUTCOME_TEXTS[line.outcome], line.reason
    if not line.messages:
        return (
            Text("{outcome}: {title} ({reason})", outcome=outcome, title=line.title, reason=reason)
            if reason
            else Text("{outcome}: {title}", outcome=outcome, title=line.title)
        )
    messages = plural("{count} messages", "{count} message", line.messages)
    return (
        Text(
            "{outcome}: {title} ({messages}; {reason})",
            outcome=outcome,
            title=line.title,
            messages=messages,
            reason=reason,
        )
        if reason
        else Text("{outcome}: {title} ({messages})", outcome=outcome, title=line.title, messages=messages)
    )
