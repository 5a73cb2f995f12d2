"""Which language a person gets: the chosen one, else what the environment asks for and ChatDesk has, else English."""

from __future__ import annotations

import pytest

from chatdesk.core.languages import LANGUAGES, chosen_language, wanted_languages


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ([], "en"),
        (["C"], "en"),
        (["de_AT.UTF-8"], "de"),
        (["fr_FR@euro"], "fr"),
        (["pt_PT"], "pt_BR"),
        (["zh_CN.UTF-8"], "zh_CN"),
        (["zh-Hans-SG"], "zh_CN"),
        (["zh_TW", "ja_JP"], "ja"),
        (["zh-Hant-HK"], "en"),
        (["xx", "", "ar-EG", "de"], "ar"),
        (["en_GB", "de"], "en"),
        (["../../etc"], "en"),
    ],
)
def test_the_first_language_that_chatdesk_has_is_used(wanted: list[str], code: str) -> None:
    assert chosen_language("system", wanted) == code


def test_a_chosen_language_wins() -> None:
    assert chosen_language("ja", ["de_DE"]) == "ja"
    assert chosen_language("xx", ["de_DE"]) == "de"


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, []),
        ({"LANG": "C.UTF-8", "LANGUAGE": "de"}, []),
        ({"LANG": "de_DE.UTF-8"}, ["de_DE.UTF-8"]),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "fr:es"}, ["fr", "es", "de_DE.UTF-8"]),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "ja_JP"}, ["ja_JP"]),
        ({"LANG": "de_DE", "LC_MESSAGES": "ja_JP", "LC_ALL": "POSIX"}, []),
    ],
)
def test_the_environment_is_read_as_gettext_reads_it(environ: dict[str, str], wanted: list[str]) -> None:
    assert wanted_languages(environ) == wanted


def test_each_language_is_named_by_itself() -> None:
    assert len(set(LANGUAGES.values())) == len(LANGUAGES) == 8
