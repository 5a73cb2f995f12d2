"""How an artifact is seen, and which versions belong together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatdesk.core.domain.artifacts.artifact import ArtifactVersion, ArtifactView, grouped, view_of
from chatdesk.core.domain.message import Role

DOCUMENT = ArtifactVersion(
    "v1", "d", "p", "m", "document", "x.py", "text/plain", "a" * 64, 10, 1_000, Role.ASSISTANT, "python"
)
FILE = replace(DOCUMENT, id="f", artifact_id="f", part_id="q", kind="file", language="", sha256="b" * 64)


@pytest.mark.parametrize(
    ("mime", "language", "name", "view"),
    [
        ("text/plain", "python", "x.py", ArtifactView.SOURCE),
        ("text/plain", "CSV", "code.csv", ArtifactView.TABLE),
        ("text/csv", "", "x.csv", ArtifactView.TABLE),
        ("text/plain", "", "x.tsv", ArtifactView.TABLE),
        ("text/markdown", "", "notes", ArtifactView.MARKDOWN),
        ("image/svg+xml", "", "x.svg", ArtifactView.SVG),
        ("text/plain", "mermaid", "x", ArtifactView.MERMAID),
        ("text/html", "html", "x.html", ArtifactView.SOURCE),
        ("image/png", "", "x.svg", ArtifactView.PICTURE),
        ("application/zip", "csv", "x.csv", ArtifactView.NONE),
        ("application/octet-stream", "", "x.md", ArtifactView.NONE),
    ],
)
def test_the_bytes_decide_before_names(mime: str, language: str, name: str, view: ArtifactView) -> None:
    assert view_of(mime, language, name) is view


def test_versions_of_a_document_stand_together_and_the_last_changed_comes_first() -> None:
    second = replace(DOCUMENT, id="v2", number=2, created_at=3_000)
    found = grouped([second, replace(FILE, created_at=2_000), DOCUMENT])
    assert [[each.id for each in one.versions] for one in found] == [["v1", "v2"], ["f"]]


def test_a_file_that_became_a_document_is_listed_once() -> None:
    first = replace(DOCUMENT, part_id=FILE.part_id, sha256=FILE.sha256)
    assert [one.id for one in grouped([FILE, first])] == ["d"]


def test_a_version_that_was_sent_is_no_artifact_of_its_own() -> None:
    sent = replace(FILE, sha256=DOCUMENT.sha256, role=Role.USER)
    assert [one.id for one in grouped([DOCUMENT, sent])] == ["d"]
    from_tool = replace(sent, role=Role.ASSISTANT)
    assert {one.id for one in grouped([DOCUMENT, from_tool])} == {"d", "f"}
