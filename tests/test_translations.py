"""Every sentence can be translated, and every language has all of them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from chatdesk.core.languages import LANGUAGES
from tests.helpers.sentences import CATALOGUES, FIELD, ROOT, read_catalogue, sentences_of_source

sys.path.insert(0, str(ROOT / "packaging"))
import translations

#: ``plural`` fills the number, and what makes a provider's failure its name and the time.
_FILLED_LATER = {"count", "who", "seconds"}
_OTHERS = [code for code in LANGUAGES if code != "en"]


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the catalogues as ``make translations`` would leave them."""
    folder = tmp_path_factory.mktemp("catalogues")
    for path in CATALOGUES.glob("*.ts"):
        shutil.copy(path, folder)
    translations.update(Path(sys.prefix), folder)
    return folder


def test_the_sentences_are_written_where_lupdate_reads_them() -> None:
    lost = [each.place for each in sentences_of_source() if each.source is None or each.singular is None]
    lost += [each.place for each in sentences_of_source() if each.is_in_f_string]
    assert not lost, "written out neither in a variable nor in an f-string: " + ", ".join(lost)


def test_nothing_is_translated_while_modules_are_imported() -> None:
    early = [each.place for each in sentences_of_source() if each.function == "tr" and each.is_at_import]
    assert not early, "use Text here, and shown where it is used: " + ", ".join(early)


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


def test_lupdate_finds_every_sentence(updated: Path) -> None:
    found = {(entry.source, entry.singular) for entry in read_catalogue(updated / "chatdesk_de.ts")}
    assert {(each.source, each.singular) for each in sentences_of_source()} == found


@pytest.mark.parametrize("code", _OTHERS)
def test_a_language_has_every_sentence(code: str, updated: Path) -> None:
    entries = read_catalogue(CATALOGUES / f"chatdesk_{code}.ts")
    wanted = {(entry.source, entry.singular) for entry in read_catalogue(updated / f"chatdesk_{code}.ts")}

    assert {(entry.source, entry.singular) for entry in entries} == wanted, "run make translations"
    missing = [entry.source for entry in entries if not entry.is_finished]
    assert not missing, f"{len(missing)} sentences are not translated: {missing[:5]}"


@pytest.mark.parametrize("code", _OTHERS)
def test_a_translation_has_the_fields_of_its_sentence(code: str) -> None:
    wrong = [
        f"{entry.source!r}: {form!r}"
        for entry in read_catalogue(CATALOGUES / f"chatdesk_{code}.ts")
        for form in entry.forms
        if form
        # A form for one or two of something may say so in a word.
        if (set(FIELD.findall(form)) ^ set(FIELD.findall(entry.source))) - ({"count"} if entry.singular else set())
    ]
    assert not wrong, "\n".join(wrong)
