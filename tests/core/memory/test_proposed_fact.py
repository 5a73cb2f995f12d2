"""Which sentences of a question are proposed as memories."""

from __future__ import annotations

import pytest

from chatdesk.core.memory.proposed_fact import fact_to_propose


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("I live in Graz. Where can I swim?", "I live in Graz"),
        ("Hello! My name is Ada Lovelace.", "My name is Ada Lovelace"),
        ("Which one?\nI prefer British English!", "I prefer British English"),
        ("call me Ada", "call me Ada"),
        ("I'm allergic to nuts, what can I eat instead?\nI work at St. Anna", "I work at St"),
        ("I live in Berlin since v1.5 came out. And you?", "I live in Berlin since v1.5 came out"),
        ("Ich wohne in Köln. Wo kann man baden?", "Ich wohne in Köln"),
        ("Nenn mich Ada.", "Nenn mich Ada"),
        ("Je m’appelle Ada.", "Je m’appelle Ada"),
        ("Vivo en Quito. ¿Dónde puedo nadar?", "Vivo en Quito"),
        ("Eu moro em Recife.", "Eu moro em Recife"),
        ("我住在北京。哪里可以游泳？", "我住在北京"),
        ("私の名前はエイダです。", "私の名前はエイダです"),
        ("أعيش في القاهرة. أين أسبح؟", "أعيش في القاهرة"),
        ("I live in \u202eGraz\u200b.", "I live in Graz"),
    ],
)
def test_a_sentence_about_the_person_is_proposed(text: str, fact: str) -> None:
    assert fact_to_propose(text) == fact


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Where do I live in this story?",
        "My name is what?",
        "Call me later.",
        "call me a cab",
        "I prefer not to say.",
        "She said that I live in Graz.",
        "> I live in Graz.",
        '"My name is Bob", he wrote.',
        "- I live in Graz",
        "`my name is x`",
        "I lived in Graz.",
        "I live in " + "x" * 200,
        "I live in Graz. " + "And more. " * 100,
        "I live in" * 100_000,
        "Nenn mich nicht so.",
    ],
)
def test_any_other_text_is_not(text: str) -> None:
    assert fact_to_propose(text) == ""
