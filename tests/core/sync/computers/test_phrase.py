"""The recovery phrase: what a person types back is what was shown, or is refused."""

from __future__ import annotations

import pytest

from chatdesk.core.sync.computers.phrase import PhraseWrong, new_secret, phrase_of, secret_of


@pytest.mark.parametrize("secret", [bytes(16), b"\xff" * 16, bytes(range(16))])
def test_a_phrase_is_read_however_it_is_typed(secret: bytes) -> None:
    phrase = phrase_of(secret)
    assert [len(group) for group in phrase.split("-")] == [4] * 7
    typed = (phrase, phrase.lower(), phrase.replace("-", " "), f" {phrase}\n", phrase.replace("0", "o"))
    assert {secret_of(each) for each in typed} == {secret}
    assert secret_of(phrase.replace("1", "l")) == secret


def test_each_phrase_is_another() -> None:
    assert len({phrase_of(new_secret()) for _ in range(100)}) == 100


def test_each_wrong_sign_is_told() -> None:
    phrase = phrase_of(bytes(range(16)))
    for place, sign in enumerate(phrase):
        if sign != "-":
            with pytest.raises(PhraseWrong):
                secret_of(phrase[:place] + ("A" if sign != "A" else "B") + phrase[place + 1 :])


@pytest.mark.parametrize("typed", ["", " ", "hello", "Ω" * 28, "0" * 27, "0" * 29, "-" * 28, "0" * 10_000, "٣" * 28])
def test_what_is_none_is_refused(typed: str) -> None:
    with pytest.raises(PhraseWrong):
        secret_of(typed)
