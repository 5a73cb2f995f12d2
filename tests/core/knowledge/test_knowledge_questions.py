"""The questions that search is measured with: each is answered by one file, in words that stand in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.helpers.knowledge_collections import KINDS, make_collections, plain, questions


def test_each_answer_stands_in_the_only_file_that_its_question_names(tmp_path: Path) -> None:
    texts = {
        name: {
            path.relative_to(folder).as_posix(): plain(path.read_text("utf-8"))
            for path in folder.rglob("*")
            if path.is_file()
        }
        for name, folder in make_collections(tmp_path).items()
    }
    strayed = {
        (each.question, each.answer): found
        for each in questions()
        if (found := [path for path, text in texts[each.collection].items() if plain(each.answer) in text])
        != [each.file]
    }
    assert not strayed, "the phrase is to stand in its file, and in no other: another answer, or another question"


def test_questions_are_of_each_kind_and_a_third_is_kept_aside() -> None:
    asked = questions()
    assert len({each.question for each in asked}) == len(asked) == 200
    assert Counter(each.collection for each in asked) == {"manual": 70, "packages": 60, "written": 70}
    shares = {kind: sum(each.kind == kind for each in asked) / len(asked) for kind in KINDS}
    for kind, share in {"same words": 1 / 4, "other words": 1 / 2, "short": 1 / 8, "vague": 1 / 8}.items():
        assert abs(shares[kind] - share) < 0.02, shares
    aside = [each for each in asked if each.is_kept_aside]
    assert 60 <= len(aside) <= 80
    assert {(each.collection, each.kind) for each in aside} == {(each.collection, each.kind) for each in asked}, (
        "what is kept aside has all kinds of all collections"
    )
