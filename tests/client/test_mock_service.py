"""The service in memory answers as the real one does, and what fails on purpose is made once all the same."""

from __future__ import annotations

import httpx2
import pytest

from chatdesk.client import AnswerFailed, BadToken, Client, Conflict, NotFound, Retries, ServiceFailed, Tag, Unreachable
from chatdesk.client.errors import problem_of
from chatdesk.client.events import Following, MessageAdded, Resync
from chatdesk.client.mock_service import URL, MockService

pytest_plugins = ["chatdesk.client.fixtures"]


def test_the_fixtures_give_a_client_of_a_service(chatdesk_service: MockService, chatdesk_client: Client) -> None:
    thread = chatdesk_client.make_thread("From a test")
    answer = chatdesk_client.ask(thread.id, "Why is that so?")
    pieces = list(answer)
    assert len(pieces) > 1 and "".join(pieces) == answer.text == "A mock answer."
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (4, 3)
    assert [each.role for each in chatdesk_client.history(thread.id)] == ["assistant", "user"]
    assert list(chatdesk_service.threads) == [thread.id]


def test_reads_and_writes_with_a_key_are_sent_again(chatdesk_service: MockService, chatdesk_client: Client) -> None:
    chatdesk_service.fail_next(503, httpx2.ReadError("cut off"), httpx2.ReadTimeout("late"))
    thread = chatdesk_client.make_thread("Once")
    sent = [each for each in chatdesk_service.seen if each.method == "POST"]
    assert len(sent) == 4 and len({each.key for each in sent}) == 1 and sent[0].key
    assert list(chatdesk_service.threads) == [thread.id]
    chatdesk_service.fail_next(429)
    assert len(chatdesk_client.projects()) == 1


@pytest.mark.parametrize(("status", "kind"), [(401, BadToken), (404, NotFound), (409, Conflict), (500, ServiceFailed)])
def test_what_another_try_does_not_mend_is_sent_once(
    chatdesk_service: MockService, chatdesk_client: Client, status: int, kind: type[Exception]
) -> None:
    chatdesk_service.fail_next(status)
    with pytest.raises(kind):
        chatdesk_client.projects()
    assert len(chatdesk_service.seen) == 1


def test_typing_is_taken_and_makes_nothing(chatdesk_service: MockService, chatdesk_client: Client) -> None:
    thread = chatdesk_client.make_thread("Shared")
    chatdesk_client.show_typing(thread.id)
    chatdesk_client.show_typing(thread.id, is_typing=False)
    assert [each.body for each in chatdesk_service.seen[-2:]] == [{"is_typing": True}, {"is_typing": False}]
    assert list(chatdesk_client.history(thread.id)) == []
    with pytest.raises(NotFound):
        chatdesk_client.show_typing("nobody")


def test_tries_end(chatdesk_service: MockService) -> None:
    chatdesk_service.fail_next(*[httpx2.ConnectError("refused")] * 9)
    with (
        Client(URL, "cd_mock", transport=chatdesk_service.transport, retries=Retries(3, 0)) as client,
        pytest.raises(Unreachable),
    ):
        client.projects()
    assert len(chatdesk_service.seen) == 3


async def test_the_asynchronous_client_does_the_same(chatdesk_service: MockService) -> None:
    chatdesk_service.fail_next(503)
    async with chatdesk_service.async_client() as client:
        thread = await client.make_thread("Asynchronous")
        answer = await client.ask(thread.id, "Why?")
        assert "".join([piece async for piece in answer]) == "A mock answer."
        assert [each.id async for each in client.threads()] == [thread.id]


def test_an_answer_that_fails_raises(chatdesk_service: MockService, chatdesk_client: Client) -> None:
    thread = chatdesk_client.make_thread()
    answer = chatdesk_client.ask(thread.id, "Why?")
    stored = chatdesk_service.messages[thread.id][-1]
    chatdesk_client.stop(thread.id)
    stored |= {"status": "error", "error": "No credit.", "error_code": "no_credit"}
    with pytest.raises(AnswerFailed, match="No credit") as failed:
        list(answer)
    assert failed.value.code == "no_credit"


@pytest.mark.parametrize("body", [None, [], "text", {"code": 7, "fields": "no"}, {"fields": [1, {"place": None}]}])
def test_a_refusal_that_is_none_of_chatdesk_is_one_all_the_same(body: object) -> None:
    error = problem_of(502, body, "soon")
    assert isinstance(error, ServiceFailed) and error.code == "unknown" and error.retry_after_s is None


async def test_events_arrive_once_over_connections_that_are_cut(chatdesk_service: MockService) -> None:
    async with chatdesk_service.async_client() as client:
        thread = await client.make_thread("Told")
        async with client.events(thread.id) as events:
            assert await anext(events) == Following()
            for number in range(3):
                await client.note(thread.id, f"note {number}")
                event = await anext(events)
                assert isinstance(event, MessageAdded)
                assert event.message.text == f"note {number}"
                chatdesk_service.cut_events()
            assert [each.path for each in chatdesk_service.seen].count("/api/v1/events") == 3
            number = events.number
        await client.note(thread.id, "while away")
        async with client.events(thread.id, after=number) as events:
            assert (await anext(events)).message.text == "while away"  # type: ignore[union-attr]


def test_a_new_start_of_the_service_is_told(chatdesk_service: MockService, chatdesk_client: Client) -> None:
    thread = chatdesk_client.make_thread("Told")
    asked = chatdesk_client.ask(thread.id, "Why?")
    with chatdesk_client.events() as events:
        following = next(events)
        assert isinstance(following, Following)
        assert [each.id for each in following.messages] == [asked.message.id]
        chatdesk_service.restart()
        again = next(events)
        assert isinstance(again, Resync)
    assert "".join(asked) == "A mock answer."


def test_an_answer_is_whole_over_connections_that_are_cut(
    chatdesk_service: MockService, chatdesk_client: Client
) -> None:
    answer = chatdesk_client.ask(chatdesk_client.make_thread().id, "Why?")
    pieces = []
    for piece in answer:
        pieces.append(piece)
        chatdesk_service.cut_events()
    assert len(pieces) == 3
    assert "".join(pieces) == answer.text == "A mock answer."


def test_what_a_test_gives_is_answered(chatdesk_service: MockService, chatdesk_client: Client) -> None:
    with pytest.raises(NotFound):
        chatdesk_client.tags()
    chatdesk_service.give("GET", "/api/v1/tags", {"tags": [{"id": "1", "name": "science", "threads": 2}]})
    assert chatdesk_client.tags() == (Tag("1", "science", 2),)


def test_following_ends_where_connections_fail_in_a_row(chatdesk_service: MockService) -> None:
    retries = Retries(attempts=1, first_s=0, connections=3)
    with Client(URL, "cd_mock", transport=chatdesk_service.transport, retries=retries) as client:
        chatdesk_service.fail_next(503, httpx2.ConnectError("refused"))
        with client.events() as events:
            assert isinstance(next(events), Following)
            chatdesk_service.cut_events()
            chatdesk_service.fail_next(*[httpx2.ConnectError("refused")] * 9)
            with pytest.raises(Unreachable):
                next(events)
    assert [each.path for each in chatdesk_service.seen] == ["/api/v1/events"] * 6
