"""One line for each thing that happens, with ids, numbers and reasons, and never a word that somebody wrote."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import logging
import re
from pathlib import Path

import pytest

from chatdesk.core import events
from chatdesk.core.diagnostics.event_log import EventLog, job, log_event
from chatdesk.core.diagnostics.logs import start_logging
from chatdesk.core.diagnostics.redaction import process_redactor
from chatdesk.core.domain.exports import Choice, ExportFormat
from chatdesk.core.domain.message import Message, Part, PartType, Role, Status
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.domain.sharing.team import SyncPhase, SyncStatus
from chatdesk.core.domain.thread import Thread
from chatdesk.core.errors import StorageFull
from chatdesk.core.events import EventBus
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.schema import Settings
from chatdesk.services.asking import ask
from chatdesk.services.owner import open_services
from tests.helpers.fault_server import Exchange, FaultServer, answer, models, status

WORDS = "marked-words-qzjx"
KEY = "sk-marked-qzjx-canary-0815"
# What is said often or says nothing to whoever supports a person: text itself, and what others are told to read again.
NOT_LOGGED = {
    events.TextStreamed, events.MessageChanged, events.ContextChanged, events.SummaryFailed, events.UsageRecorded,
    events.PresenceChanged, events.UnreadChanged, events.SharedFilesChanged, events.SummaryWorkChanged,
    events.ToolServersChanged, events.ServerRequestsChanged, events.ToolsOffered,
    events.WaitingQuestionsChanged, events.ProjectFilesChanged, events.MemoriesChanged,
}  # fmt: skip


def _events() -> set[type]:
    found = (each for _name, each in inspect.getmembers(events, dataclasses.is_dataclass))
    return {each for each in found if each.__module__ == events.__name__}


class _Bus(EventBus):
    """Knows what was subscribed to."""

    def __init__(self) -> None:
        super().__init__()
        self.kinds: set[type] = set()

    def subscribe(self, kind, handler):  # type: ignore[no-untyped-def, override]
        self.kinds.add(kind)
        return super().subscribe(kind, handler)


def test_every_event_has_a_line_or_a_reason_for_none() -> None:
    bus = _Bus()
    log = EventLog(bus)
    assert bus.kinds.isdisjoint(NOT_LOGGED)
    assert bus.kinds | NOT_LOGGED == _events()
    log.close()


def _lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "chatdesk.events"]


def test_the_end_of_a_turn_says_how_and_what_it_took(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "chatdesk.events")
    bus = EventBus()
    log = EventLog(bus)
    parts = (
        Part("p1", "m1", 0, PartType.TEXT, {"text": WORDS}),
        Part("p2", "m1", 1, PartType.TOOL_CALL, {"name": WORDS, "arguments": WORDS}, tool_duration_ms=30),
    )
    message = Message(
        "m1", "t1", "q1", Role.ASSISTANT, Status.ERROR, 0, 1, parts,
        provider="openai", model="a model\nwith lines", latency_ms=900, time_to_first_token_ms=120, prompt_tokens=10,
        completion_tokens=20, error=WORDS, error_type="rate_limited", error_details={"status": 429, "what": WORDS},
    )  # fmt: skip
    bus.publish(events.TurnStarted("t1", "m1", "openai", "small"))
    bus.publish(events.FirstTokenArrived("t1", "m1", 120))
    bus.publish(events.AnswerFinished(message))
    bus.publish(events.TurnTimed("t1", "m1", loading_ms=700, streaming_ms=780, storing_ms=5, pieces=20))
    log.close()
    bus.publish(events.TurnStarted("t1", "m2", "openai", "small"))
    assert _lines(caplog) == [
        "turn.asked thread=t1 answer=m1 provider=openai model=small",
        "turn.first_token thread=t1 answer=m1 first_token_ms=120",
        "tool.called thread=t1 answer=m1 index=1 bytes=34 took_ms=30",
        (
            'turn.ended thread=t1 answer=m1 provider=openai model="a model\\nwith lines" status=error'
            " reason=rate_limited http=429 input_tokens=10 output_tokens=20 written_tokens=0 latency_ms=900"
            " first_token_ms=120"
        ),
        "turn.timed thread=t1 answer=m1 loading_ms=700 streaming_ms=780 storing_ms=5 pieces=20",
    ]
    assert caplog.records[-1].levelno == logging.DEBUG


def test_sync_has_a_line_for_each_phase_and_none_for_progress(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "chatdesk.events")
    bus = EventBus()
    EventLog(bus)
    for status_ in (
        SyncStatus("w1", SyncPhase.SYNCING, waiting=3),
        SyncStatus("w1", SyncPhase.SYNCING, waiting=2),
        SyncStatus("w1", SyncPhase.OFFLINE, problem=WORDS, code="team_unreachable"),
    ):
        bus.publish(events.SyncStatusChanged(status_))
    assert _lines(caplog) == [
        "sync.phase workspace=w1 phase=syncing",
        "sync.phase workspace=w1 phase=offline reason=team_unreachable",
    ]


async def test_a_job_says_how_it_ended_and_why(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "chatdesk.events")
    with job("backup.ended", kind="zip") as told:
        told["bytes"] = 5
    with pytest.raises(StorageFull), job("export.ended"):
        raise StorageFull(WORDS)
    with pytest.raises(ValueError, match=WORDS), job("import.ended"):
        raise ValueError(WORDS)
    with pytest.raises(asyncio.CancelledError), job("export.ended"):
        raise asyncio.CancelledError
    found = [re.sub(r"took_ms=\d+", "took_ms=N", line) for line in _lines(caplog)]
    assert found == [
        "backup.ended status=done took_ms=N kind=zip bytes=5",
        "export.ended status=failed reason=storage_full took_ms=N",
        "import.ended status=failed reason=ValueError took_ms=N",
        "export.ended status=stopped took_ms=N",
    ]


@pytest.mark.parametrize(
    "value", ["two words", "a=b", 'quoted "', "line\nbreak", "\x1b[31m", "", "ünï", "x" * 500, "\u2028"]
)
def test_no_value_can_be_taken_for_another_key_or_line(caplog: pytest.LogCaptureFixture, value: str) -> None:
    caplog.set_level(logging.INFO, "chatdesk.events")
    log_event("thing.happened", model=value, after=1)
    (line,) = _lines(caplog)
    assert line.isascii()
    assert line.isprintable()
    assert re.fullmatch(r'thing\.happened model="(?:[^"\\]|\\.)*" after=1', line)


async def _server(exchange: Exchange) -> None:
    body = exchange.request.body.rsplit(b'"role":"user"', 1)[-1]
    if exchange.request.path.endswith("/models"):
        await models("tiny")(exchange)
    elif b"fail" in body:
        await status(400, {"error": {"message": f"no: {body.decode()} {exchange.request.headers}"}})(exchange)
    else:
        await answer(f"Fine, {WORDS}.")(exchange)


async def _use(paths: AppPaths, outside: Path) -> dict[str, str]:
    async with FaultServer(_server) as server, open_services(paths, Settings()) as services:
        service = services.provider_service
        await service.keys.choose_place(KeyPlace.FILE, passphrase="four marked words qzjx here")
        saved = await service.save(ProviderProfile("", "other", "Marked", server.base_url), key=KEY)
        ids: dict[str, str] = {}
        for text in (f"Hello {WORDS}", f"please fail {WORDS}"):
            async for event in ask(services, text, thread_id=ids.get("thread_id"), provider=saved.id, model="tiny"):
                if event["event"] == "start":
                    ids |= event
        thread_id = ids["thread_id"]
        await services.chat.rename_thread(thread_id, f"Title {WORDS}")
        await services.exports.export(Choice((thread_id,)), ExportFormat.MARKDOWN, outside / f"{WORDS}.md")
        await services.exports.export(Choice(), ExportFormat.JSON, outside / "all.json")
        await services.importer.run(outside / "all.json")
        await services.backups.make_zip(outside / f"{WORDS}.zip")
        await services.maintenance.back_up_now()
        await services.library.delete([thread_id])
        await services.library.restore([thread_id])
    return ids


def test_the_log_has_events_but_no_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything at its most talkative, with a server that quotes all it was sent."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    paths = AppPaths.find(tmp_path / "home", {})
    paths.make_directories()
    logs = start_logging(paths.log_file, process_redactor, level="debug")
    try:
        ids = asyncio.run(_use(paths, tmp_path))
    finally:
        logs.stop()
    text = paths.log_file.read_text()
    assert WORDS not in text
    assert "qzjx" not in text.replace(str(tmp_path), "")
    thread, answer_id = ids["thread_id"], ids["message_id"]
    for expected in (
        rf"thread\.created thread={thread} ",
        rf"message\.added thread={thread} message=\S+ role=user characters=",
        rf"turn\.asked thread={thread} answer={answer_id} provider=\S+ model=tiny",
        rf"turn\.first_token thread={thread} ",
        rf"turn\.ended thread={thread} .*status=complete .*latency_ms=\d+ first_token_ms=\d+",
        rf"turn\.ended thread={thread} answer={answer_id} .*status=error reason=bad_request http=400",
        rf"turn\.timed thread={thread} ",
        r"threads\.changed count=1",
        r"export\.ended status=done took_ms=\d+ format=md threads=1 messages=4",
        r"import\.ended status=done .*source=ChatDesk",
        r"backup\.ended status=done took_ms=\d+ kind=zip missing_files=0 bytes=\d+",
        r"backup\.ended status=done took_ms=\d+ kind=asked bytes=\d+",
    ):
        assert re.search(expected, text), expected


def test_a_thread_event_names_no_title(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "chatdesk.events")
    bus = EventBus()
    EventLog(bus)
    bus.publish(events.ThreadCreated(Thread("t1", "p1", WORDS, WORDS, None, None, 0, 0, message_count=2)))
    assert _lines(caplog) == ["thread.created thread=t1 project=p1 messages=2"]
