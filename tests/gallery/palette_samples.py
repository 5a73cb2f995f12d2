"""The palette with results, empty, narrowed to commands, and with filters on offer."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtWidgets import QApplication, QWidget

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.search import FilterName, SearchGroup, SearchHit, SearchKind, Snippet
from chatdesk.ui.commands.catalogue import CATALOGUE
from chatdesk.ui.commands.registry import CommandRegistry
from chatdesk.ui.features.search.listing import wants_commands_only
from chatdesk.ui.features.search.palette import Palette
from chatdesk.ui.sidebar.sidebar import Sidebar
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.found.results import Results
from tests.gallery.sidebar_samples import build_sidebar, sample_threads
from tests.helpers.waiting import PATIENCE_S

_DAY_MS = 86_400_000


def marked(text: str, word: str) -> Snippet:
    """A snippet with ``word`` marked wherever it is."""
    folded, places, start = text.casefold(), [], 0
    while (start := folded.find(word, start)) >= 0:
        places.append((start, start + len(word)))
        start += len(word)
    return Snippet(text, tuple(places))


def sample_groups(word: str = "checkpoint", *, now_ms: int | None = None) -> tuple[SearchGroup, ...]:
    now = int(time.time() * 1000) if now_ms is None else now_ms

    def message(number: int, text: str, title: str, days: int) -> SearchHit:
        return SearchHit(
            SearchKind.MESSAGE,
            f"m{number}",
            title,
            snippet=marked(text, word),
            needle=word,
            thread_id=f"t{number}",
            message_id=f"m{number}",
            role=Role.ASSISTANT,
            at=now - days * _DAY_MS,
        )

    thread = marked("Explain the WAL checkpoint stall", word)
    return (
        SearchGroup(
            SearchKind.THREAD,
            (SearchHit(SearchKind.THREAD, "t1", thread.text, thread.matches, thread_id="t1", at=now),),
            1,
        ),
        SearchGroup(
            SearchKind.MESSAGE,
            (
                message(1, "…the connection whose commit crosses that line pays for the checkpoint…", "WAL stall", 0),
                message(2, "A checkpoint is only safe once every reader…", "Jepsen", 5),
            ),
            1_284,
            elapsed_ms=6.2,
            next_cursor="2",
        ),
    )


def search(palette: Palette, text: str) -> None:
    """Type a text, and wait until it is searched for."""
    palette.field.setText(text)
    end = time.monotonic() + PATIENCE_S
    while palette.results.searched != text:
        assert time.monotonic() < end, "it is not searched for"
        QApplication.processEvents()


def build_palette(theme: Theme, commands: CommandRegistry, text: str, groups: Sequence[SearchGroup]) -> Palette:
    palette = Palette(theme, commands, text=text)
    palette.set_names({FilterName.PROJECT: ["Research", "Home and garden"], FilterName.TAG: ["paper"]})
    if not wants_commands_only(text):
        search(palette, text)
    for group in groups:
        palette.results.show_group(text, group)
    palette.results.finish(text)
    return palette


def _found_in_sidebar(theme: Theme) -> Sidebar:
    sidebar = build_sidebar(theme)

    def answer(text: str, results: Results) -> None:
        for group in sample_groups(text):
            results.show_group(text, group)
        results.finish(text)

    sidebar.resultsWanted.connect(answer)
    sidebar.resize(264, 820)
    sidebar.search_box.setText("checkpoint")
    end = time.monotonic() + PATIENCE_S
    while sidebar.found is None or not sidebar.found.results.is_over:
        assert time.monotonic() < end, "it is not searched for"
        QApplication.processEvents()
    return sidebar


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    commands = CommandRegistry(QWidget(), CATALOGUE)
    for command in CATALOGUE:
        commands.bind(command.id, lambda: None)
    empty = Palette(theme, commands)
    empty.set_recent(sample_threads()[:5])
    return [
        ("palette", build_palette(theme, commands, "checkpoint", sample_groups())),
        ("palette-empty", empty),
        ("palette-commands", build_palette(theme, commands, "> th", ())),
        ("palette-filters", build_palette(theme, commands, "lock project:", ())),
        ("sidebar-results", _found_in_sidebar(theme)),
        ("palette-nothing", build_palette(theme, commands, "xyzzy", ())),
    ]
