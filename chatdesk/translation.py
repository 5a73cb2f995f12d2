"""Installs the language of the program: its own words, those of Qt, and the forms of numbers and dates."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from chatdesk.core.languages import chosen_language, wanted_languages
from chatdesk.core.paths import translations_dir
from chatdesk.core.texts import is_translated, language_tag, read_from_the_right, use_translation

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

_LARGEST_COUNT: Final = 1_000_000_000
_ARABIC_SIGNS: Final = dict(zip("0123456789,.", "٠١٢٣٤٥٦٧٨٩٬٫", strict=True))


def use_language(setting: str) -> str:
    """Translate from now on into the language of the setting ``language``; return its code. Loads nothing of Qt where
    that is English."""
    code = chosen_language(setting, _wanted())
    if code != "en":
        _use_catalogue(code)
    return code


def _wanted() -> list[str]:
    if sys.platform in ("win32", "darwin"):  # the language of the desktop is in no variable
        from PySide6.QtCore import QLocale

        return wanted_languages(os.environ) or QLocale.system().uiLanguages()
    return wanted_languages(os.environ)


def _use_catalogue(code: str) -> None:
    from PySide6.QtCore import QLocale, QTranslator

    catalogue = QTranslator()
    if not catalogue.load(str(translations_dir() / f"chatdesk_{code}.qm")):
        return  # a checkout in which nothing was compiled reads English
    system, locale = QLocale.system(), QLocale(code)
    if (system.language(), system.script()) == (locale.language(), locale.script()):
        locale = system  # Mexico, Switzerland or Morocco write numbers in a way of their own
    QLocale.setDefault(locale)

    signs = dict(zip("0123456789", (locale.toString(digit) for digit in range(10)), strict=True))
    signs |= {",": locale.groupSeparator(), ".": locale.decimalPoint(), "-": locale.negativeSign()}
    table = str.maketrans(signs)
    # Arabic sentences have the digits of Egypt for amounts and Latin ones for what is typed or copied.
    amounts = str.maketrans({_ARABIC_SIGNS[sign]: written for sign, written in signs.items() if sign in _ARABIC_SIGNS})
    has_other_digits = code == "ar" and signs["0"] != _ARABIC_SIGNS["0"]

    def translate(source: str, singular: str, count: int) -> str:
        if not -_LARGEST_COUNT <= count <= _LARGEST_COUNT:  # Qt's end before 2**31; the last digits choose a form
            count = _LARGEST_COUNT + count % _LARGEST_COUNT
        found = catalogue.translate("", source, singular, count) or ""
        return found.translate(amounts) if has_other_digits else found

    use_translation(translate, lambda number: number.translate(table), code.replace("_", "-"))


def translate_qt(app: QApplication) -> None:
    """Translate Qt's own words, such as *Copy* in the menu of a text field, and set the direction of reading. Called
    after ``use_language``."""
    from PySide6.QtCore import QLibraryInfo, QLocale, Qt, QTranslator

    if not is_translated() and QLocale().language() not in (QLocale.Language.C, QLocale.Language.English):
        QLocale.setDefault(QLocale(QLocale.Language.English))
    words = QTranslator(app)
    if words.load(QLocale(language_tag()), "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(words)
    app.setLayoutDirection(QLocale().textDirection())
    if app.layoutDirection() is Qt.LayoutDirection.RightToLeft:
        read_from_the_right()
