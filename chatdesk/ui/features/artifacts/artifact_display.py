"""Draws a version of an artifact: chooses how it is seen, and fills the view with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from chatdesk.core.chat.artifacts.artifact_service import ArtifactService
from chatdesk.core.domain.artifacts.artifact import Artifact, ArtifactVersion, ArtifactView
from chatdesk.core.domain.artifacts.code_blocks import fenced
from chatdesk.core.domain.artifacts.table_rows import MOST_ROWS, TableRows
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.moments import moment_text
from chatdesk.core.rendering.code_names import language_of
from chatdesk.core.rendering.drawing.diagram_drawing import MAX_SOURCE_CHARS as _MOST_MERMAID
from chatdesk.core.rendering.drawing.svg_drawing import MAX_SOURCE_CHARS as _MOST_SVG
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.features.artifacts.artifact_pages import (
    ArtifactPages,
    PagedText,
    paged_code,
    paged_markdown,
    whole_markdown,
)
from chatdesk.ui.features.artifacts.artifact_view import ArtifactView as ArtifactWidget
from chatdesk.ui.features.artifacts.artifact_view import Face, ShownArtifact
from chatdesk.ui.features.artifacts.artifacts_tab import source_words
from chatdesk.ui.local_forms import day_and_time_text
from chatdesk.ui.transcript.contract import MessageFetcher
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.widgets.words import size_text, with_capital

_MOST_MARKDOWN: Final = 2_000_000
_MOST_DRAWN: Final = {
    ArtifactView.MARKDOWN: _MOST_MARKDOWN,
    ArtifactView.MERMAID: _MOST_MERMAID,
    ArtifactView.SVG: _MOST_SVG,
}
_SHOWN_AS_SOURCE: Final = Text("This text is too long to be drawn. Its source is shown.")
_ROUGH: Final = Text("They differ too much to be compared line by line; what differs is shown as replaced.")


class ArtifactDisplay:
    """Shows a version of an artifact in the inspector. ``reader`` shows text and pictures; tables are shown by the view
    itself."""

    def __init__(self, service: ArtifactService, make_view: Callable[[MessageFetcher], TranscriptView]) -> None:
        self._service = service
        self._pages = ArtifactPages()
        self.reader = make_view(self._pages.fetch)
        self.reader.parts.show_bare()
        self.reader.setObjectName("artifactReader")
        self._view: ArtifactWidget

    def use(self, view: ArtifactWidget) -> None:
        """Fill this view from now on."""
        self._view = view

    async def show(
        self,
        artifact: Artifact,
        place: int,
        *,
        face: Face,
        before: ArtifactVersion | None,
        actions: frozenset[str],
    ) -> None:
        """Show a version from one of its sides; ``before`` is the one that it is compared with."""
        version = artifact.versions[place]
        is_text = version.view not in (ArtifactView.NONE, ArtifactView.PICTURE)
        if face is Face.DIFFERENCE and (before is None or not is_text):
            face = Face.DRAWN
        self._view.show_version(
            ShownArtifact(
                version.name,
                _about(version),
                place + 1,
                len(artifact.versions),
                face,
                has_source=is_text and version.view is not ArtifactView.SOURCE,
                actions=actions,
            )
        )
        self._view.show_note("")
        if not is_text:
            self._pages.show_file(version)
            self._read()
        elif face is Face.DIFFERENCE and before is not None:
            await self._show_difference(before, version)
        else:
            await self._show_text(version, is_source=face is Face.SOURCE)

    async def _show_text(self, version: ArtifactVersion, *, is_source: bool) -> None:
        found = await self._service.text_of(version)
        if found.problem:
            self._view.show_note(shown(found.problem))
            self._pages.show_file(version)
            self._read()
            return
        view, text = version.view, found.text
        if view is ArtifactView.TABLE and not is_source:
            rows = await asyncio.to_thread(TableRows, text)
            self._view.show_note(
                shown(plural("The first {count} rows are shown.", "The first {count} row is shown.", MOST_ROWS))
                if rows.is_cut
                else ""
            )
            self._view.show_table(rows)
            return
        is_too_long = len(text) > _MOST_DRAWN.get(view, len(text))
        if is_too_long and not is_source:
            self._view.show_note(shown(_SHOWN_AS_SOURCE))
        if view is ArtifactView.SOURCE or view is ArtifactView.TABLE or is_source or is_too_long:
            language = version.language or language_of(version.name)
            pages = await asyncio.to_thread(paged_code, text, "" if is_source and _is_drawn(view) else language)
        else:
            pages = await asyncio.to_thread(_drawn, view, text)
        self._pages.show_text(version, pages)
        self._read()

    async def _show_difference(self, before: ArtifactVersion, version: ArtifactVersion) -> None:
        try:
            found = await self._service.compare(before, version)
        except ChatDeskError as error:
            self._view.show_note(shown(error.sentence))
            await self._show_text(version, is_source=True)
            return
        words = tr(
            "{added}, {removed}.",
            added=plural("{count} lines added", "{count} line added", found.added),
            removed=plural("{count} lines removed", "{count} line removed", found.removed),
        )
        if not found.added and not found.removed:
            words = tr("No line differs.")
        self._view.show_note(f"{words} {shown(_ROUGH)}" if found.is_rough else words)
        self._pages.show_text(version, await asyncio.to_thread(paged_code, found.text, "diff"))
        self._read()

    def _read(self) -> None:
        self._view.show_reader()
        self.reader.show_thread_at(self._pages.key, self._pages.first_id())


def _is_drawn(view: ArtifactView) -> bool:
    """Return whether code in the language of such an artifact would be drawn where its source is wanted."""
    return view in (ArtifactView.MERMAID, ArtifactView.SVG)


def _drawn(view: ArtifactView, text: str) -> PagedText:
    if view is ArtifactView.MARKDOWN:
        return paged_markdown(text)
    return whole_markdown(fenced(text, "mermaid" if view is ArtifactView.MERMAID else "svg"))


def _about(version: ArtifactVersion) -> str:
    parts = [
        with_capital(source_words(version)),
        shown(moment_text(version.created_at, partial(day_and_time_text, is_short=True))),
        size_text(version.size_bytes),
    ]
    if not version.is_on_path:
        parts.append(tr("in a version of the thread that is not shown"))
    return " · ".join(parts)
