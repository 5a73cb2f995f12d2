"""The page of a sign-in is opened, and its host is told as the network sees it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from chatdesk.ui.features.tools.sign_in_binding import open_sign_in_page


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://login.example.org/authorize?state=1", "login.example.org"),
        ("https://xn--pple-43d.com/authorize", "xn--pple-43d.com"),  # looks like apple.com when it is decoded
    ],
)
def test_the_page_is_opened_and_its_true_host_is_told(address: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url) is None)
    assert open_sign_in_page(address) == f"Sign in at {host} in your browser, within five minutes."
    assert opened == [QUrl(address)]
