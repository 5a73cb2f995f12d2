"""Parses Markdown as models write it into blocks.

markdown-it-py with raw HTML off and rules of our own. Hostile input is the normal case: every limit here turns
structure into text and loses none of it. Most processes never parse: only those that do import this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from chatdesk.core.rendering.block_builder import BlockBuilder
from chatdesk.core.rendering.block_rules import install_block_rules
from chatdesk.core.rendering.blocks import Block
from chatdesk.core.rendering.footnotes import place_notes
from chatdesk.core.rendering.inline_rules import install_inline_rules
from chatdesk.core.rendering.plain_text import is_too_long, plain_blocks
from chatdesk.core.rendering.safety import SAFE_SCHEMES, has_scheme, is_safe_link


class References(dict[str, Any]):
    """Link definitions by label. Unknown labels that are asked for go into ``missed``: a definition may follow in a
    stream."""

    def __init__(self, known: dict[str, Any], missed: set[str]) -> None:
        super().__init__(known)
        self._missed = missed

    def get(self, label: str, default: Any = None) -> Any:
        found = super().get(label, default)
        if found is None:
            self._missed.add(label)
        return found


@dataclass(slots=True)
class ParsedText:
    """A parsed text with the state that a stream needs to continue from it."""

    tokens: list[Token]
    env: dict[str, Any]

    @property
    def references(self) -> dict[str, Any]:
        return dict(self.env["references"])

    @property
    def footnotes(self) -> set[str]:
        return {label[1:] for label in self.env["footnotes"]["refs"]}


@cache
def parser() -> MarkdownIt:
    """Return the parser, built once in a process."""
    md = MarkdownIt("commonmark", {"html": False, "maxNesting": 46, "strikethrough_single_tilde": True})
    md.enable("strikethrough")
    install_block_rules(md)
    install_inline_rules(md)
    md.validateLink = _is_link_kept  # type: ignore[method-assign]
    return md


def _is_link_kept(url: str) -> bool:
    """Return whether the parser makes a link of ``url``. Links with a scheme that may not be opened stay as they were
    written; those without one (paths) become words."""
    return not has_scheme(url) or is_safe_link(url) or url.lower().startswith(tuple(f"{s}:" for s in SAFE_SCHEMES))


def clean_source(text: str) -> str:
    """Return ``text`` with line ends as ``\\n``, and NUL and lone surrogates as U+FFFD."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.replace("\0", "\ufffd")
    return text.encode("utf-8", "replace").decode() if _has_surrogate(text) else text


def _has_surrogate(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def parse_source(
    source: str,
    *,
    references: dict[str, Any],
    footnotes: set[str],
    note_numbers: dict[str, int],
    missed: set[str],
    is_live: bool = False,
    is_tail: bool = False,
) -> ParsedText:
    """Parse clean ``source`` that knows definitions and marks from earlier text. Undefined labels go into ``missed``;
    marks met when blocks are built go into ``note_numbers``. ``is_live`` is true while more text is coming; ``is_tail``
    if it comes right behind ``source``, so that the beginning of a table or a formula is parsed as one already."""
    env: dict[str, Any] = {
        "references": References(references, missed),
        "footnotes": {"refs": {":" + label: -1 for label in footnotes}, "list": {}},
        "note_numbers": note_numbers,
        "missed": missed,
        "is_live": is_live,
        "is_tail": is_tail,
    }
    return ParsedText(parser().parse(source, env), env)


def parse_markdown(text: str) -> tuple[Block, ...]:
    """Return the blocks of ``text``. A text longer than a mebibyte becomes plain paragraphs."""
    if is_too_long(text):
        return plain_blocks(text)
    numbers: dict[str, int] = {}
    parsed = parse_source(clean_source(text), references={}, footnotes=set(), note_numbers=numbers, missed=set())
    builder = BlockBuilder(parser(), parsed.env)
    blocks = builder.build(parsed.tokens)
    return (*blocks, *place_notes(builder.notes, numbers)) if builder.notes else blocks
