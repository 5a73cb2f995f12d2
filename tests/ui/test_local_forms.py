"""Dates, numbers and money are written as the language of the program does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QLocale

from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, UsageLimit
from chatdesk.core.texts import Text, cost_text, shown, use_translation
from chatdesk.ui import local_forms
from chatdesk.ui.sidebar.grouping import short_time
from chatdesk.ui.widgets.words import size_text

_MOMENT = datetime(2025, 10, 14, 9, 5, 7, tzinfo=UTC)
_JAPANESE = {"{day} {month}": "{month}{day}日", "{day} {month} {year}": "{year}年{month}{day}日"}


@pytest.fixture
def locale() -> Iterator[None]:
    before = QLocale()
    yield
    use_translation(None)
    QLocale.setDefault(before)


def _speak(code: str, words: dict[str, str] | None = None) -> None:
    QLocale.setDefault(QLocale(code))
    locale = QLocale(code)
    signs = str.maketrans({",": locale.groupSeparator(), ".": locale.decimalPoint()})
    use_translation(
        lambda source, _singular, _count: (words or {}).get(source, ""), lambda number: number.translate(signs)
    )


def test_english_has_forms_of_its_own() -> None:
    assert local_forms.day_text(_MOMENT) == "14 October 2025"
    assert local_forms.day_text(_MOMENT, is_short=True, with_year=False) == "14 Oct"
    assert local_forms.month_text(2025, 10, is_short=True) == "Oct 2025"
    assert local_forms.weekday_name(_MOMENT.weekday(), is_short=True) == "Tue"
    assert local_forms.date_time_text(_MOMENT, with_seconds=True) == "2025-10-14 09:05:07"
    assert local_forms.day_and_time_text(_MOMENT) == "14 October 2025, 09:05"
    assert (local_forms.number_text(1_234), local_forms.decimal_text(1_234.56, 1)) == ("1,234", "1,234.6")


def test_names_and_numbers_come_from_the_locale(locale: None) -> None:
    _speak("de")
    assert local_forms.day_text(_MOMENT) == f"14 {QLocale('de').monthName(10)} 2025", "the order is the pattern's"
    assert local_forms.weekday_name(1) == "Dienstag"
    assert local_forms.date_time_text(_MOMENT) == "14.10.2025 09:05"
    assert (local_forms.number_text(1_234), local_forms.decimal_text(1_234.56, 1)) == ("1.234", "1.234,6")
    assert size_text(1_500_000) == "1,4 MB"


def test_a_pattern_may_turn_the_parts_round(locale: None) -> None:
    _speak("ja", _JAPANESE)
    assert local_forms.day_text(_MOMENT) == "2025年10月14日"
    assert local_forms.day_text(_MOMENT, is_short=True, with_year=False) == "10月14日"


def test_digits_are_those_of_the_language(locale: None) -> None:
    _speak("ar")
    assert local_forms.time_text(_MOMENT) == "٠٩:٠٥"
    assert local_forms.day_text(_MOMENT, with_year=False).startswith("١٤ ")
    assert local_forms.month_text(2025, 10).endswith("٢٠٢٥"), "a year has no groups"


@pytest.mark.parametrize("dollars", [0.0, 0.000_05, 0.0421, 0.5, 12.5, 1_234.5])
def test_money_has_the_digits_of_the_english_text(dollars: float, locale: None) -> None:
    assert local_forms.money_text(dollars) == cost_text(dollars)
    _speak("de", {"${amount}": "{amount}\xa0$"})
    english = cost_text(dollars).replace("$", "").replace("under ", "")
    german = local_forms.money_text(dollars).replace("\xa0$", "").replace("under ", "")
    assert german.translate(str.maketrans(".,", ",.")) == english


def test_an_amount_of_a_limit_is_money_of_the_language(locale: None) -> None:
    limit = UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.MONEY, hard=5.0)
    spent = Text("{amount} used", amount=limit.amount_text(1_234.5))
    assert spent == "$1,234.50 used"
    _speak("de", {"${amount}": "{amount}\xa0$", "{amount} used": "{amount} genutzt"})
    assert shown(spent) == "1.234,50\xa0$ genutzt"


def test_an_amount_below_the_smallest_figure_may_have_a_sign() -> None:
    assert local_forms.money_text(0.000_01, sign_under=True) == "<$0.0001"


def test_times_of_the_list_are_in_the_language_of_now(locale: None) -> None:
    ms, today = int(_MOMENT.timestamp() * 1000), datetime(2025, 12, 1, tzinfo=UTC).date()
    assert short_time(ms, today, UTC) == "14 Oct"
    _speak("de")
    assert short_time(ms, today, UTC) == "14 Okt."


@pytest.mark.usefixtures("locale")
def test_words_within_a_sentence_begin_small_but_german_nouns_do_not() -> None:
    assert local_forms.within_sentence("Editor") == "editor"
    assert local_forms.within_sentence("") == ""
    use_translation(lambda _source, _singular, _count: "", language_tag="fr")
    assert local_forms.within_sentence("Rédacteur") == "rédacteur"
    use_translation(lambda _source, _singular, _count: "", language_tag="de")
    assert local_forms.within_sentence("Bearbeiter") == "Bearbeiter"
