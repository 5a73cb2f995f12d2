"""The language of the program, with the catalogues that come with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale

from chatdesk.core.texts import plural, shown, use_translation
from chatdesk.translation import use_language
from tests.helpers.sentences import ROOT

sys.path.insert(0, str(ROOT / "packaging"))
import translations


@pytest.fixture
def arabic() -> Iterator[None]:
    translations.compile_changed(Path(sys.prefix))
    before = QLocale()
    use_language("ar")
    yield
    use_translation(None)
    QLocale.setDefault(before)


@pytest.mark.usefixtures("arabic")
@pytest.mark.parametrize("count", [2**31, 3_000_000_003, 10**40, -(10**40)])
def test_a_number_that_is_larger_than_those_of_qt_has_the_form_of_its_last_digits(count: int) -> None:
    def threads(number: int) -> str:
        return shown(plural("{count} threads", "{count} thread", number)).lstrip("-٠١٢٣٤٥٦٧٨٩٬,0123456789\u061c\u200e ")

    assert threads(count) == threads(1_000_000_000 + count % 1_000_000_000)
