"""Lists the sources of an answer: the web pages behind its tools' results, and the passages of the person's own files,
as a numbered list of links, or a line that says why no file was used.

They are stored with the results, and so also come from other members, imports and backups: all of them are untrusted. A
link that may hide its target is left out, and a title is one line whose hidden characters are spelt out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from chatdesk.core.domain.knowledge import FilesOutcome
from chatdesk.core.domain.message import Part, PartType
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.links import is_passage_link
from chatdesk.core.rendering.blocks import Block, Paragraph, Placement, Span
from chatdesk.core.rendering.misleading_links import spelt_host
from chatdesk.core.rendering.safety import is_safe_link, link_host
from chatdesk.core.texts import Text, shortened, shown

# The names of the list, and of what became of the project's files, in the content of a part.
SOURCES: Final = "sources"
FILES: Final = "project_files"
FILES_SENTENCES: Final[Mapping[str, Text]] = {
    FilesOutcome.NOTHING: Text("Nothing in the files of the project fits this question."),
    FilesOutcome.NO_ROOM: Text("What was found in the files of the project did not fit into the request."),
    FilesOutcome.HELD_BACK: Text("The files of the project were not sent: this provider never gets them."),
}
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


def files_outcome_of(parts: Iterable[Part]) -> str | None:
    """Return a key of ``FILES_SENTENCES`` if the project's files were looked through and nothing was sent. What a tool
    found there later counts."""
    parts = tuple(parts)
    found = [each.content.get(FILES) for each in parts if each.type is PartType.TEXT]
    outcome = next((each for each in reversed(found) if isinstance(each, str) and each in FILES_SENTENCES), None)
    return None if outcome is None or any(is_passage_link(each.url) for each in sources_of(parts)) else outcome


def below_answer(parts: Iterable[Part]) -> tuple[Block, ...]:
    """Return the blocks below an answer: the list of its sources, and why no file of the project is among them."""
    parts = tuple(parts)
    outcome = files_outcome_of(parts)
    line = (Paragraph((Span(shown(FILES_SENTENCES[outcome]), is_italic=True),)),) if outcome is not None else ()
    return (*source_blocks(sources_of(parts)), *line)


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
