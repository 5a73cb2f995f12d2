"""Dropped and pasted files are those of this computer."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QUrl

from chatdesk.ui.widgets.local_files import only_path_in, path_here


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("file:///tmp/a%20b.txt", "/tmp/a b.txt"),
        ("file://localhost/tmp/a.txt", "/tmp/a.txt"),
        ("file://host/share/a.zip", ""),
        ("file:////host/share/a.zip", ""),
        ("file://10.0.0.1/c$/a.zip", ""),
        ("https://example.org/a.zip", ""),
        ("", ""),
    ],
)
def test_only_files_of_this_computer_have_a_path(url: str, path: str) -> None:
    data = QMimeData()
    data.setUrls([QUrl(url)])
    assert path_here(QUrl(url)) == only_path_in(data) == path


def test_several_files_and_none_are_not_one() -> None:
    data = QMimeData()
    assert only_path_in(None) == only_path_in(data) == ""
    data.setUrls([QUrl("file:///a"), QUrl("file:///b")])
    assert only_path_in(data) == ""
