"""The list of artifacts: what a row says, and that it stays where it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.domain.artifacts.artifact import Artifact, ArtifactVersion
from chatdesk.core.domain.message import Role
from chatdesk.ui.features.artifacts.artifacts_tab import ArtifactsTab
from chatdesk.ui.features.inspector.rows import RowRole
from chatdesk.ui.theme.theme import Theme

FIRST = ArtifactVersion(
    "v1", "a", "p", "m", "document", "fib.py", "text/plain", "a" * 64, 10, 1_800_000_000_000, Role.ASSISTANT, "python"
)


@pytest.fixture
def tab(qapp: QApplication, qtbot: QtBot) -> ArtifactsTab:
    made = ArtifactsTab(Theme(qapp), QWidget())
    qtbot.addWidget(made)
    return made


def rows(tab: ArtifactsTab, role: int = Qt.ItemDataRole.AccessibleTextRole) -> list[object]:
    model = tab.list.model()
    return [model.index(place, 0).data(role) for place in range(model.rowCount())]


def test_rows_say_where_an_artifact_comes_from(tab: ArtifactsTab) -> None:
    file = replace(FIRST, kind="file", name="data.csv", mime="text/csv", language="")
    tab.show_artifacts(
        [
            Artifact("a", (FIRST, replace(FIRST, number=2, is_by_hand=True))),
            Artifact("b", (replace(file, tool_name="export"),)),
            Artifact("c", (replace(file, role=Role.USER, is_on_path=False),)),
            Artifact("d", (replace(file, kind="file_diff", name="app.py"),)),
        ]
    )
    assert rows(tab) == [
        "fib.py, 2 versions, edited by you",
        "data.csv, from the tool export",
        "data.csv, attached to a question",
        "app.py, proposed change to a file",
    ]
    assert rows(tab, RowRole.ICON) == ["code", "table", "table", "list-checks"]
    assert rows(tab, RowRole.IS_QUIET) == [False, False, True, False]


def test_the_row_stays_on_its_artifact(tab: ArtifactsTab) -> None:
    old, new = Artifact("a", (FIRST,)), Artifact("b", (replace(FIRST, artifact_id="b"),))
    tab.show_artifacts([old])
    tab.show_artifacts([new, old])
    assert tab.list.currentIndex().row() == 1
    tab.show_artifacts([])
    assert not tab.words.isHidden() and tab.list.isHidden()
