"""Numbers the web pages that the results of an answer come from, so that the model can refer to them and the reader
find them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from chatdesk.core.domain.tools import ToolResult
from chatdesk.core.rendering.sources import MOST_OF_A_RESULT, SOURCES, Source, source_of


class SourceNumbers:
    """Numbers the web sources of one answer; ``known`` are the sources of its earlier steps. A page that comes again
    keeps its number."""

    def __init__(self, known: Iterable[Source] = ()) -> None:
        self._numbers = {each.url: each.number for each in known}

    def number(self, result: ToolResult) -> tuple[ToolResult, dict[str, Any]]:
        """Return the result with its sources as numbered text, and the list of sources to store with it."""
        texts, kept = [result.text] if result.text else [], []
        for each in result.sources[:MOST_OF_A_RESULT]:
            number = self._numbers.get(each.url) or max(self._numbers.values(), default=0) + 1
            source = source_of(number, each.title, each.url)
            if source is None:
                continue
            self._numbers[each.url] = number
            kept.append(source.as_content())
            texts.append("\n".join(filter(None, (f"[{number}] {source.title}", source.url, each.text))))
        return replace(result, text="\n\n".join(texts)), {SOURCES: kept} if kept else {}
