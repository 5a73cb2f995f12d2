"""Implements the use cases of a model's changes to files of a project's folder: propose, review, apply, reject, undo. A
person does all but the first; nothing here is done for a row of the database."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.artifacts.differences import Difference, line_difference
from chatdesk.core.domain.artifacts.file_change import ChangeKind, ChangeState, FileChange
from chatdesk.core.errors import ChatDeskError, NotPossible
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.ids import new_id
from chatdesk.core.system.system_errors import reason_text
from chatdesk.core.texts import Text
from chatdesk.core.tools.folder.beneath import FileRefused, names_of
from chatdesk.core.tools.folder.change_records import ChangeRecord, ChangeRecords, with_step
from chatdesk.core.tools.folder.edits import Wanted, changed, typed_over
from chatdesk.core.tools.folder.exchange import (
    exchange,
    read_state,
    remove_folders,
    sum_of,
)
from chatdesk.core.tools.folder.texts import read_text

# A larger difference is too long to review.
_MOST_DIFF_BYTES: Final = 256 * 1024
_LONGEST_LINE: Final = 4_000

# Why a change in each state cannot be applied or undone.
_REASONS: Final[Mapping[ChangeState, str]] = {
    ChangeState.PROPOSED: Text("This change is not applied."),
    ChangeState.APPLIED: Text("This change is already applied."),
    ChangeState.REJECTED: Text("This change was rejected."),
    ChangeState.OUTDATED: Text("The file is no longer the one that this change was made from."),
    ChangeState.CHANGED_SINCE: Text("The file was changed after this change was applied."),
    ChangeState.NO_FOLDER: Text("The project has no folder on this computer, or another one by now."),
    ChangeState.ELSEWHERE: Text("This change was not proposed on this computer, or too long ago."),
}


@dataclass(frozen=True, slots=True)
class Proposed:
    """A change that was proposed just now, and its diff."""

    change: FileChange
    diff: bytes


@dataclass(frozen=True, slots=True)
class Review:
    """All that a person looks through before a change is applied: made from the very bytes that would be written."""

    folder: str
    path: str
    kind: ChangeKind
    state: ChangeState
    diff: str
    added: int
    removed: int
    text: str | None = None  # the new text of the file; None if it cannot be edited


class FileChanges:
    """The use cases of proposed changes of files; ``ToolService.changes`` exposes it. ``folder_of`` returns the folder
    of a project on this computer."""

    def __init__(self, records: ChangeRecords, folder_of: Callable[[str], Path | None], clock: Clock) -> None:
        self._records = records
        self._folder_of = folder_of
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()

    async def propose(self, project_id: str, folder: Path, path: str, wanted: Wanted) -> Proposed:
        """Store a change of one file that a model wants. The file is not touched. Raises ``FileRefused``."""
        return await asyncio.to_thread(self._propose, project_id, folder, path, wanted)

    async def states(self, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ChangeState]:
        """Return the states of changes, each named by its id and the sum of the diff that is shown of it."""
        return await asyncio.to_thread(lambda: {each: self._record_and_state(*each)[1] for each in wanted})

    async def review(self, change_id: str, diff_sum: str) -> Review:
        """Return the review of a change for a person. Raises ``NotPossible`` for a change from elsewhere."""
        return await asyncio.to_thread(self._review, change_id, diff_sum)

    async def apply(self, change_id: str, diff_sum: str, text: str | None = None) -> None:
        """Write a proposed change to its file, or in its place the ``text`` that a person made of it. Raises
        ``NotPossible`` and ``FileRefused``; the file is as it was then."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._apply, change_id, diff_sum, text)

    async def undo(self, change_id: str, diff_sum: str) -> None:
        """Restore the file to its state before a change was applied. Raises as ``apply``."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._undo, change_id, diff_sum)

    async def reject(self, change_id: str, diff_sum: str) -> None:
        """Record that a change is not wanted. Raises ``NotPossible`` for one that is applied or from elsewhere."""
        async with self._one_at_a_time:
            await asyncio.to_thread(self._reject, change_id, diff_sum)

    # In a thread

    def _propose(self, project_id: str, folder: Path, path: str, wanted: Wanted) -> Proposed:
        names = names_of(path)
        if not names:
            raise FileRefused(Text("Name a file."))
        before, _mode = read_state(folder, names)
        after = changed(before, wanted)
        shown = "/".join(names)
        made = _difference(shown, before, after)
        diff = made.text.encode("utf-8", "replace")
        if len(diff) > _MOST_DIFF_BYTES or max(map(len, made.text.split("\n"))) > _LONGEST_LINE:
            raise FileRefused(
                Text("This change is too large to review, or has lines that are too long."),
                next_step=Text("Propose it in smaller steps."),
            )
        record = ChangeRecord(
            new_id(),
            project_id,
            str(folder),
            shown,
            sum_of(before),
            sum_of(after),
            hashlib.sha256(diff).hexdigest(),
            self._clock.now_ms(),
        )
        try:
            self._records.add(record, before, after)
        except OSError as error:
            raise FileRefused(Text("The change could not be kept: {reason}.", reason=reason_text(error))) from error
        return Proposed(FileChange(record.id, shown, _kind(record), made.added, made.removed), diff)

    def _record_and_state(self, change_id: str, diff_sum: str) -> tuple[ChangeRecord | None, ChangeState]:
        """Return a change and its state. After a kill between writing the file and the record, the file decides."""
        record = self._records.find(change_id)
        if record is None or record.diff != diff_sum:
            return None, ChangeState.ELSEWHERE
        if record.step == "rejected":
            return record, ChangeState.REJECTED
        folder = self._folder_of(record.project_id)
        if folder is None or str(folder) != record.folder:
            return record, ChangeState.NO_FOLDER
        try:
            now = sum_of(read_state(folder, names_of(record.path), _token(record))[0])
        except (FileRefused, OSError):
            now = "unreadable"
        if now == record.before:
            return record, ChangeState.PROPOSED
        if now == record.written and record.step != "proposed":
            return record, ChangeState.APPLIED
        return record, ChangeState.CHANGED_SINCE if record.step == "applied" else ChangeState.OUTDATED

    def _review(self, change_id: str, diff_sum: str) -> Review:
        record, state = self._record_and_state(change_id, diff_sum)
        if record is None:
            raise NotPossible(_REASONS[state], safe=Text("No file was changed."))
        try:
            states = [self._records.state(record, after=each) for each in (False, True)]
        except OSError as error:
            raise _damaged() from error
        made = _difference(record.path, *states)
        text = _editable(states[1])
        return Review(record.folder, record.path, _kind(record), state, made.text, made.added, made.removed, text)

    def _apply(self, change_id: str, diff_sum: str, text: str | None) -> None:
        record = self._expect(change_id, diff_sum, ChangeState.PROPOSED)
        names = names_of(record.path)
        try:
            if text is None:
                data = self._records.state(record, after=True)
            else:
                data = typed_over(self._records.state(record, after=False), text)
            edited = "" if text is None else sum_of(data)
            if edited == record.before and text is not None:
                raise NotPossible(Text("The file has this text already."), safe=Text("No file was changed."))
            _before, mode = read_state(Path(record.folder), names, _token(record))
            self._records.save(record := with_step(record, "applying", mode=mode, edited=edited))
        except OSError as error:
            raise _damaged() from error
        try:
            done = exchange(Path(record.folder), names, expected=record.before, data=data, token=_token(record))
        except ChatDeskError:
            self._record(with_step(record, "proposed", edited=""))
            raise
        self._record(with_step(record, "applied", mode=done.mode, made=done.made))

    def _undo(self, change_id: str, diff_sum: str) -> None:
        record = self._expect(change_id, diff_sum, ChangeState.APPLIED)
        names = names_of(record.path)
        try:
            data = self._records.state(record, after=False)
            self._records.save(record := with_step(record, "undoing"))
        except OSError as error:
            raise _damaged() from error
        try:
            exchange(
                Path(record.folder), names, expected=record.written, data=data, token=_token(record), mode=record.mode
            )
        except ChatDeskError:
            self._record(with_step(record, "applied"))
            raise
        if data is None:
            remove_folders(Path(record.folder), names, record.made)
        self._record(with_step(record, "proposed", made=0, edited=""))

    def _reject(self, change_id: str, diff_sum: str) -> None:
        record, state = self._record_and_state(change_id, diff_sum)
        if record is None or state in (ChangeState.APPLIED, ChangeState.CHANGED_SINCE):
            raise NotPossible(_REASONS[state], safe=Text("No file was changed."))
        try:
            self._records.save(with_step(record, "rejected"))
        except OSError as error:
            raise _damaged() from error

    def _expect(self, change_id: str, diff_sum: str, expected: ChangeState) -> ChangeRecord:
        record, state = self._record_and_state(change_id, diff_sum)
        if record is None or state is not expected:
            raise NotPossible(_REASONS[state], safe=Text("No file was changed."))
        return record

    def _record(self, record: ChangeRecord) -> None:
        """Store the step that was done. If that fails, the stored step is the one before, and the file shows the
        rest."""
        with suppress(OSError):
            self._records.save(record)


def _difference(path: str, before: bytes | None, after: bytes | None) -> Difference:
    texts = [None if data is None else (read_text(data) or ("", None))[0] for data in (before, after)]
    return file_difference(path, *texts)


def _editable(after: bytes | None) -> str | None:
    """Return a text that a field shows as it is: none with characters that hide, or with line ends of several kinds."""
    read = None if after is None else read_text(after)
    return None if read is None or visible_controls(read[0]) != read[0] else read[0]


def _kind(record: ChangeRecord) -> ChangeKind:
    if not record.before:
        return ChangeKind.NEW
    return ChangeKind.EDIT if record.after else ChangeKind.DELETE


def _token(record: ChangeRecord) -> str:
    return record.id.replace("-", "")


def _damaged() -> NotPossible:
    return NotPossible(
        Text("The files that are kept of this change cannot be read or written."),
        safe=Text("No file was changed."),
        next_step=Text("Ask the model to propose it again."),
    )


_NO_END: Final = "\\ No newline at end of file"


def file_difference(path: str, before: str | None, after: str | None) -> Difference:
    """Return the difference between the texts of a file, with a head; None stands for a file that is not there."""
    found = line_difference(_lines(before), _lines(after))
    head = (
        f"--- {'/dev/null' if before is None else f'a/{path}'}\n+++ {'/dev/null' if after is None else f'b/{path}'}\n"
    )
    return Difference(head + found.text, found.added, found.removed, found.is_rough)


def _lines(text: str | None) -> list[str]:
    """Return the lines of a text with their ends; a last line without one is followed by a remark on that."""
    if not text:
        return []
    lines = [f"{line}\n" for line in text.split("\n")]
    if lines[-1] == "\n":
        return lines[:-1]
    return [*lines[:-1], f"{lines[-1]}{_NO_END}\n"]
