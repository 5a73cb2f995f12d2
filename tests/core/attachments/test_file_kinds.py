"""A person's own file is opened where it is only if its ending goes with what is in it."""

from __future__ import annotations

import pytest

from chatdesk.core.attachments.file_kinds import HTML, PDF, can_open_in_place


@pytest.mark.parametrize(
    ("name", "mime"), [("a.pdf", PDF), ("A.PDF", PDF), ("deep/a.txt", "text/plain"), ("a.md", "text/markdown")]
)
def test_a_plain_document_may_be_opened(name: str, mime: str) -> None:
    assert can_open_in_place(name, mime)


@pytest.mark.parametrize("mime", ["text/plain", PDF, HTML, "text/markdown", "application/octet-stream", ""])
@pytest.mark.parametrize(
    "ending", ["desktop", "sh", "py", "bat", "cmd", "exe", "html", "svg", "lnk", "jar", "docm", ""]
)
def test_what_a_desktop_would_run_is_never_opened(ending: str, mime: str) -> None:
    assert not can_open_in_place(f"readme.{ending}", mime)
    assert not can_open_in_place(f"report.pdf.{ending}", mime)
