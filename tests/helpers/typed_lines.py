"""Texts whose line ends are a person's own, with the lines that each form of them must have, one below the other."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

_FILE: Final = "# Read me\n\n```bash\nmake\n```\n\nand\n\n```json\n{}\n```"
TYPED: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "single breaks": ("Please do:\nAction a\nAction b", ("Please do:", "Action a", "Action b")),
    "indented lines": ("Please do:\n  Action a\n     Action b", ("Please do:", "Action a", "Action b")),
    "blanks at the ends": ("Please do: \nAction a  \nAction b", ("Please do:", "Action a", "Action b")),
    "line ends of Windows": ("Please do:\r\nAction a\r\nAction b", ("Please do:", "Action a", "Action b")),
    "between styles": ("**first**\n*second*\n~~third~~", ("first", "second", "third")),
    "in an item": ("- first\n  second\n  third", ("first", "second", "third")),
    "in a quote": ("> first\n> second\n> third", ("first", "second", "third")),
    **{
        f"a file in a fence of {language}": (
            f"Before\n\n```{language}\n{_FILE}\n```\n\nAfter",
            ("Before", *filter(None, _FILE.split("\n")), "After"),
        )
        for language in ("markdown", "md")
    },
}
_LINES: Final = frozenset({"p", "br", "li", "ul", "ol", "pre", "div", "blockquote", "figure", "article"})


_MARKS: Final = re.compile(r"\A(?:[-•>]\s*)+|[*~]{1,2}|(?<!`)`(?!`)|<br>\Z")


def check_lines(name: str, text: str) -> None:
    """Check that a form of the text has the lines that were typed, each on a line of its own and in order."""
    shown = [_MARKS.sub("", " ".join(line.split())).strip() for line in text.splitlines()]
    rest = iter(shown)
    for line in TYPED[name][1]:
        assert line in rest, f"{line!r} is no line of {shown}"


def text_of_page(page: str) -> str:
    """Return the text of HTML with the ends of lines that it shows."""
    shown = _Shown()
    shown.feed(page)
    return "".join(shown.pieces)


class _Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pieces.append("\n" if tag in _LINES else "")

    def handle_endtag(self, tag: str) -> None:
        self.handle_starttag(tag, [])

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)
