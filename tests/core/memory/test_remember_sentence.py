"""Which messages ask for something to be remembered, and what."""

from __future__ import annotations

import pytest

from chatdesk.core.domain.memory import LONGEST_MEMORY
from chatdesk.core.memory.remember_sentence import fact_to_remember


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("remember that I drink tea", "I drink tea"),
        ("  Please, remember that I drink tea.  ", "I drink tea."),
        ("REMEMBER THAT: Dr. Smith is my dentist.", "Dr. Smith is my dentist."),
        ("Remember that version 3.11 is used, e.g. in tests.", "version 3.11 is used, e.g. in tests."),
        ("Bitte merk dir, dass ich Tee trinke.", "dass ich Tee trinke."),
        ("Merke dir: Ich trinke Tee.", "Ich trinke Tee."),
        ("Souviens-toi que je bois du thé.", "je bois du thé."),
        ("Retenez qu’il pleut.", "il pleut."),
        ("Por favor, recuerda que bebo té.", "bebo té."),
        ("Lembre-se de que bebo chá.", "bebo chá."),
        ("请记住，我喝茶。", "我喝茶。"),
        ("تذكر أنني أشرب الشاي", "أنني أشرب الشاي"),
        ("remember that \u202eI drink\u200b tea", "I drink tea"),
    ],
)
def test_a_sentence_that_begins_so_names_a_fact(text: str, fact: str) -> None:
    assert fact_to_remember(text) == fact


@pytest.mark.parametrize(
    "text",
    [
        "",
        "remember that",
        "remember that …!",
        "remember thatched roofs",
        "I remember that day",
        "Remember that film?",
        "Merk dir das",
        "remember that I drink tea. What else could I drink",
        "remember that I drink tea!\nAnd coffee",
        "请记住，我喝茶。他喝咖啡。",
        "remember that " + "x" * (LONGEST_MEMORY + 1),
        "remember that " * 100_000,
    ],
)
def test_any_other_message_names_none(text: str) -> None:
    assert fact_to_remember(text) == ""
