"""The context as the transcript shows it, in the real window: marks, where it starts, where a summary ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage

from chatdesk.core.domain.context import SummaryEnd
from chatdesk.core.domain.message import ContextMark, Message
from chatdesk.core.domain.summary import NewSummary, SummaryAuthor
from chatdesk.core.paths import AppPaths
from chatdesk.core.storage.chat.summaries import SummaryRepository
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.transcript.items.line_item import LineItem
from chatdesk.ui.transcript.items.mark_item import MarkItem
from tests.helpers.window import ask, play, until

pytestmark = pytest.mark.usefixtures("qapp")


def _words(application: WindowApplication, message_id: str) -> list[str]:
    entries = {entry.message.id: entry for entry in application.panes.transcript.entries}
    items = entries[message_id].items if message_id in entries else []
    return [item.words for item in items if isinstance(item, MarkItem | LineItem)]


async def _summarised(application: WindowApplication, first: str, last: str) -> None:
    """A summary of these messages, made by a person."""
    services = await application.services()
    message = await services.chat.reader.get_message(first)
    new = NewSummary(message.thread_id, first, last, "In short.", 3, SummaryAuthor.PERSON)
    made = await SummaryRepository(services.database).add(new)
    await services.chat.context.summaries.switch(made.id, is_on=True)


def test_a_message_is_marked_from_the_transcript(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await ask(application, "hello")
        transcript = application.panes.transcript
        chat = (await application.services()).chat
        for action, mark, words in (
            ("pin", ContextMark.PINNED, ["Pinned into the context"]),
            ("exclude", ContextMark.EXCLUDED, ["Excluded from the context"]),
            ("include", ContextMark.NONE, []),
            ("pin", ContextMark.PINNED, ["Pinned into the context"]),
            ("unpin", ContextMark.NONE, []),
        ):
            transcript.actionRequested.emit(action, answer.id)
            await until(lambda words=words: _words(application, answer.id) == words)
            assert (await chat.reader.get_message(answer.id)).context_mark is mark

    play(paths, script)


def test_the_context_starts_where_the_reader_says(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "one")
        answer = await ask(application, "two")
        assert answer.parent_id is not None
        transcript = application.panes.transcript
        transcript.actionRequested.emit("start-here", answer.parent_id)
        await until(lambda: _words(application, answer.parent_id) == ["The context starts here"])
        chat = (await application.services()).chat
        assert (await chat.context.report(answer.thread_id)).starts_at_id == answer.parent_id
        transcript.actionRequested.emit("start-at-beginning", answer.id)
        await until(lambda: _words(application, answer.parent_id) == [])

    play(paths, script)


def test_the_line_of_a_summary_follows_it_and_leads_to_it(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first = await ask(application, "one")
        second = await ask(application, "two")
        assert first.parent_id is not None
        await _summarised(application, first.parent_id, first.id)
        await until(lambda: _words(application, first.id) == ["Summarised up to here · 2 messages · Show"])
        application.panes.transcript.actionRequested.emit("show-summary", "")
        await until(lambda: application.bindings.inspection.inspector is not None)
        assert application.bindings.inspection.inspector.tab == "Summary"
        chat = (await application.services()).chat
        await chat.context.steering.mark_message(first.id, ContextMark.EXCLUDED)
        stale = "Summary of 2 messages ends here · out of date and not sent · Show"
        await until(lambda: stale in _words(application, first.id))
        meter = application.panes.header.context_meter
        await until(lambda: meter.accessibleName().endswith(", summary out of date"))
        assert "Make it again to have it sent." in meter.accessibleDescription()
        landmarks = await chat.context.landmarks(second.thread_id)
        assert landmarks.summary_ends == (SummaryEnd(first.id, 2, is_stale=True),)
        await chat.context.summaries.switch_thread(second.thread_id, is_on=False)
        await until(lambda: stale not in _words(application, first.id))
        await until(lambda: "summary" not in meter.accessibleName() + meter.accessibleDescription())
        assert (await chat.context.landmarks(second.thread_id)).summary_ends == ()

    play(paths, script)


def test_a_thread_that_is_opened_again_has_its_lines(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first = await ask(application, "one")
        assert first.parent_id is not None
        await _summarised(application, first.parent_id, first.id)
        await application.threads.open(None)
        await application.threads.open(first.thread_id)
        await until(lambda: _words(application, first.id) == ["Summarised up to here · 2 messages · Show"])

    play(paths, script)


def test_pictures_are_shown_in_compared_answers(paths: AppPaths, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    image = QImage(40, 30, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    assert image.save(str(picture))

    async def script(application: WindowApplication) -> None:
        await application.services()
        application.messages.models.compare([("offline", "offline-demo"), ("offline", "offline-echo")])
        application.panes.composer.sendRequested.emit("which one?")
        await until(lambda: application.bindings.comparison.view is not None)
        view = application.bindings.comparison.view
        assert view is not None
        for column in view.columns:
            assert (
                column.view.parts.viewport_layout.pictures
                is application.panes.transcript.parts.viewport_layout.pictures
                is not None
            )

        async def ended() -> Message:
            await until(lambda: all(column.answer.status.is_final for column in view.columns))
            return view.columns[0].answer

        await ended()

    play(paths, script)
