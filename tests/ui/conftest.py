"""The look that widgets are drawn in."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from chatdesk.ui.theme.theme import Theme


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, preference="light")
