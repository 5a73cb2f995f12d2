"""Makes the sections of tool calls: each in a line of words above its details, finished ones in one line together.
Tools of ChatDesk have words of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from chatdesk.core.domain.message import Part
from chatdesk.core.domain.tools import CALL_STATUS_TEXTS, FIND_TOOLS, PROGRESS, CallStatus
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.rendering.blocks import CodeBlock
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.local_forms import decimal_text
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.messages.section import ReasoningSection, Section, fold_of

_LONGEST: Final = 400_000
# States that are beside a call; that it is done, its mark says.
_TOLD_STATES: Final = frozenset(CallStatus) - {CallStatus.DONE}
_LONGEST_READ: Final = 20_000
_ENDED_STATES: Final = frozenset({CallStatus.DONE, CallStatus.FAILED})
# By server and tool: the words before and after the call, and the argument that names its object.
OWN_WORDS: Final[Mapping[tuple[str, str], tuple[Text, Text, str]]] = {
    ("chatdesk-web", "search_web"): (Text("Search the web"), Text("Searched the web: {what}"), "query"),
    ("chatdesk-web", "read_web_page"): (Text("Read a web page"), Text("Read {what}"), "address"),
    ("chatdesk-chats", "search_chats"): (
        Text("Search your earlier threads"),
        Text("Searched your threads: {what}"),
        "query",
    ),
    ("chatdesk-chats", "read_chat"): (Text("Read an earlier thread"), Text("Read an earlier thread"), ""),
    ("chatdesk-chats", "read_chat_file"): (Text("Read a file of an earlier thread"), Text("Read {what}"), "name"),
    ("chatdesk-folder", "list_folder"): (
        Text("List a folder of the project"),
        Text("Looked into the folder {what}"),
        "path",
    ),
    ("chatdesk-folder", "find_files"): (Text("Find files of the project"), Text("Looked for files: {what}"), ""),
    ("chatdesk-folder", "read_file"): (Text("Read a file of the project"), Text("Read {what}"), "path"),
    ("chatdesk-folder", "propose_change"): (
        Text("Propose a change to a file of the project"),
        Text("Proposed a change to {what}"),
        "path",
    ),
}


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
        """Show no line, because the card of the proposal is below."""
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
    """Successive finished calls, with the reasoning between them, below one line."""

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
        """Be open if these steps were, or if one of ``before``, the sections by their places, was: a section that a
        person reads is never folded away."""
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


def call_words(part: Part) -> str:
    """Return the line of a call, in the past tense once the call has ended."""
    content = part.content
    name = clean_line(part.tool_name or str(content.get("name", ""))) or tr("Tool")
    if FIND_TOOLS in (content.get("name"), part.tool_name):
        return tr("Looked for a tool")
    arguments = _arguments(content)
    hint = _first(arguments)
    server, tool = content.get("server"), clean_line(str(content.get("tool", ""))) or tr("Tool")
    if not isinstance(server, str) or not server:
        return _joined(name, hint)
    is_ended = content.get("status") in _ENDED_STATES
    own = OWN_WORDS.get((str(content.get("server_id", "")), str(content.get("tool", ""))))
    if own is not None:
        words = _own_words(own, _shortened(arguments.get(own[2])) if own[2] else hint, is_ended=is_ended)
    elif is_ended:
        words = tr("Asked {server}: {what}", server=clean_line(server), what=_joined(tool.replace("_", " "), hint))
    else:
        words = _joined(tr("{tool} of {server}", tool=tool, server=clean_line(server)), hint)
    problem = content.get("error")
    return f"{words}: {clean_line(problem)}" if isinstance(problem, str) and problem else words


def exact_name(part: Part) -> str:
    """Return the name of a call's tool as the model wrote it."""
    return clean_line(str(part.content.get("tool") or part.tool_name or part.content.get("name") or ""))


def _own_words(own: tuple[Text, Text, str], what: str, *, is_ended: bool) -> str:
    will, did, _argument = own
    if not is_ended:
        return _joined(shown(will), what)
    return shown(did.filled(what=what)) if what or "{what}" not in did else shown(will)


def _arguments(content: Mapping[str, Any]) -> Mapping[str, Any]:
    arguments = str(content.get("arguments", ""))
    if len(arguments) > _LONGEST_READ:
        return {}
    try:
        read = json.loads(arguments)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


def _first(arguments: Mapping[str, Any]) -> str:
    """Return the first value of a call's arguments, which is enough to tell calls apart."""
    return next(filter(None, map(_shortened, arguments.values())), "")


def _shortened(value: object) -> str:
    return clean_line(" ".join(str(value)[:80].split())) if isinstance(value, str | int | float) else ""


def _joined(*words: str) -> str:
    return " · ".join(filter(None, words))
