"""Lists the sources of an answer: the web pages behind its tools' results, and the passages of the person's own files,
as a numbered list of links.

They are stored with the results, and so also come from other members, imports and backups: all of them are untrusted. A
link that may hide its target is left out, and a title is one line whose hidden characters are spelt out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from chatdesk.core.domain.message import Part, PartType
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.links import is_passage_link
from chatdesk.core.rendering.blocks import Block, Paragraph, Placement, Span
from chatdesk.core.rendering.misleading_links import spelt_host
from chatdesk.core.rendering.safety import is_safe_link, link_host
from chatdesk.core.texts import shortened

# The name of the list in the content of a result's part.
SOURCES: Final = "sources"
MOST_OF_A_RESULT: Final = 20
_MOST, _HIGHEST = 200, 9_999
_NAMING = frozenset((PartType.TOOL_RESULT, PartType.TEXT))
_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Source:
    """A web page, or a passage of a file, under the number by which the answer may name it. ``url`` is safe to open."""

    number: int
    title: str
    url: str

    @property
    def host(self) -> str:
        """The host as the network sees it, whatever the title says; empty for a file."""
        return "" if is_passage_link(self.url) else spelt_host(link_host(self.url).lower())

    def as_content(self) -> dict[str, Any]:
        """Return it as the content of a part has it."""
        return {"number": self.number, "title": self.title, "url": self.url}


def source_of(number: int, title: str, url: str) -> Source | None:
    """Return the source, None if its address is not one that may be opened."""
    is_page = url.lower().startswith(("https://", "http://")) and is_safe_link(url)
    if not is_page and not is_passage_link(url):
        return None
    shown = shortened(visible_controls(" ".join(title.split())), _LONGEST_TITLE)
    return Source(number, shown or url, url)


def numbered(pages: Iterable[tuple[str, str]]) -> Iterator[Source]:
    """Yield sources from titles and addresses, under the numbers that they have by their order, from 1."""
    for number, (title, url) in enumerate(pages, 1):
        source = source_of(number, title, url)
        if source is not None:
            yield source


def sources_of(parts: Iterable[Part]) -> tuple[Source, ...]:
    """Return the sources of a message by their numbers; the first one has a number, and an address. Results of tools
    name sources, and so do vendors, with the text."""
    found: dict[int, Source] = {}
    places: set[str] = set()
    for part in parts:
        rows = part.content.get(SOURCES) if part.type in _NAMING else None
        for row in rows[:_MOST] if isinstance(rows, list | tuple) else ():
            source = _read(row)
            if source is None or source.url in places or len(found) >= _MOST:
                continue
            if source.number in found:  # a vendor counts its own pages, whatever tools found before
                source = replace(source, number=max(found) + 1)
            found[source.number] = source
            places.add(source.url)
    return tuple(found[number] for number in sorted(found))


def _read(row: object) -> Source | None:
    if not isinstance(row, Mapping):
        return None
    number, title, url = row.get("number"), row.get("title"), row.get("url")
    is_number = isinstance(number, int) and not isinstance(number, bool) and 0 < number <= _HIGHEST
    if not is_number or not isinstance(title, str) or not isinstance(url, str):
        return None
    assert isinstance(number, int)
    return source_of(number, title[: 4 * _LONGEST_TITLE], url)


def source_blocks(sources: Iterable[Source]) -> tuple[Block, ...]:
    """Return the list that is below an answer: a link for each source, and its true host."""
    lines = tuple(Paragraph(_spans_of(each), Placement(1, marker=f"{each.number}.")) for each in sources)
    return (Paragraph((Span("Sources", is_bold=True),)), *lines) if lines else ()


def _spans_of(source: Source) -> tuple[Span, ...]:
    link = Span(source.title, href=source.url)
    return (link, Span(f" · {source.host}")) if source.host else (link,)
