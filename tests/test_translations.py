"""Every sentence can be translated, and what is translated is right; `make check` counts what is not yet."""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatdesk.core.languages import LANGUAGES
from chatdesk.core.texts import Text, read_from_the_right, shown, tr, use_translation
from tests.helpers.sentences import CATALOGUES, FIELD, ROOT, read_catalogue, sentences_of_source

sys.path.insert(0, str(ROOT / "packaging"))
import translations

# ``plural`` fills the number, and what makes a provider's failure its name and the time.
_FILLED_LATER = {"count", "who", "seconds"}
_OTHERS = [code for code in LANGUAGES if code != "en"]

# What is no word: fields of argparse, tags, code, bold words, and the ends of lines.
_KEPT = re.compile(r"%\(\w+\)[rs]|%[rs]|</?[a-z][^>]*>|`|\*\*|\n")
# Options, addresses without what ends a sentence, and variables of the environment.
_TYPED = re.compile(r"--[a-z][a-z-]+|https?://[\w:/-]*|\b[A-Z]+_[A-Z_]+\b")
_GROUPED = re.compile(r"(?<=\d)[.,\s\u00a0\u202f\u066c](?=\d{3})")
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")
_MANY_THINGS = re.compile(r"\{count\} (?:\w+ )?(?:people|\w+[a-rt-z]s)\b(?! a\b)")
_ENDS = {"…": "…", ":": ":：", "?": "?？؟"}
# A Latin number before a thing that is counted, or in a range with a field.
_AMOUNT_IN_LATIN = re.compile(
    r"[0-9] (?:من \{\}|إلى \{\}|و\{\}|أيام|يوم|دقائق|ساع|ثوان|ثانية|سطر|حرف|كلم|بايت|م\.ث)|الساعة [0-9]"
)
_CJK = "\u3040-\u30ff\u4e00-\u9fff"
# Lists of endings for the system's dialogs, lists of words that a question has, headers, and words of a search.
_NO_SENTENCE = re.compile(r"\(\*|^[^.]+, [^.]+$|Name: |project:")
_SENTENCE = re.compile(r"\b(?:tr|plural|Text)\(")
_WRONG_BY_LANGUAGE = {
    "de": re.compile(r"“[^“„]*”|(?<!-)\b(?:dein|deine[mnrs]?|dir|dich)\b(?!-)"),
    "fr": re.compile(
        r"(?<![\u00a0\u202f;])[;!?»]|[^\u00a0\u202f]:(?=\s|$)|«(?!\u00a0)|[a-z]'[a-z]|\b(?:ton|tes|toi)\b"
    ),
    "es": re.compile(r"“[^“”]*”|\busted\b"),
    "ja": re.compile(rf"[{_CJK}][;?!]|[;?!][{_CJK}]"),
    "zh_CN": re.compile(rf"[{_CJK}][,;:?!]|[,;:?!][{_CJK}]|您"),
    "ar": re.compile(r"[\u0600-\u06ff]\s?[,;?]|“[^“”]*”"),
}


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the catalogues as ``make translations`` would leave them."""
    folder = tmp_path_factory.mktemp("catalogues")
    for path in CATALOGUES.glob("*.ts"):
        shutil.copy(path, folder)
    translations.update(sys.executable, folder)
    return folder


def test_the_sentences_are_written_where_lupdate_reads_them() -> None:
    lost = [each.place for each in sentences_of_source() if each.source is None or each.singular is None]
    lost += [each.place for each in sentences_of_source() if each.is_in_f_string]
    assert not lost, "written out neither in a variable nor in an f-string: " + ", ".join(lost)


def test_nothing_is_translated_while_modules_are_imported() -> None:
    early = [each.place for each in sentences_of_source() if each.function == "tr" and each.is_at_import]
    assert not early, "use Text here, and shown where it is used: " + ", ".join(early)


def test_a_sentence_about_one_thing_does_not_name_many() -> None:
    """*1 days* is no English; a plural whose words are the same for one, such as *{count} unread*, names no things."""
    wrong = [
        f"{each.place} {each.source}"
        for each in sentences_of_source()
        if each.function == "plural" and each.source == each.singular and _MANY_THINGS.search(each.source or "")
    ]
    assert not wrong, "\n".join(wrong)


def test_core_makes_texts_and_the_edge_translates_them() -> None:
    in_core = [
        each.place
        for each in sentences_of_source()
        if each.function == "tr" and each.place.startswith(("chatdesk/core", "chatdesk/services"))
    ]
    assert not in_core, "core speaks to files, logs and scripts too: " + ", ".join(in_core)


def test_each_field_of_a_sentence_is_filled() -> None:
    wrong = [
        f"{each.place} {sorted(each.fields)}"
        for each in sentences_of_source()
        if each.fields and "**" not in each.fields
        if set(FIELD.findall(f"{each.source} {each.singular}")) - _FILLED_LATER != each.fields - _FILLED_LATER
    ]
    assert not wrong, "\n".join(wrong)


def test_notes_for_translators_stand_above_a_sentence() -> None:
    """``lupdate`` puts comments that begin with ``#:`` into the catalogues, with the next sentence below."""
    wrong = []
    for path in (ROOT / "chatdesk").rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for place, line in enumerate(lines):
            if line.lstrip().startswith("#:") or "  #: " in line:
                below = next((each for each in lines[place + 1 :] if not each.lstrip().startswith("#")), "")
                if not _SENTENCE.search(below):
                    wrong.append(f"{path.relative_to(ROOT)}:{place + 1}")
    assert not wrong, "a comment for programmers begins with “# ”: " + ", ".join(sorted(wrong))


def test_lupdate_finds_every_sentence(updated: Path) -> None:
    found = {(entry.source, entry.singular) for entry in read_catalogue(updated / "chatdesk_de.ts")}
    assert {(each.source, each.singular) for each in sentences_of_source()} == found


def test_sentences_without_a_translation_are_counted(updated: Path, tmp_path: Path) -> None:
    """A new sentence needs nobody who speaks seven languages; a release does."""
    shutil.copy(updated / "chatdesk_de.ts", tmp_path)
    (before,) = translations.count_missing(sys.executable, tmp_path).values()
    catalogue = ET.parse(updated / "chatdesk_de.ts")
    (context,) = catalogue.getroot().iter("context")
    translated = [each for each in context.iter("message") if each.find("translation").get("type") is None]
    for message in translated[:3]:
        context.remove(message)
    catalogue.write(tmp_path / "chatdesk_de.ts", encoding="utf-8")

    assert translations.count_missing(sys.executable, tmp_path) == {"chatdesk_de": before + 3}


@pytest.mark.parametrize("code", _OTHERS)
def test_a_translation_has_the_fields_of_its_sentence(code: str) -> None:
    wrong = [
        f"{entry.source!r}: {form!r}"
        for entry in read_catalogue(CATALOGUES / f"chatdesk_{code}.ts")
        for form in entry.forms
        if form
        if _has_other_fields(form, entry.source, entry.singular)
    ]
    assert not wrong, "\n".join(wrong)


def _has_other_fields(form: str, source: str, singular: str) -> bool:
    """A form for one or two of something may say so in a word, and have the fields of the English sentence for one."""
    found, of_source, of_one = (set(FIELD.findall(each)) for each in (form, source, singular))
    if not singular:
        return found != of_source
    return found - {"count"} not in (of_source - {"count"}, of_one - {"count"})


def _wrong(code: str, is_wrong: Callable[[str, str], bool]) -> str:
    """Return the forms that are wrong, a line each."""
    return "\n".join(f"{source!r}: {form!r}" for source, form in _forms(code) if form and is_wrong(source, form))


def _forms(code: str) -> Iterator[tuple[str, str]]:
    for entry in read_catalogue(CATALOGUES / f"chatdesk_{code}.ts"):
        for form in entry.forms:
            yield entry.source, form


@pytest.mark.parametrize("code", _OTHERS)
def test_a_translation_keeps_what_is_no_word(code: str) -> None:
    wrong = _wrong(code, lambda source, form: Counter(_KEPT.findall(source)) != Counter(_KEPT.findall(form)))
    assert not wrong, wrong


@pytest.mark.parametrize("code", _OTHERS)
def test_a_translation_keeps_what_is_typed(code: str) -> None:
    wrong = _wrong(code, lambda source, form: any(each not in form for each in _TYPED.findall(source)))
    assert not wrong, wrong


@pytest.mark.parametrize("code", _OTHERS)
def test_a_translation_has_the_numbers_of_its_sentence(code: str) -> None:
    """Small ones may be words: *one* is a digit in Japanese, and *1 hour* a word in Arabic."""

    def numbers(text: str) -> set[str]:
        return set(re.findall(r"\d{2,}", _GROUPED.sub("", re.sub(r"\{\w+\}", "", text.translate(_DIGITS)))))

    wrong = _wrong(code, lambda source, form: not numbers(source) <= numbers(form))
    assert not wrong, wrong


def test_amounts_in_arabic_sentences_have_arabic_digits() -> None:
    """What is typed or copied keeps its Latin ones: ports, versions, patterns, keys and the defaults of options."""
    wrong = _wrong("ar", lambda _source, form: _AMOUNT_IN_LATIN.search(re.sub(r"\{\w+\}", "{}", form)) is not None)
    assert not wrong, wrong


@pytest.mark.parametrize("code", _OTHERS)
def test_a_translation_has_the_sign_that_its_sentence_ends_with(code: str) -> None:
    def is_wrong(source: str, form: str) -> bool:
        signs = _ENDS.get(source[-1:])
        return signs is not None and not set(signs) & set(form)

    wrong = _wrong(code, is_wrong)
    assert not wrong, wrong


@pytest.mark.parametrize("code", _OTHERS)
def test_a_translation_has_the_blanks_of_its_sentence(code: str) -> None:
    def is_wrong(source: str, form: str) -> bool:
        if source == ", " and code in ("ja", "zh_CN"):
            return form != "、"  # the sign has its blank in itself
        ends = [each[:1].isspace() + 2 * each[-1:].isspace() for each in (source, form)]
        return ends[0] != ends[1] or ("  " in form) > ("  " in source) or ("..." in form) > ("..." in source)

    wrong = _wrong(code, is_wrong)
    assert not wrong, wrong


@pytest.mark.parametrize("code", _OTHERS)
def test_no_sentence_marks_a_letter_as_its_key(code: str) -> None:
    """Only the menus of the menu bar have keys, which ``menu_titles`` chooses."""
    wrong = _wrong(code, lambda source, form: "&" in source + form)
    assert not wrong, wrong


@pytest.mark.parametrize("code", sorted(_WRONG_BY_LANGUAGE))
def test_a_translation_has_the_signs_and_the_form_of_address_of_its_language(code: str) -> None:
    """French has a blank that does not break before ; : ? ! and », Chinese signs are wide, and so on."""
    pattern = _WRONG_BY_LANGUAGE[code]
    wrong = _wrong(
        code, lambda source, form: not _NO_SENTENCE.search(source) and pattern.search(_KEPT.sub("", form)) is not None
    )
    assert not wrong, wrong


def test_the_words_of_the_glossary_are_those_of_the_catalogues() -> None:
    sections = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("\n## ")[1:]
    tables = [re.findall(r"^\| ([^|]+) \| ([^|]+) \|", section, re.MULTILINE)[1:] for section in sections]
    assert len(tables) == len(_OTHERS)
    assert {tuple(idea for idea, _word in table) for table in tables} == {tuple(idea for idea, _word in tables[0])}
    for code, table in zip(_OTHERS, tables, strict=True):
        said = "\n".join(form for _source, form in _forms(code)).casefold()
        assert [f"{code}: {word}" for _idea, word in table if word.casefold() not in said] == []


def _ways(line: str) -> list[str]:
    """Return the directions of the letters of a line, the first of which is that of the whole for a label."""
    return [way for each in line if (way := unicodedata.bidirectional(each)) in ("L", "R", "AL")]


def _lines_that_turn_round() -> list[str]:
    """Return the lines of Arabic sentences, with Latin names in their fields, that a label would draw from the left."""
    forms = [form for _source, form in _forms("ar")]
    filled = [dict.fromkeys(FIELD.findall(form), "Plan") for form in forms]
    said = [tr(form, **fields) for form, fields in zip(forms, filled, strict=True)]
    assert said == [shown(Text(form, **fields)) for form, fields in zip(forms, filled, strict=True)]
    return [line for text in said for line in text.split("\n") if "AL" in (ways := _ways(line)) and ways[0] == "L"]


def test_a_line_from_the_right_runs_so_whatever_its_first_letters_are() -> None:
    use_translation(lambda source, _singular, _count: source, language_tag="ar")
    try:
        assert len(_lines_that_turn_round()) > 300
        read_from_the_right()
        assert _lines_that_turn_round() == []
        assert tr("PostgreSQL 16") == "PostgreSQL 16", "what has no Arabic letter is no such line"
        assert tr("محادثة") == "محادثة"
    finally:
        use_translation(None)
    assert shown(Text("محادثة {name}", name="Plan")) == "محادثة Plan"
