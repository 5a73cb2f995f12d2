"""Parses and expands templates: text with ``{{variables}}``. Pure; the values come from the caller.

    {{date}}  {{date:%d %B %Y}}  {{time}}     parts as in strftime
    {{clipboard}} {{selection}} {{project}} {{model}} {{thread}}
    {{topic}}  {{topic:default}}  {{tone|formal|casual}}     fields that are asked for
    \\{{                                       two braces that mean nothing

What is malformed is told as a problem and stays as it is written, so that no text is ever refused. What a variable
brings is never read for variables itself. Reading is linear in the length of the text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from chatdesk.core.clock import Clock
from chatdesk.core.domain.context import ContextFrame
from chatdesk.core.moments import local_moment
from chatdesk.core.storage.chat.projects import ProjectRepository
from chatdesk.core.texts import Sentences, Text

BUILT_IN: Final = ("date", "time", "clipboard", "selection", "project", "model", "thread")
# Variables with a value wherever a thread is answered, even without a window.
IN_SYSTEM_PROMPT: Final = ("date", "time", "project", "model")
_MOMENTS: Final = {"date": "%Y-%m-%d", "time": "%H:%M"}

MOST_FIELDS = 20
MOST_CHOICES = 30
LONGEST_VALUE = 100_000
LONGEST_RESULT = 1_000_000
_LONGEST_VARIABLE = 2_000
_LONGEST_NAME = 40
_LONGEST_FORMAT = 60
_MOST_PROBLEMS = 20

_MARK = re.compile(r"\\\{\{|\{\{")
_NAME = re.compile(r"[^\W\d_][\w-]*(?: [\w-]+)*")
_FORMAT = re.compile(r"(?:[^%]|%[aAbBdmyYHIMSpjUVGu%])*")
_ALIKE = 0.8


_NOT_CLOSED: Final = Text("These braces are not closed. Write }} after the name, or a backslash before mere braces.")
_NO_NAME: Final = Text("A variable needs a name between its braces.")
_WRONG_NAME: Final = Text(
    "A name begins with a letter and has letters, digits, spaces, - and _ only. It is inserted as it is written."
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable in a template. ``name`` is normalised for comparing; ``format`` is that of a date or time."""

    name: str
    written: str
    is_field: bool
    format: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """A field that the person fills in. ``name`` is normalised for comparing, ``label`` as first written; the value is
    one of ``choices`` where there are any."""

    name: str
    label: str
    default: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A warning about something that is probably not meant; line and column count from 1. The text works anyway."""

    line: int
    column: int
    text: str

    @property
    def sentence(self) -> str:
        return Text("Line {line}, column {column}: {problem}", line=self.line, column=self.column, problem=self.text)


@dataclass(frozen=True, slots=True)
class Template:
    pieces: tuple[str | Variable, ...]
    fields: tuple[Field, ...]
    problems: tuple[Problem, ...]

    def needs(self, name: str) -> bool:
        """Return whether a built-in variable occurs in the template."""
        return any(isinstance(each, Variable) and not each.is_field and each.name == name for each in self.pieces)


@dataclass(frozen=True, slots=True)
class Expanded:
    """The expanded text, and sentences about parts that were cut."""

    text: str
    notes: tuple[str, ...] = ()


def read_template(text: str, *, is_system: bool = False) -> Template:
    """Parse a template. ``is_system``: a system prompt, in which only the variables of ``IN_SYSTEM_PROMPT`` have a
    meaning."""
    return _Reader(text, is_system=is_system).read()


def moment_values(template: Template, now: datetime) -> dict[str, str]:
    """Return the values of a template's dates and times, by how they are written."""
    variables = (each for each in template.pieces if isinstance(each, Variable))
    return {each.written: now.strftime(each.format) for each in variables if each.format}


def expand(template: Template, values: Mapping[str, str], now: datetime) -> Expanded:
    """Replace variables and fields by ``values``, which has their names as keys; a missing one becomes empty. A value
    and the whole are cut at ``LONGEST_VALUE`` and ``LONGEST_RESULT`` characters, and the notes say so."""
    moments = moment_values(template, now)
    notes: dict[str, str] = {}
    made: list[str] = []
    room = LONGEST_RESULT
    for piece in template.pieces:
        if isinstance(piece, Variable):
            value = moments[piece.written] if piece.format else values.get(piece.name, "")
            if len(value) > LONGEST_VALUE:
                notes[piece.name] = Text(
                    "{variable} has {count} characters; the first {kept} were inserted.",
                    variable=_braces(piece.name),
                    count=len(value),
                    kept=LONGEST_VALUE,
                )
                value = value[:LONGEST_VALUE]
        else:
            value = piece
        made.append(value[:room])
        room -= len(made[-1])
        if len(made[-1]) < len(value):
            notes[""] = Text("The text was cut after {count} characters.", count=LONGEST_RESULT)
            break
    return Expanded("".join(made), tuple(notes.values()))


def expand_system_prompt(text: str, values: Mapping[str, str], now: datetime) -> str:
    """Return a system prompt as it is sent."""
    if "{{" not in text:
        return text
    return expand(read_template(text, is_system=True), values, now).text


class _Reader:
    def __init__(self, text: str, *, is_system: bool) -> None:
        self._text = text
        self._is_system = is_system
        self._pieces: list[str | Variable] = []
        self._fields: dict[str, Field] = {}
        self._problems: list[Problem] = []
        self._counted_to = 0  # lines are counted once, on the way
        self._line = 1
        self._line_start = 0

    def read(self) -> Template:
        text, done = self._text, 0
        while (mark := _MARK.search(text, done)) is not None:
            start = mark.start()
            self._literal(text[done:start])
            if mark[0].startswith("\\"):
                self._literal("{{")
                done = mark.end()
                continue
            end = self._end_of(mark.end())
            if end < 0:
                self._problem(start, _NOT_CLOSED)
                self._literal("{{")
                done = mark.end()
                continue
            done = end + 2
            written = text[start:done]
            variable = self._variable(text[mark.end() : end], written, start)
            if variable is None:
                self._literal(written)
            else:
                self._pieces.append(variable)
        self._literal(text[done:])
        return Template(tuple(self._pieces), tuple(self._fields.values()), tuple(self._problems))

    def _end_of(self, start: int) -> int:
        """Return the index of the closing braces, which are on the same line and before others are opened; -1 where
        there are none."""
        last = start + _LONGEST_VARIABLE
        line_end = self._text.find("\n", start, last)
        end = self._text.find("}}", start, last if line_end < 0 else line_end)
        if end < 0 or self._text.find("{{", start, end) >= 0:
            return -1
        return end

    def _variable(self, inner: str, written: str, at: int) -> Variable | None:
        """Return the variable; None where it stays as written, and a problem says why."""
        stop = min((place for place in (inner.find(":"), inner.find("|")) if place >= 0), default=len(inner))
        label, sign, rest = " ".join(inner[:stop].split()), inner[stop : stop + 1], inner[stop + 1 :]
        name = label.casefold()
        if not name:
            self._problem(at, _NO_NAME)
            return None
        if _NAME.fullmatch(label) is None:
            self._problem(at, _WRONG_NAME)
            return None
        if len(label) > _LONGEST_NAME:
            self._problem(
                at,
                Text("A name has at most {count} characters. It is inserted as it is written.", count=_LONGEST_NAME),
            )
            return None
        if name in BUILT_IN:
            return self._built_in(name, sign, rest, written, at)
        return self._field(name, label, sign, rest, written, at)

    def _built_in(self, name: str, sign: str, rest: str, written: str, at: int) -> Variable | None:
        if self._is_system and name not in IN_SYSTEM_PROMPT:
            means = Text("{variable} means nothing in a system prompt.", variable=_braces(name))
            self._problem(at, Sentences.of(means, _what_does()))
            return None
        if name not in _MOMENTS:
            if sign:
                self._problem(
                    at,
                    Text(
                        "{variable} takes nothing after its name, so this is inserted as it is written.",
                        variable=_braces(name),
                    ),
                )
                return None
            return Variable(name, written, is_field=False)
        format_ = rest.strip() if sign else _MOMENTS[name]
        if sign == "|" or not self._is_format(format_):
            example = "{{date:%d %B %Y}}" if name == "date" else "{{time:%H:%M:%S}}"
            self._problem(
                at,
                Text(
                    "This format is not known. Use parts as in {example}, or {variable} alone. It is inserted as it is"
                    " written.",
                    example=example,
                    variable=_braces(name),
                ),
            )
            return None
        return Variable(name, written, is_field=False, format=format_)

    def _is_format(self, format_: str) -> bool:
        is_short = 0 < len(format_) <= _LONGEST_FORMAT
        return is_short and format_.isprintable() and "%" in format_ and _FORMAT.fullmatch(format_) is not None

    def _field(self, name: str, label: str, sign: str, rest: str, written: str, at: int) -> Variable | None:
        if self._is_system:
            if len(self._problems) < _MOST_PROBLEMS:
                alike = _alike(name)
                meant = _did_you_mean(alike) if alike in IN_SYSTEM_PROMPT else ""
                unknown = Text("{variable} is not known in a system prompt.", variable=_braces(label))
                self._problem(at, Sentences.of(unknown, meant, _what_does()))
            return None
        choices: tuple[str, ...] = ()
        if sign == "|":
            choices = tuple(dict.fromkeys(each.strip() for each in rest.split("|") if each.strip()))
            if not choices or len(choices) > MOST_CHOICES:
                self._problem(
                    at,
                    Text(
                        "Write 1 to {count} choices, such as {example}.",
                        count=MOST_CHOICES,
                        example=_braces("tone|formal|casual"),
                    ),
                )
                return None
        if name not in self._fields:
            if len(self._fields) == MOST_FIELDS:
                self._problem(
                    at,
                    Text("A template has at most {count} fields. This one stays as it is written.", count=MOST_FIELDS),
                )
                return None
            if alike := _alike(name):
                asked = Text("{variable} is asked for as a field.", variable=_braces(label))
                self._problem(at, Sentences.of(asked, _did_you_mean(alike)))
            self._fields[name] = Field(name, label)
        known = self._fields[name]
        # The first place that says more than the name decides.
        default = known.default or (rest.strip() if sign == ":" else "")
        self._fields[name] = Field(name, known.label, default, known.choices or choices)
        return Variable(name, written, is_field=True)

    def _literal(self, text: str) -> None:
        if text:
            self._pieces.append(text)

    def _problem(self, at: int, text: str) -> None:
        if len(self._problems) >= _MOST_PROBLEMS:
            return
        self._line += self._text.count("\n", self._counted_to, at)
        self._line_start = self._text.rfind("\n", 0, at) + 1
        self._counted_to = at
        self._problems.append(Problem(self._line, at - self._line_start + 1, text))


def _alike(name: str) -> str:
    """Return the built-in variable that was probably meant; empty when there is none."""
    return next(iter(difflib.get_close_matches(name, BUILT_IN, 1, _ALIKE)), "")


def _braces(name: str) -> str:
    return f"{{{{{name}}}}}"


def _did_you_mean(name: str) -> Text:
    return Text("Did you mean {variable}?", variable=_braces(name))


def _what_does() -> Text:
    return Text(
        "Only {names} are known there; this is sent as it is written.", names=tuple(map(_braces, IN_SYSTEM_PROMPT))
    )


class PromptExpansion:
    """Replaces the variables of system prompts. Costs nothing where no prompt has braces, and one small read where one
    has."""

    def __init__(self, projects: ProjectRepository, clock: Clock) -> None:
        self._projects = projects
        self._clock = clock

    async def of_frame(self, frame: ContextFrame, default: str, model: str) -> tuple[ContextFrame, str]:
        """Return the frame and the default prompt with variables replaced, as of now."""
        if "{{" not in frame.system_prompt and "{{" not in default:
            return frame, default
        expanded = await self.of_text(frame.system_prompt, frame.project_id, model)
        return replace(frame, system_prompt=expanded), await self.of_text(default, frame.project_id, model)

    async def of_text(self, text: str, project_id: str, model: str) -> str:
        if "{{" not in text:
            return text
        values = {"project": (await self._projects.get(project_id)).name, "model": model}
        return expand_system_prompt(text, values, local_time(self._clock))


def local_time(clock: Clock) -> datetime:
    """Return the current time in the local time zone."""
    return local_moment(clock.now_ms())
