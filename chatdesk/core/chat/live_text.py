"""Tracks the text of a streaming answer: received, shown and stored. Pure.

Showing and storing both lag behind receiving, each at its own pace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from chatdesk.core.attachments.answer_pictures import AnswerPicture
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.knowledge import FilesOutcome
from chatdesk.core.domain.message import FILE_PARTS, Message, Part, PartType
from chatdesk.core.domain.tools import PROGRESS, CallStatus
from chatdesk.core.domain.turn import StreamChunk
from chatdesk.core.ids import new_id
from chatdesk.core.providers.base import (
    CallChanged,
    ReasoningDelta,
    ResultArrived,
    SourcesNamed,
    TextDelta,
    ToolCallDelta,
)
from chatdesk.core.rendering.sources import FILES, SOURCES, numbered

Delta = TextDelta | ReasoningDelta | AnswerPicture | ToolCallDelta | CallChanged | ResultArrived | SourcesNamed


class LiveText:
    """Collects the deltas of one turn. ``existing`` are the parts that the answer already has when it is continued;
    ``now_ms`` gives the time at which a part begins, which is when the one before it ends."""

    def __init__(self, existing: Sequence[Part] = (), *, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._began_at: dict[int, int] = {}
        self._ended_at: dict[int, int] = {}
        self._base = tuple(sorted(existing, key=lambda part: part.index))
        self._first_index = self._base[-1].index + 1 if self._base else 0
        self._current: tuple[PartType, int | None] | None = None
        self._index = self._first_index - 1
        self._kinds: dict[int, PartType] = {}
        self._tool_parts: dict[int, int] = {}
        self._picture_parts: dict[str, int] = {}
        self._meta: dict[int, dict[str, Any]] = {}
        self._progress: dict[int, str] = {}
        self._shown: dict[int, list[str]] = {}
        self._to_show: list[StreamChunk] = []
        self._to_store: list[StreamChunk] = []
        self._step = max((part.step_index for part in self._base), default=0)
        self._changes = 0
        for part in self._base:
            if part.type is PartType.TOOL_CALL:  # which may still change: a person is asked about it again
                self._tool_parts[len(self._tool_parts)] = part.index
                status = {"status": part.content["status"]} if "status" in part.content else {}
                self._meta[part.index] = {"name": part.tool_name, "call_id": part.tool_call_id, "content": status}
        self.has_text = False
        self.has_received = False
        if self._base and self._base[-1].type is PartType.TEXT:
            # A continued answer goes on in the same text part.
            self._index = self._base[-1].index
            self._kinds[self._index] = PartType.TEXT
            self._meta[self._index] = {}
            self._current = (PartType.TEXT, None)

    def start_step(self, step: int) -> None:
        """Start the parts of another request of the same answer; text continues in a new part."""
        self._step = step
        self._current = None

    def add(self, delta: Delta) -> None:
        """Add one delta. A change of kind, or another tool call, opens the next part."""
        self.has_received = True
        if isinstance(delta, CallChanged) and PROGRESS in delta.content:
            self._progress[self._tool_parts[delta.index]] = str(delta.content[PROGRESS])
            self._changes += 1
            return
        if isinstance(delta, ToolCallDelta):
            index = self._tool_part(delta)
            meta = self._tool_meta(index, delta)
            chunk = StreamChunk(index, PartType.TOOL_CALL, delta.arguments, meta, self._began_at.get(index))
        elif isinstance(delta, CallChanged):
            chunk = self._change_call(delta)
        elif isinstance(delta, ResultArrived):
            chunk = self._add_result(delta)
        elif isinstance(delta, AnswerPicture):
            chunk = self._add_picture(delta)
        elif isinstance(delta, SourcesNamed):
            chunk = self._add_sources(delta)
        else:
            if not delta.text:
                return
            kind = PartType.TEXT if isinstance(delta, TextDelta) else PartType.REASONING
            self.has_text = self.has_text or kind is PartType.TEXT
            index = self._part_of(kind, None)
            chunk = StreamChunk(index, kind, delta.text, dict(self._meta[index]), self._began_at.get(index))
        files = [self._add_file(each, delta) for each in delta.files] if isinstance(delta, ResultArrived) else []
        self._to_show += [chunk, *files]
        self._to_store += [chunk, *files]

    def drain_to_show(self) -> list[StreamChunk]:
        """Return the pieces received since the last call, neighbours joined, and count them as shown."""
        chunks = _joined(self._to_show)
        self._to_show.clear()
        for chunk in chunks:
            self._shown.setdefault(chunk.part_index, []).append(chunk.text)
        return chunks

    @property
    def news_count(self) -> int:
        """The number of parts of this turn that are finished, and of changes of its calls and pictures."""
        return len(self._ended_at) + self._changes

    def peek_to_store(self) -> tuple[list[StreamChunk], int]:
        """Return the chunks that are not stored yet, joined, and the number for ``mark_stored`` once they are."""
        return _joined(self._to_store), len(self._to_store)

    def mark_stored(self, count: int) -> None:
        del self._to_store[:count]

    def overlay(self, message: Message) -> Message:
        """Return ``message`` with the text that was shown so far in place of what storage happened to hold."""
        parts = {part.index: part for part in self._base}
        for index, pieces in self._shown.items():
            text = "".join(pieces)
            base = parts.get(index)
            if base is not None and base.type is PartType.TOOL_CALL:
                parts[index] = replace(base, content={**base.content, **self._meta[index].get("content", {})})
            elif base is not None:
                parts[index] = replace(base, content={**base.content, "text": base.text + text})
            else:
                parts[index] = self._new_part(message.id, index, text)
        for index, words in self._progress.items():
            if index in parts:
                parts[index] = replace(parts[index], content={**parts[index].content, PROGRESS: words})
        return replace(message, parts=tuple(parts[index] for index in sorted(parts)))

    def _new_part(self, message_id: str, index: int, text: str) -> Part:
        kind, meta = self._kinds[index], self._meta.get(index, {})
        content: Mapping[str, Any] = {"text": text, **meta.get("content", {})}
        if kind in FILE_PARTS:
            content = meta["content"]
        elif kind is PartType.TOOL_CALL:
            content = {"name": meta.get("name", ""), "arguments": text, **meta.get("content", {})}
        return Part(
            id=new_id(),
            message_id=message_id,
            index=index,
            type=kind,
            content=content,
            tool_name=meta.get("name"),
            tool_call_id=meta.get("call_id"),
            tool_duration_ms=meta.get("duration_ms"),
            step_index=meta.get("step", 0),
            started_at=self._began_at.get(index),
            completed_at=self._ended_at.get(index),
        )

    def _part_of(self, kind: PartType, tool_index: int | None) -> int:
        if self._current != (kind, tool_index):
            now_ms = self._now_ms()
            if self._index in self._began_at:
                self._ended_at[self._index] = now_ms
            self._index += 1
            self._began_at[self._index] = now_ms
            self._current = (kind, tool_index)
            self._kinds[self._index] = kind
            self._meta[self._index] = {"step": self._step} if self._step else {}
        return self._index

    def _change_call(self, change: CallChanged) -> StreamChunk:
        index = self._tool_parts[change.index]
        self._progress.pop(index, None)
        meta = self._meta[index]
        meta["content"] = {**meta.get("content", {}), **change.content}
        self._changes += 1
        return StreamChunk(index, PartType.TOOL_CALL, "", dict(meta), self._began_at.get(index))

    def _add_result(self, result: ResultArrived) -> StreamChunk:
        index = self._part_of(PartType.TOOL_RESULT, result.index)
        self._meta[index] |= {"name": result.name, "call_id": result.call_id, "content": dict(result.content)}
        if result.duration_ms is not None:
            self._meta[index]["duration_ms"] = result.duration_ms
        self._changes += 1
        return StreamChunk(index, PartType.TOOL_RESULT, result.text, dict(self._meta[index]), self._began_at.get(index))

    def _add_file(self, file: Attachment, result: ResultArrived) -> StreamChunk:
        kind = PartType.IMAGE if file.is_image else PartType.FILE
        self._current = None  # each file is a part of its own
        index = self._part_of(kind, None)
        content = {**file.as_content(), **result.about.get(file.sha256, {})}
        self._meta[index] |= {"call_id": result.call_id, "content": content}
        return StreamChunk(index, kind, "", dict(self._meta[index]), self._began_at.get(index))

    def _add_picture(self, picture: AnswerPicture) -> StreamChunk:
        """Start the part of a picture, or update it with the received state."""
        if picture.item not in self._picture_parts:
            self._current = None  # each picture is a part of its own
            self._picture_parts[picture.item] = self._part_of(PartType.IMAGE, None)
        index = self._picture_parts[picture.item]
        self._meta[index]["content"] = picture.content
        self._changes += 1
        return StreamChunk(index, PartType.IMAGE, "", dict(self._meta[index]), self._began_at.get(index))

    def _add_sources(self, named: SourcesNamed) -> StreamChunk:
        """Store the web pages that the vendor named, or the passages that were sent, with the text that refers to
        them."""
        index = self._part_of(PartType.TEXT, None)
        known = self._meta[index].get("content", {})
        added = [each.as_content() for each in numbered((each.title, each.url) for each in named.sources)]
        content = {**known, SOURCES: [*known.get(SOURCES, []), *added]}
        if named.files_outcome is not None and named.files_outcome is not FilesOutcome.FOUND:
            content[FILES] = named.files_outcome.value
        self._meta[index]["content"] = content
        self._changes += 1
        return StreamChunk(index, PartType.TEXT, "", dict(self._meta[index]), self._began_at.get(index))

    def end_calls(self, *, running: CallStatus, waiting: CallStatus) -> None:
        """Set the final state of the calls that still run or wait, because the answer ends before them."""
        states = {CallStatus.RUNNING.value: running.value, CallStatus.WAITING.value: waiting.value}
        for number, index in self._tool_parts.items():
            status = self._meta[index].get("content", {}).get("status")
            if status in states and states[status] != status:
                self.add(CallChanged(number, {"status": states[status]}))

    def _tool_part(self, delta: ToolCallDelta) -> int:
        if delta.index not in self._tool_parts:
            self._tool_parts[delta.index] = self._part_of(PartType.TOOL_CALL, delta.index)
        return self._tool_parts[delta.index]

    def _tool_meta(self, index: int, delta: ToolCallDelta) -> dict[str, Any]:
        meta = self._meta.setdefault(index, {})
        if delta.name:
            meta["name"] = delta.name
        if delta.call_id:
            meta["call_id"] = delta.call_id
        return dict(meta)


def _joined(chunks: Sequence[StreamChunk]) -> list[StreamChunk]:
    """Join neighbouring chunks of one part into one."""
    runs: list[tuple[StreamChunk, list[str]]] = []
    for chunk in chunks:
        if runs and runs[-1][0].part_index == chunk.part_index:
            first, pieces = runs[-1]
            pieces.append(chunk.text)
            if chunk.meta and chunk.meta != first.meta:
                runs[-1] = (replace(first, meta=chunk.meta), pieces)
        else:
            runs.append((chunk, [chunk.text]))
    return [replace(first, text="".join(pieces)) for first, pieces in runs]
