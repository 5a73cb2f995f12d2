"""A sentence is English for everything that keeps it, and is shown in the language of the program."""

from __future__ import annotations

import json
import pickle
import sqlite3
from collections.abc import Iterator
from decimal import Decimal

import pytest

from chatdesk.core.errors import ThreadNotFound
from chatdesk.core.texts import Sentences, Text, packed, plural, shown, size_text, tr, unpacked, use_translation

GERMAN = {
    ("Keep {count} threads", ""): "{count} Unterhaltungen behalten",
    ("{who} wrote {what}", ""): "{what} schreibt {who}",
    ("Nothing was changed.", ""): "Nichts wurde geändert.",
}


@pytest.fixture
def german() -> Iterator[None]:
    def translate(source: str, singular: str, count: int) -> str:
        if (source, singular) == ("{count} messages", "{count} message"):
            return "{count} Nachricht" if count == 1 else "{count} Nachrichten"
        return GERMAN.get((source, singular), "")

    use_translation(translate, lambda number: number.translate(str.maketrans(",.", ".,")))
    yield
    use_translation(None)


def test_a_text_is_its_english_sentence() -> None:
    assert Text("Keep {count} threads", count=12_000) == "Keep 12,000 threads"
    assert Text("100 % {done}", done=True) == "100 % True"


@pytest.mark.parametrize(
    ("value", "english"),
    [(0.0, "0"), (1.25, "1.25"), (1.5, "1.5"), (12.345, "12.3"), (1536.4, "1,536"), (-2.5, "-2.5"), (100.0, "100")],
)
def test_a_number_has_the_digits_that_count(value: float, english: str) -> None:
    assert Text("{value} MB", value=value) == f"{english} MB"


@pytest.mark.parametrize(
    ("size", "english"), [(1, "1 byte"), (2_000, "2,000 bytes"), (2**20 * 3 // 2, "1.5 MB"), (2**31, "2,048 MB")]
)
def test_a_size_is_read_in_megabytes(size: int, english: str) -> None:
    assert size_text(size) == english


def test_braces_without_a_field_stay() -> None:
    assert Text("{name} is {unknown} {}", name="x{y}", y="no") == "x{y} is {unknown} {}"
    assert Text("{name}") == "{name}"


@pytest.mark.parametrize(("count", "english"), [(0, "0 messages"), (1, "1 message"), (1_001, "1,001 messages")])
def test_a_plural_has_two_english_forms(count: int, english: str) -> None:
    assert plural("{count} messages", "{count} message", count) == english


@pytest.mark.usefixtures("german")
def test_the_person_reads_the_language_of_the_program() -> None:
    counted = plural("{count} messages", "{count} message", 1_234)
    text = Text("{who} wrote {what}", who="Eva", what=counted)

    assert shown(text) == "1.234 Nachrichten schreibt Eva"
    assert text == "Eva wrote 1,234 messages"
    assert tr("Keep {count} threads", count=2_000) == "2.000 Unterhaltungen behalten"
    assert tr("{part} of them", part=1.5) == "1,5 of them"


@pytest.mark.usefixtures("german")
def test_an_untranslated_sentence_is_shown_in_english() -> None:
    assert shown(Text("{count} left", count=1_000)) == "1.000 left"
    assert shown(plural("{count} days", "{count} day", 1)) == "1 day"
    assert shown("Nothing was changed.") == "Nothing was changed.", "data is never translated"


@pytest.mark.usefixtures("german")
def test_each_sentence_of_several_is_translated_by_itself() -> None:
    both = Sentences.of(Text("Keep {count} threads", count=2), "", "{raw}", Text("Nothing was changed."))

    assert both == "Keep 2 threads {raw} Nothing was changed."
    assert shown(both) == "2 Unterhaltungen behalten {raw} Nichts wurde geändert."


@pytest.mark.usefixtures("german")
def test_the_sentence_of_an_error_is_english_until_it_is_shown() -> None:
    error = ThreadNotFound(Text("Keep {count} threads", count=2), safe=Text("Nothing was changed."), next_step="")

    assert str(error) == "Keep 2 threads"
    assert shown(error.sentence) == "2 Unterhaltungen behalten Nichts wurde geändert."


def test_a_text_can_be_kept_as_any_string_is() -> None:
    text = plural("{count} messages", "{count} message", 2)

    assert json.loads(json.dumps({"a": text})) == {"a": "2 messages"}
    with sqlite3.connect(":memory:") as database:
        assert database.execute("SELECT ?", (text,)).fetchone() == ("2 messages",)
    database.close()
    again = pickle.loads(pickle.dumps(Sentences.of(text, Text("Keep {count} threads", count=1))))
    assert again == "2 messages Keep 1 threads"
    assert isinstance(again, Sentences)


@pytest.mark.usefixtures("german")
def test_a_text_that_was_packed_is_shown_in_the_language_of_whoever_reads_it() -> None:
    counted = plural("{count} messages", "{count} message", 1)
    sentence = Sentences.of(Text("{who} wrote {what}", who="Eva", what=counted), "", Text("Nothing was changed."))

    again = unpacked(json.loads(json.dumps(packed(sentence))))

    assert again == sentence == "Eva wrote 1 message Nothing was changed."
    assert shown(again) == "1 Nachricht schreibt Eva Nichts wurde geändert."
    assert unpacked(packed("{who} wrote")) == "{who} wrote"


@pytest.mark.usefixtures("german")
def test_a_sum_of_money_that_was_packed_has_the_number_format_of_whoever_reads_it() -> None:
    again = unpacked(json.loads(json.dumps(packed(Text("${amount} a day", amount=Decimal("1234.50"))))))

    assert again == "$1,234.50 a day"
    assert shown(again) == "$1.234,50 a day"


@pytest.mark.parametrize("decimal", ["1e999999", "NaN", "9" * 40, {"decimal": "1"}, 7, None])
def test_a_packed_decimal_that_is_none_is_left_out(decimal: object) -> None:
    assert unpacked({"source": "<{n}>", "fields": {"n": {"decimal": decimal}}}) == "<>"


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        [],
        {},
        {"source": 7},
        {"source": None, "fields": {"a": "b"}},
    ],
)
def test_an_invalid_packed_text_is_empty(data: object) -> None:
    assert unpacked(data) == ""


def test_a_foreign_packed_text_is_harmless() -> None:
    deep: object = "end"
    for _ in range(50):
        deep = {"source": "{a}", "fields": {"a": deep}}

    assert unpacked(deep) == ""
    assert unpacked({"source": "{a} {b}", "fields": {"a": [1], "b": "{a}"}, "number": "x", "singular": 3}) == " {a}"
    assert unpacked({"source": "{a}", "fields": "none"}) == "{a}"


@pytest.mark.parametrize("copies", [50, 600])
def test_a_packed_text_grows_to_no_more_than_a_sentence(copies: int) -> None:
    """14 KB of templates that fill each other would take 8 GB."""
    grown: object = "x" * 1_000
    for _ in range(3):
        grown = {"source": "{a}" * copies, "fields": {"a": grown}}

    assert len(unpacked(grown)) <= 100_000
    assert unpacked({"source": "x" * 10_000}) == ""


def test_a_number_that_no_sentence_has_is_left_out() -> None:
    for number in (10**4_300, -(10**30), 1e300, float("inf"), float("nan")):  # one that pytest could not name
        assert unpacked({"source": "<{n}>", "fields": {"n": number}}) == "<>"
    assert unpacked({"source": "<{n}>", "fields": {"n": 12}}) == "<12>"


def test_a_template_that_no_catalogue_can_be_asked_for_is_empty() -> None:
    assert unpacked({"source": "half \ud800"}) == ""
    assert unpacked({"source": "many", "singular": "half \ud800", "number": 1}) == "many"


def test_sentences_in_a_row_have_no_blank_behind_a_wide_full_stop() -> None:
    said = Sentences.of(Text("One."), Text("Two."), "Three.", "Four.")
    use_translation(lambda source, _about, _count: {"One.": "一つ。", "Two.": "二つ。"}.get(source, ""))
    assert shown(said) == "一つ。二つ。Three. Four."
    use_translation(None)
    assert shown(said) == "One. Two. Three. Four."
