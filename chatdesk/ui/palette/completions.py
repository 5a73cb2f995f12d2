"""The filters that a person may be about to write: pure, from the text before the cursor."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from chatdesk.core.domain.search import HAS_VALUES, IS_VALUES, FilterName

_MEANINGS: Final = {
    FilterName.PROJECT: "in one project",
    FilterName.TAG: "in threads with a tag",
    FilterName.ROLE: "written by you or by the model",
    FilterName.MODEL: "answered by a model",
    FilterName.BEFORE: "before a day: 2026-05-01, yesterday, 7d",
    FilterName.AFTER: "from a day on: 2026-05-01, yesterday, 7d",
    FilterName.HAS: "with code, an image or a file",
    FilterName.IS: "pinned, archived or trashed",
}
_FIXED: Final[Mapping[FilterName, Sequence[str]]] = {
    FilterName.HAS: HAS_VALUES,
    FilterName.IS: IS_VALUES,
    FilterName.ROLE: ("user", "assistant", "system", "tool"),
    FilterName.BEFORE: ("today", "yesterday", "7d", "30d"),
    FilterName.AFTER: ("today", "yesterday", "7d", "30d"),
}
_LAST_WORD = re.compile(r'(?:^|(?<=\s))(-?)(?:(\w+):("?)([^"\s]*|[^"]*)|(\w{2,}))$')
_MOST = 8
HELP: Final = (
    "Narrow with project: tag: role: model: before: after: has: is: and leave out with -word. > lists commands."
)


@dataclass(frozen=True, slots=True)
class Completion:
    """``whole`` is the text with the filter in it, ``shown`` the filter alone."""

    whole: str
    shown: str
    meaning: str = ""


def completions(text: str, names: Mapping[FilterName, Sequence[str]]) -> list[Completion]:
    """``names`` are the projects, tags and models there are."""
    found = _LAST_WORD.search(text)
    if found is None:
        return []
    minus, name, _quote, value, word = found.groups()
    head = text[: found.start()] + minus
    if word is not None:
        wanted = word.casefold()
        return [
            Completion(f"{head}{each}:", f"{minus}{each}:", meaning)
            for each, meaning in _MEANINGS.items()
            if each.value.startswith(wanted)
        ]
    try:
        known = FilterName(name.casefold())
    except ValueError:
        return []
    typed = value.casefold()
    values = [*_FIXED.get(known, ()), *names.get(known, ())]
    fitting = [each for each in values if each.casefold().startswith(typed) and each.casefold() != typed]
    shown = [f"{known}:{_quoted(each)}" for each in fitting[:_MOST]]
    return [Completion(f"{head}{each} ", f"{minus}{each}") for each in shown]


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) else value
