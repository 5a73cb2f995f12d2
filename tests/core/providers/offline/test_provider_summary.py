from __future__ import annotations

from chatdesk.core.domain.message import Role
from chatdesk.core.providers.base import ChatRequest, RequestMessage, TextDelta
from chatdesk.core.providers.offline.provider import OfflineProvider, compose_summary

MATERIAL = """Earlier summary:
- The port is 8080.

==========

Person: Hello there. It is a nice day today and nothing of note happened at all.

Model: We decided to use Postgres 16 because Alice asked for it. Shall we meet on 3 May?

=========="""


def test_telling_sentences_are_kept_in_their_order() -> None:
    summary = compose_summary(MATERIAL)
    lines = summary.splitlines()
    assert "- The port is 8080." in lines
    assert "- We decided to use Postgres 16 because Alice asked for it." in lines
    assert lines.index("- The port is 8080.") < len(lines) - 1
    assert "nice day" not in summary
    assert "===" not in summary


def test_it_is_shorter_than_what_it_is_made_of_and_always_the_same() -> None:
    material = "\n\n".join(f"Person: fact {number} is {number * 7}. Plain words." for number in range(500))
    assert len(compose_summary(material)) < 2_000
    assert compose_summary(material) == compose_summary(material)
    assert compose_summary("") == ""


async def test_the_offline_model_summarises_when_it_is_asked_to() -> None:
    request = ChatRequest("offline-demo", [RequestMessage(Role.USER, MATERIAL)], is_summary=True)
    events = [event async for event in OfflineProvider(speed_tokens_per_s=None).stream(request)]
    text = "".join(event.text for event in events if isinstance(event, TextDelta))
    assert text == compose_summary(MATERIAL)
