"""The artifacts of a thread in the inspector: the list, and one of them as code, as a table, compared and edited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.artifacts.artifact import Artifact, ArtifactVersion
from chatdesk.core.domain.artifacts.differences import difference
from chatdesk.core.domain.artifacts.table_rows import TableRows
from chatdesk.core.domain.message import MessagePage, Role
from chatdesk.core.rendering.blocks import CodeBlock
from chatdesk.core.rendering.highlighting import highlight
from chatdesk.ui.features.artifacts.artifact_view import ArtifactView, Face, ShownArtifact
from chatdesk.ui.features.artifacts.artifacts_tab import ArtifactsTab
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.view import TranscriptView
from chatdesk.ui.window.inspector import Inspector
from tests.gallery.transcript_samples import FixedRenderer, make_message

_SIZE = (560, 640)
_CODE = '''"""Finds the nearest neighbours of a vector."""

from __future__ import annotations

import heapq


def nearest(query: list[float], vectors: dict[str, list[float]], *, count: int = 10) -> list[str]:
    """Return the names of the closest vectors, the closest first."""
    distances = ((_distance(query, vector), name) for name, vector in vectors.items())
    return [name for _, name in heapq.nsmallest(count, distances)]


def _distance(one: list[float], other: list[float]) -> float:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
'''
_CHANGED = _CODE.replace("count: int = 10", "count: int = 20").replace(
    "    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))", "    return math.dist(one, other)"
)
_TABLE = "model,input,output,released\n" + "".join(
    f"model-{number},{number * 0.15:.2f},{number * 0.6:.2f},2026-{number % 12 + 1:02}-04\n" for number in range(1, 60)
)
_ACTIONS = frozenset(("ask", "edit", "copy", "save", "open", "jump", "remove"))
_FIRST = ArtifactVersion(
    "v1", "a", "p", "m", "document", "nearest.py", "text/plain", "a" * 64, 620, 1_795_000_000_000, Role.ASSISTANT,
    "python",
)  # fmt: skip


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("artifacts-list", _inspector(theme, [*_artifacts()])),
        ("artifacts-none", _inspector(theme, [])),
        ("artifacts-code", _inspector(theme, [*_artifacts()], "code")),
        ("artifacts-difference", _inspector(theme, [*_artifacts()], "difference")),
        ("artifacts-table", _inspector(theme, [*_artifacts()], "table")),
        ("artifacts-edit", _inspector(theme, [*_artifacts()], "edit")),
    ]


def _artifacts() -> list[Artifact]:
    file = replace(_FIRST, artifact_id="b", kind="file", language="", tool_name="export_prices", size_bytes=2_310)
    return [
        Artifact("a", (_FIRST, replace(_FIRST, number=2), replace(_FIRST, number=3, is_by_hand=True))),
        Artifact("b", (replace(file, name="prices.csv", mime="text/csv"),)),
        Artifact("c", (replace(_FIRST, artifact_id="c", name="overview.svg", mime="image/svg+xml", language="svg"),)),
        Artifact("d", (replace(file, artifact_id="d", name="nearest.py.diff", kind="file_diff"),)),
        Artifact("e", (replace(file, artifact_id="e", name="notes.md", tool_name="", is_on_path=False),)),
    ]


def _inspector(theme: Theme, artifacts: list[Artifact], face: str = "") -> Inspector:
    shown = difference(_CODE, _CHANGED).text if face == "difference" else _CHANGED
    reader = _reader(theme, shown, "diff" if face == "difference" else "python")
    view = ArtifactView(theme, reader)
    tab = ArtifactsTab(theme, view)
    tab.show_artifacts(artifacts)
    inspector = Inspector(theme)
    for name in ("Context", "Summary", "Usage", "Tree", "Questions"):
        inspector.add_tab(name, QWidget())
    inspector.add_tab("Artifacts", tab)
    inspector.show_tab("Artifacts")
    if not face:
        inspector.resize(inspector.maximumWidth(), _SIZE[1])
        return inspector
    inspector.set_wide(True)
    inspector.set_filling(False, window_px=1280)
    inspector.resize(inspector.maximumWidth(), _SIZE[1])
    tab.open_view()
    is_table = face == "table"
    view.show_version(
        ShownArtifact(
            "prices.csv" if is_table else "nearest.py",
            f"From {'the tool export_prices' if is_table else 'an answer'} · 17 Nov 2026, 09:12 · 612 bytes",
            1 if is_table else 2,
            1 if is_table else 3,
            Face.DIFFERENCE if face == "difference" else Face.DRAWN,
            has_source=is_table,
            actions=_ACTIONS - {"remove"} if is_table else _ACTIONS,
        )
    )
    view.show_note("2 lines added, 2 lines removed." if face == "difference" else "")
    if is_table:
        view.show_table(TableRows(_TABLE))
    elif face == "edit":
        view.start_editing(_CHANGED, original=_CODE)
    else:
        view.show_reader()
    return inspector


def _reader(theme: Theme, text: str, language: str) -> TranscriptView:
    shown = text.rstrip("\n")
    block = CodeBlock(language, shown, highlight(language, shown), ends_line=True)
    message = make_message(1, Role.ASSISTANT, text)

    def fetch(thread_id: str, *, deliver: Callable[[MessagePage], None], **_wish: object) -> None:
        deliver(MessagePage(thread_id, (message,), False, False, 1))

    view = TranscriptView(fetch, FixedRenderer({text: (block,)}), theme)
    view.parts.show_bare()
    view.resize(500, 500)
    view.show_thread_at(message.thread_id, message.id)
    return view
