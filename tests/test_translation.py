"""The language of the program, with the catalogues that come with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QLocale

from chatdesk.core.languages import LANGUAGES
from chatdesk.core.texts import plural, shown, use_translation
from chatdesk.translation import use_language
from tests.helpers.sentences import ROOT

sys.path.insert(0, str(ROOT / "packaging"))
import translations


@pytest.fixture
def arabic() -> Iterator[None]:
    translations.compile_changed(sys.executable)
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


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the forms of the desktop stand in no variable")
@pytest.mark.parametrize(
    ("region", "language", "number"),
    [
        ("de_DE", "de", "1.234.567"),
        ("es_ES", "es", "1.234.567"),
        ("es_MX", "es", "1,234,567"),
        ("ar_EG", "ar", "١٬٢٣٤٬٥٦٧"),
        ("ar_MA", "ar", "1.234.567"),
        ("es_MX", "de", "1.234.567"),
        ("zh_TW", "zh_CN", "1,234,567"),
        ("de_CH", "en", "1,234,567"),
    ],
)
def test_numbers_are_written_as_in_the_country_of_the_person(region: str, language: str, number: str) -> None:
    translations.compile_changed(sys.executable)
    script = (
        "import sys; from chatdesk.translation import use_language; from chatdesk.core.texts import plural, shown;"
        "use_language(sys.argv[1]); print(shown(plural('{count}', '{count}', 1234567)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, language],
        cwd=ROOT,
        env={**os.environ, "LC_ALL": f"{region}.UTF-8", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert ran.stdout.strip() == number


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="the forms of the desktop stand in no variable")
@pytest.mark.parametrize(
    ("region", "words"),
    [("ar_EG", "يجب أن تكون الأوقات بين ١ و٣٬٦٠٠ ثانية."), ("ar_MA", "يجب أن تكون الأوقات بين 1 و3.600 ثانية.")],
)
def test_amounts_in_arabic_sentences_are_written_as_in_the_country_of_the_person(region: str, words: str) -> None:
    translations.compile_changed(sys.executable)
    script = (
        "from chatdesk.translation import use_language; from chatdesk.core.texts import tr;"
        "use_language('ar'); print(tr('Times must be between 1 and 3,600 seconds.'))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "LC_ALL": f"{region}.UTF-8", "PYTHONUTF8": "1"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert ran.stdout.strip() == words


def test_qt_speaks_the_language_of_the_program_in_a_country_that_it_has_no_words_for() -> None:
    script = (
        "from PySide6.QtWidgets import QApplication; from chatdesk.translation import translate_qt, use_language;"
        "use_language('pt_BR'); app = QApplication([]); translate_qt(app);"
        "print(QApplication.translate('QWidgetTextControl', '&Copy'))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "LC_ALL": "pt_PT.UTF-8", "LANGUAGE": "", "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert ran.stdout.strip() == "&Copiar"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_entry_of_the_menu_bar_and_of_a_text_field_has_a_key_of_its_own(language: str) -> None:
    translations.compile_changed(sys.executable)
    script = (
        "import sys; from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit;"
        "from chatdesk.translation import translate_qt, use_language;"
        "from chatdesk.ui.commands.command import GROUPS, menu_titles;"
        "use_language(sys.argv[1]); app = QApplication([]); translate_qt(app);"
        "fields = (QLineEdit(), QPlainTextEdit()); menus = [each.createStandardContextMenu() for each in fields];"
        "print('\\n'.join(menu_titles(GROUPS)));"
        "print('', *(each.text() for each in menus[0].actions()), sep='\\n');"
        "print('', *(each.text() for each in menus[1].actions()), sep='\\n')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, language],
        cwd=ROOT,
        env={**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "", "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    bar, *fields = ([line.split("\t")[0] for line in menu.split("\n") if line] for menu in ran.stdout.split("\n\n"))
    assert len(bar) == 6
    assert all("&" in title for title in bar)
    for menu in (bar, *fields):
        keys = [title[title.index("&") + 1].casefold() for title in menu if "&" in title]
        assert len(set(keys)) == len(keys), menu
