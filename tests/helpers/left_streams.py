"""Streams that are left halfway in the real window, by *Stop* and by what servers send, and the noise that it makes.

What is left of a stream is finalised when it is collected: so garbage is collected all the time here.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog

from chatdesk.core.domain.message import Status
from chatdesk.core.domain.provider_check import Step, StepState
from chatdesk.core.errors import ProviderErrorKind
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.schema import Settings
from chatdesk.ui.application.window_application import WindowApplication
from tests.helpers.fault_cases import CASES, SOME, body, failing, sse
from tests.helpers.fault_server import Exchange, Script, answer, chunk, models
from tests.helpers.served import Served, served
from tests.helpers.window import answered, play, press, type_text, until

_PACE_S = 0.002
_COLLECT_EVERY_S = 0.003
_LONGEST_S = 600.0
_LONGEST_CASE_S = 90.0

Playing = Callable[[WindowApplication], Awaitable[None]]


async def _large_event(exchange: Exchange) -> None:
    await exchange.start()
    await exchange.send(SOME)
    for _ in range(9):
        await exchange.send(b"data: " + b"y" * 1_000_000)
    await exchange.finish()


async def slow_words(exchange: Exchange) -> None:
    """A word each 2 ms, until the other side goes away."""
    await exchange.start()
    while True:
        await exchange.delta(content="word ")
        await asyncio.sleep(_PACE_S)


# What ends an answer with an error while bytes are still to be read, and what is not read to its end at all.
ERRORS: tuple[Script, ...] = (
    body(SOME, sse({"error": {"message": "boom"}}), then="hang"),
    body(SOME, sse({"error": {"message": "boom"}}) + sse(chunk({"content": "more"})) * 20),
    body(SOME, 'event: error\ndata: {"message": "The machine is on fire."}\n\n', then="hang"),
    body(SOME, "data: {nope}\n\n", then="hang"),
    body(SOME, "data: {nope}\n\n" + sse(chunk({"content": "more"})) * 20),
    body(SOME, b'data: {"a": "\xff\xfe"}\n\n', then="hang"),
    body(SOME, sse(chunk({"content": 7})), then="hang"),
    _large_event,
    body("<!doctype html><html><title>Log in</title></html>", content_type="text/html", then="hang"),
    body("<!doctype html>\n<html><title>Log in</title></html>\n", then="end"),
    body("[1, 2, 3]", content_type="application/json"),
    body(SOME, headers=(("Content-Encoding", "gzip"),), then="hang"),
    body(SOME, then="reset"),
    body(SOME, then="close"),
    failing(400, "messages: field required"),
    failing(401, "Incorrect API key provided"),
    failing(403, "x" * 200_000),
    failing(422, "temperature: must be at most 2"),
    body(b"\0" * 5000, status=400, headers=(("Content-Encoding", "gzip"),), then="hang"),
)


@dataclass
class Noise:
    """What nobody should hear of: log lines of warning and above, and dialogs that opened."""

    lines: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    reports: int = 0

    @property
    def total(self) -> int:
        return len(self.lines) + len(self.dialogs) + self.reports


class _Listening(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        trace = repr(record.exc_info[1]) if record.exc_info else ""
        self._lines.append(f"{record.name}: {record.getMessage()} {trace}")


@contextmanager
def _heard(noise: Noise) -> Iterator[None]:
    handler = _Listening(noise.lines)
    logging.getLogger().addHandler(handler)
    before = sys.unraisablehook
    # Before and after the window; in between its own hook logs them.
    sys.unraisablehook = lambda found: noise.lines.append(f"unraisable: {found.exc_value!r}")
    try:
        yield
    finally:
        sys.unraisablehook = before
        logging.getLogger().removeHandler(handler)


async def _collect_all_the_time() -> None:
    """In the window's thread: what another one collected might be a widget of the test before."""
    while True:
        gc.collect(1)
        await asyncio.sleep(_COLLECT_EVERY_S)


def _settings(server: Served) -> Settings:
    return Settings(
        silence_timeout_s=1,
        first_byte_timeout_s=0.5,  # ten times as long for a server on this computer
        provider="openai",
        openai_base_url=server.base_url,
        openai_model="m",
        model_titles=False,
        summaries=False,
    )


def noise_of_stops(paths: AppPaths, count: int) -> Noise:
    """Ask and press *Escape* in the middle of the answer, ``count`` times."""
    noise = Noise()

    async def script(application: WindowApplication) -> None:
        services = await application.services()
        for number in range(count):
            asked = asyncio.ensure_future(answered(application, lambda: _send(application)))
            await until(lambda: application.panes.composer.is_streaming)
            await asyncio.sleep(number % 7 * 0.01)  # every place of the reading is left once
            press(application, Qt.Key.Key_Escape)
            ended = await asked
            assert ended.status is Status.STOPPED
            _note_dialogs(noise)
        assert not services.chat.is_writing

    with served(slow_words) as server:
        _listen_and_play(paths, script, server, noise)
    return noise


def noise_of_errors(paths: AppPaths, count: int) -> Noise:
    """Ask a server that fails in another way each time."""
    noise = Noise()

    async def script(application: WindowApplication) -> None:
        await application.services()
        for number in range(count):
            await asyncio.to_thread(_change, server, ERRORS[number % len(ERRORS)])
            ended = await answered(application, lambda: _send(application))
            assert ended.status is Status.ERROR, number % len(ERRORS)
            _note_dialogs(noise)

    with served(answer()) as server:
        _listen_and_play(paths, script, server, noise)
    return noise


def noise_of_tests(paths: AppPaths, count: int) -> Noise:
    """Test the provider, which reads an answer up to its first piece; every other test is left before its end."""
    noise = Noise()

    async def script(application: WindowApplication) -> None:
        service = (await application.services()).provider_service
        (profile,) = (each.profile for each in await service.shown() if each.profile.id == "openai")
        for number in range(count):
            states = []
            async with aclosing(service.test(profile)) as results:
                async for result in results:
                    states.append(result.state)
                    if number % 2 and result.step is Step.STREAMING:
                        break
            assert StepState.FAILED not in states
            _note_dialogs(noise)

    with served(_models_or_words) as server:
        _listen_and_play(paths, script, server, noise)
    return noise


def noise_of_silence(paths: AppPaths, count: int) -> Noise:
    """Ask a server that falls silent in the middle of its answer."""
    noise = Noise()

    async def script(application: WindowApplication) -> None:
        await application.services()
        for _ in range(count):
            ended = await answered(application, lambda: _send(application))
            assert ended.error_type == ProviderErrorKind.SILENCE.value
            _note_dialogs(noise)

    with served(body(SOME, then="hang")) as server:
        _listen_and_play(paths, script, server, noise)
    return noise


def noise_of_cases(paths: AppPaths) -> Noise:
    """Every kind of misbehaviour of a server that the documents name and that does not make the next question wait."""
    noise = Noise()

    async def script(application: WindowApplication) -> None:
        await application.services()
        for case in CASES:
            if case.scripts and not case.has_to_wait and not case.asks:
                await asyncio.to_thread(_change, server, *case.scripts)
                ended = await answered(application, lambda: _send(application), wait_s=_LONGEST_CASE_S)
                assert (ended.status is Status.COMPLETE) is (case.kind is None), case.name
                _note_dialogs(noise)

    with served(answer()) as server:
        _listen_and_play(paths, script, server, noise)
    return noise


async def _models_or_words(exchange: Exchange) -> None:
    is_list = exchange.request.path.endswith("/models")
    await (models("m")(exchange) if is_list else slow_words(exchange))


def _change(server: Served, *scripts: Script) -> None:
    async def change() -> None:
        server.server.play(*scripts)

    server.run(change())


def _send(application: WindowApplication) -> None:
    type_text(application, "Tell me")
    press(application, Qt.Key.Key_Return)


def _note_dialogs(noise: Noise) -> None:
    for each in QApplication.topLevelWidgets():
        if isinstance(each, QDialog) and each.isVisible():
            noise.dialogs.append(f"{type(each).__name__}: {each.windowTitle()}")
            each.close()


def _listen_and_play(paths: AppPaths, script: Playing, server: Served, noise: Noise) -> None:
    async def disturbed(application: WindowApplication) -> None:
        collecting = asyncio.ensure_future(_collect_all_the_time())
        try:
            await script(application)
        finally:
            collecting.cancel()

    with _heard(noise):
        play(paths, disturbed, _settings(server), timeout_s=_LONGEST_S)
        gc.collect()
    noise.reports = len(list(paths.crash_dir.glob("crash-*")))
