"""The sections of tool calls: each in a line of words above its details, finished ones in one line together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from chatdesk.core.domain.message import Part
from chatdesk.core.domain.tools import CALL_STATUS_TEXTS, PROGRESS, CallStatus
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.rendering.blocks import CodeBlock
from chatdesk.core.texts import plural, shown, tr
from chatdesk.ui.local_forms import decimal_text
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.messages.call_words import call_words, exact_name
from chatdesk.ui.transcript.messages.reasoning_section import ReasoningSection
from chatdesk.ui.transcript.messages.section import Section, fold_of

_LONGEST: Final = 400_000
# States that are beside a call; that it is done, its mark says.
_TOLD_STATES: Final = frozenset(CallStatus) - {CallStatus.DONE}


class ToolSection(Section):
    """A tool's call and, once it is there, its result."""

    def __init__(self, part: Part | None, index: int) -> None:
        super().__init__(index)
        self._arguments: list[str] = []
        self._name = ""
        self._result: Part | None = None
        self.is_shown = True
        self.duration_ms: int | None = None
        self.status: CallStatus | None = None
        self._fold = FoldItem(f"tool-{index}", tr("Tool"), icon="terminal")
        if part is not None:
            self._show_call(part)
        self.update_items()

    @property
    def is_finished(self) -> bool:
        """Return whether the call has its result and nothing is left to say about it but that it was made."""
        return self._result is not None and self.status in (None, CallStatus.DONE, CallStatus.FAILED)

    @property
    def is_done(self) -> bool:
        return self._fold.is_done

    def append(self, delta: str) -> None:
        self._arguments.append(delta)

    def set_result(self, part: Part) -> None:
        self._result = part
        self._fold.is_done = part.content.get("status") in (None, CallStatus.DONE.value)
        self._set_duration(part)
        self.update_items()

    def hide(self) -> None:
        """Show no line, because a card below shows what the call proposed."""
        self.is_shown = not self.is_done
        self.update_items()

    def _show_call(self, part: Part) -> None:
        arguments = str(part.content.get("arguments", ""))
        if arguments:
            self._arguments = [arguments]
        self._name = exact_name(part)
        self._fold.label = call_words(part)
        self._set_duration(part)
        status = part.content.get("status")
        self.status = CallStatus(status) if status in set(CallStatus) else None
        if self.status in _TOLD_STATES:
            progress = clean_line(str(part.content.get(PROGRESS, "")))
            self._fold.aside = " · ".join(filter(None, (shown(CALL_STATUS_TEXTS[self.status]), progress)))

    def _set_duration(self, part: Part) -> None:
        if part.tool_duration_ms is not None:
            self.duration_ms = part.tool_duration_ms
            self._fold.aside = self._fold.aside or tenths(part.tool_duration_ms)

    def update_items(self) -> None:
        self.items = [self._fold] if self.is_shown else []
        if self.is_shown and self._fold.is_open:
            self.items.append(_code("".join(self._arguments), "arguments", remark=self._name))
            if self._result is not None:
                self.items.append(_code(self._result.text, "result"))


class StepsSection(Section):
    """Finished calls that follow one another, with what was thought between them, below one line."""

    def __init__(self, sections: Sequence[Section]) -> None:
        super().__init__(sections[0].index)
        self._sections = tuple(sections)
        calls = [each for each in sections if isinstance(each, ToolSection) and each.is_shown]
        failed = sum(not each.is_done for each in calls)
        label = shown(plural("{count} steps", "{count} step", len(calls)))
        self._fold = FoldItem(f"steps-{self.index}", label)
        duration_ms = sum(each.duration_ms or 0 for each in calls)
        told = (
            shown(plural("{count} failed", "{count} failed", failed)) if failed else "",
            tenths(duration_ms) if duration_ms else "",
        )
        self._fold.set_progress(" · ".join(filter(None, told)), is_done=not failed)
        self.update_items()

    @property
    def is_open(self) -> bool:
        return self._fold.is_open

    def inner(self) -> Sequence[Section]:
        return self._sections

    def update_items(self) -> None:
        self.items = [self._fold]
        if self._fold.is_open:
            for section in self._sections:
                section.update_items()
                self.items += section.items

    def keep_open(self, before: Section) -> None:
        if isinstance(before, StepsSection):
            self.keep_open_all({each.index: each for each in before.inner()}, was_open=before.is_open)

    def keep_open_all(self, before: Mapping[int, Section], *, was_open: bool = False) -> None:
        """Be open if these steps were, or if one of ``before``, the sections by their places, was: nothing that
        somebody reads is folded away."""
        for section in self._sections:
            if section.index in before:
                section.keep_open(before[section.index])
        folds = (fold_of(each) for each in self._sections)
        self._fold.is_open = was_open or any(each is not None and each.is_open for each in folds)
        self.update_items()


def with_folded_steps(sections: Sequence[Section]) -> list[Section]:
    """Return the sections with each run of two or more finished calls as one."""
    made: list[Section] = []
    run: list[Section] = []

    def end_run() -> None:
        calls = [place for place, each in enumerate(run) if isinstance(each, ToolSection)]
        last = calls[-1] + 1 if calls else 0
        if sum(each.is_shown for each in run if isinstance(each, ToolSection)) > 1:
            made.append(StepsSection(run[:last]))
        else:
            made.extend(run[:last])
        made.extend(run[last:])
        run.clear()

    for section in sections:
        if (isinstance(section, ToolSection) and section.is_finished) or (
            run and isinstance(section, ReasoningSection)
        ):
            run.append(section)
        else:
            end_run()
            made.append(section)
    end_run()
    return made


def tenths(milliseconds: int) -> str:
    """Return a duration in seconds with one decimal."""
    return tr("{seconds} s", seconds=decimal_text(milliseconds / 1000, 1))


def _code(text: str, what: str, *, remark: str = "") -> CodeItem:
    item = CodeItem(CodeBlock(what, text[:_LONGEST], (), remark=remark))
    item.is_of_answer = False
    return item
