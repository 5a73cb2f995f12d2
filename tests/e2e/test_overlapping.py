"""What a person does while something else is on its way, in the order in which it would hurt."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer

from chatdesk.core.domain.library import ThreadQuery
from chatdesk.core.paths import AppPaths
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from tests.helpers.window import answered, ask, play, press, type_text, until

pytestmark = pytest.mark.usefixtures("qapp")


class Held:
    """The results of one method of the service: come about when it is called, and are handed out at the end."""

    def __init__(self) -> None:
        self.count = 0
        self.released = asyncio.Event()


@contextmanager
def held(service: object, method: str) -> Iterator[Held]:
    real, hold = getattr(service, method), Held()

    async def slow(*values: Any, **options: Any) -> Any:
        result = await real(*values, **options)
        hold.count += 1
        await hold.released.wait()
        return result

    setattr(service, method, slow)
    try:
        yield hold
    finally:
        delattr(service, method)
        hold.released.set()


async def _two_threads(application: WindowApplication) -> tuple[str, str]:
    """The second one is open."""
    await ask(application, "first thread")
    first = application.threads.thread_id
    application.threads.open_soon(None)
    await until(lambda: application.threads.thread_id is None)
    await ask(application, "second thread")
    second = application.threads.thread_id
    assert first is not None and second is not None
    await until(lambda: application.panes.transcript.total == 2)
    return first, second


async def _draft(application: WindowApplication, thread_id: str | None) -> str:
    draft = await (await application.services()).chat.drafts.get(thread_id)
    return "" if draft is None else draft.text


async def _questions(application: WindowApplication, thread_id: str) -> list[str]:
    page = await (await application.services()).chat.reader.get_thread_messages(thread_id)
    return [message.text for message in page.messages if message.role.value == "user"]


def test_a_question_that_is_sent_at_once_begins_a_thread_that_stays_open(paths: AppPaths) -> None:
    async def leave(application: WindowApplication) -> None:
        services = await application.services()
        project = await services.library.projects.create("Garden", "green")
        application.bindings.lists.show_project(project.id)
        await until(lambda: application.bindings.lists.project is not None)
        await ask(application, "the last one")
        await services.chat.drafts.save(None, "words for later", 3)

    async def look(application: WindowApplication) -> None:
        type_text(application, "an early question")
        press(application, Qt.Key.Key_Return)
        press(application, Qt.Key.Key_Return)
        services = await application.services()
        thread = application.threads.open_thread
        assert thread is not None and thread.title == "An early question"
        assert application.bindings.lists.project is not None
        assert thread.project_id == application.bindings.lists.project.id
        assert application.panes.composer.text() == ""
        assert len((await services.library.list_threads(ThreadQuery())).threads) == 2
        await until(lambda: application.panes.transcript.total == 2)
        application.threads.open_soon(None)
        await until(lambda: application.panes.composer.text() == "words for later")

    play(paths, leave)
    play(paths, look)


def test_what_is_typed_at_once_does_not_take_the_place_of_a_draft(paths: AppPaths) -> None:
    async def leave(application: WindowApplication) -> None:
        await ask(application, "the last one")
        await (await application.services()).chat.drafts.save(None, "words for later", 3)

    async def look(application: WindowApplication) -> None:
        await until(lambda: application.panes.commands.action("thread.new"))  # it is bound
        type_text(application, "early words")
        application.bindings.drafts.findChild(QTimer).timeout.emit()  # the services take longer than a pause in typing
        await application.services()
        assert application.panes.composer.text() == "early words"
        assert await _draft(application, None) == "words for later"

    play(paths, leave)
    play(paths, look)


def test_a_thread_that_is_chosen_twice_shows_its_draft(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first, second = await _two_threads(application)
        chat = (await application.services()).chat
        await chat.drafts.save(first, "draft of the first", 0)
        type_text(application, "draft of the second")
        with held(chat.drafts, "get") as hold:
            application.threads.open_soon(first)
            await until(lambda: hold.count)
            application.threads.open_soon(first)
            await asyncio.sleep(0)
        await until(lambda: application.panes.composer.text() == "draft of the first")
        assert await _draft(application, second) == "draft of the second"

    play(paths, script)


def test_what_is_typed_before_a_draft_is_there_stands_behind_it(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first, second = await _two_threads(application)
        chat, composer = (await application.services()).chat, application.panes.composer
        await chat.drafts.save(first, "draft of the first", 0)
        type_text(application, "draft of the second")
        with held(chat.drafts, "get") as hold:
            application.threads.open_soon(first)
            await until(lambda: hold.count)
            type_text(application, "and more")
            application.threads.open_soon(None)
            await until(lambda: application.threads.thread_id is None)
            type_text(application, "something new")
        await until(lambda: application.bindings.drafts.thread_id is None)
        await application.bindings.drafts.save()
        assert composer.text() == "something new"
        assert await _draft(application, first) == "draft of the first\nand more"
        assert await _draft(application, second) == "draft of the second"
        application.threads.open_soon(second)
        await until(lambda: composer.text() == "draft of the second")

    play(paths, script)


def test_another_thread_that_is_opened_while_a_question_is_sent_stays_open(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first, second = await _two_threads(application)
        services, composer = await application.services(), application.panes.composer
        chat = services.chat
        await chat.drafts.save(first, "draft of the first", 0)
        for method, begins_in in (("create_thread", None), ("send_message", second)):
            application.threads.open_soon(begins_in)
            await until(lambda begins_in=begins_in: application.threads.thread_id == begins_in)
            with held(chat, method) as hold:
                type_text(application, f"sent with {method}")
                press(application, Qt.Key.Key_Return)
                await until(lambda hold=hold: hold.count)
                application.threads.open_soon(first)
                await until(lambda: composer.text() == "draft of the first")
            await application.messages.wait_until_sent()
            assert application.threads.thread_id == first
            assert composer.text() == "draft of the first"

            async def is_sent(place: str | None = begins_in) -> bool:
                return not await _draft(application, place)

            await until(is_sent)
        assert (await _questions(application, second)) == ["second thread", "sent with send_message"]
        assert len((await services.library.list_threads(ThreadQuery())).threads) == 3

    play(paths, script)


def test_a_question_that_is_being_edited_is_not_changed_from_another_thread(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first, second = await _two_threads(application)
        composer = application.panes.composer
        application.messages.edit.start_last()
        await until(lambda: composer.text() == "second thread")
        type_text(application, " edited")
        application.threads.open_soon(first)
        await until(lambda: application.threads.thread_id == first and composer.text() == "")
        await ask(application, "asked in the first")
        assert await _questions(application, first) == ["first thread", "asked in the first"]
        assert await _questions(application, second) == ["second thread"]
        application.threads.open_soon(second)
        await until(lambda: composer.text() == "second thread edited")
        await answered(application, lambda: press(application, Qt.Key.Key_Return))
        assert await _questions(application, second) == ["second thread edited"]

    play(paths, script)


def test_what_is_told_of_a_thread_while_it_is_read_is_not_lost(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first, second = await _two_threads(application)
        chat = (await application.services()).chat
        with held(chat, "get_thread") as hold:
            application.threads.open_soon(first)
            await until(lambda: hold.count)
            await chat.rename_thread(first, "Renamed meanwhile")
        await until(lambda: application.threads.thread_id == first)
        assert application.threads.open_thread is not None
        assert application.threads.open_thread.title == "Renamed meanwhile"
        with held(chat, "get_thread") as hold:
            application.threads.open_soon(second)
            await until(lambda: hold.count)
            await (await application.services()).library.delete([second])
        await until(lambda: application.threads.thread_id != first)
        assert application.threads.thread_id is None

    play(paths, script)


def test_a_question_that_is_being_sent_when_the_window_closes_is_no_draft_afterwards(paths: AppPaths) -> None:
    async def leave(application: WindowApplication) -> None:
        await ask(application, "first")
        chat = (await application.services()).chat
        real, begun, closing = chat.send_message, asyncio.Event(), asyncio.Event()
        wait_until_sent = application.messages.wait_until_sent

        async def slow(*values: Any, **options: Any) -> Any:
            begun.set()
            await closing.wait()
            return await real(*values, **options)

        async def wait_as_the_window_closes() -> None:
            closing.set()
            await wait_until_sent()

        application.messages.wait_until_sent = wait_as_the_window_closes  # type: ignore[method-assign]

        chat.send_message = slow  # type: ignore[method-assign]
        type_text(application, "second")
        press(application, Qt.Key.Key_Return)
        await begun.wait()

    async def look(application: WindowApplication) -> None:
        await application.services()
        assert application.panes.composer.text() == ""
        thread_id = application.threads.thread_id
        assert thread_id is not None
        assert await _questions(application, thread_id) == ["first", "second"]

    play(paths, leave)
    play(paths, look)


def test_a_version_is_shown_also_where_its_thread_was_left_and_opened_again_meanwhile(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first, second = await _two_threads(application)
        chat, transcript = (await application.services()).chat, application.panes.transcript
        old = transcript.entries[1].message.id
        await answered(application, application.messages.actions.regenerate_last)
        await until(lambda: len(transcript.entries) == 2 and transcript.entries[1].message.id != old)
        new = transcript.entries[1].message.id
        real, go_on = chat.paths.select_version, asyncio.Event()

        async def slow(message_id: str) -> object:
            await go_on.wait()
            return await real(message_id)

        chat.paths.select_version = slow  # type: ignore[assignment]
        transcript.actionRequested.emit("version-previous", new)
        await until(lambda: transcript.entries[1].message.id == old)  # seen ahead
        for thread_id in (first, second):
            application.threads.open_soon(thread_id)
            await until(lambda thread_id=thread_id: transcript.thread_id == thread_id and len(transcript.entries) == 2)
        assert transcript.entries[1].message.id == new
        go_on.set()
        await until(lambda: len(transcript.entries) == 2 and transcript.entries[1].message.id == old)

    play(paths, script)


def test_a_window_that_is_closed_before_its_thread_is_there_opens_it_the_next_time(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str | None] = []

    async def leave(application: WindowApplication) -> None:
        await ask(application, "the last one")
        left.append(application.threads.thread_id)

    async def close(application: WindowApplication) -> None:
        await sought.wait()

    async def look(application: WindowApplication) -> None:
        await application.services()
        assert application.threads.thread_id == left[0]

    async def open_first(_threads: ThreadBinding, _thread_id: str | None) -> None:
        sought.set()
        await asyncio.Event().wait()

    play(paths, leave)
    sought = asyncio.Event()
    with monkeypatch.context() as patch:
        patch.setattr(ThreadBinding, "open_first", open_first)
        play(paths, close)
    play(paths, look)


def test_what_stood_in_the_composer_before_an_edit_is_stored_while_it_lasts_and_not_part_of_it(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first, second = await _two_threads(application)
        composer = application.panes.composer

        async def stored(text: str) -> None:
            async def is_there() -> bool:
                return await _draft(application, second) == text

            await until(is_there)

        type_text(application, "half a thought")
        await stored("half a thought")
        question = application.panes.transcript.entries[0].message
        application.messages.edit.start(question.id)
        await until(lambda: composer.text() == question.text)
        type_text(application, " edited")
        await stored("half a thought\nsecond thread edited")  # as it would be found after a kill
        application.threads.open_soon(first)
        await until(lambda: application.panes.transcript.thread_id == first and composer.text() == "")
        await stored("half a thought\nsecond thread edited")
        application.threads.open_soon(second)
        await until(lambda: application.panes.transcript.thread_id == second)
        await until(lambda: composer.text() == "second thread edited")
        await until(lambda: application.panes.transcript.entries)
        await answered(application, lambda: press(application, Qt.Key.Key_Return))
        await until(lambda: composer.text() == "half a thought")
        await stored("half a thought")
        assert await _questions(application, second) == ["second thread edited"]

    play(paths, script)


def test_an_edit_that_makes_room_for_another_one_comes_back(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "first question")
        await ask(application, "second question")
        composer, edit = application.panes.composer, application.messages.edit
        await until(lambda: len(application.panes.transcript.entries) == 4)
        first, second = (application.panes.transcript.entries[place].message.id for place in (0, 2))
        type_text(application, "draft")
        edit.start(first)
        await until(lambda: composer.text() == "first question")
        type_text(application, " in better words")
        edit.start(second)
        await until(lambda: composer.text() == "second question")
        type_text(application, " again")
        edit.start(second)  # as whoever presses a second time
        edit.start_last()
        application.panes.transcript.setFocus()
        await until(composer.editor.hasFocus)
        assert composer.text() == "second question again"
        edit.cancel()
        assert composer.text() == "draft\nfirst question in better words"

    play(paths, script)


def test_what_stood_in_the_composer_before_a_question_is_edited_comes_back(paths: AppPaths) -> None:
    async def leave(application: WindowApplication) -> None:
        first, second = await _two_threads(application)
        composer, messages = application.panes.composer, application.messages

        async def edit(text: str) -> None:
            type_text(application, text)
            question = application.panes.transcript.entries[0].message
            messages.edit.start(question.id)
            await until(lambda: composer.text() == question.text)

        await edit("half a thought")
        messages.edit.cancel()
        assert composer.text() == "half a thought"
        await edit("!")
        type_text(application, " edited")
        await answered(application, lambda: press(application, Qt.Key.Key_Return))
        await until(lambda: composer.text() == "half a thought!")
        await until(lambda: not application.messages.can_stop())
        # Left for another question, or with the window, both stay.
        await until(lambda: application.panes.transcript.entries[0].message.text == "second thread edited")
        await edit("")
        type_text(application, " twice")
        application.threads.open_soon(first)
        await until(lambda: application.panes.transcript.thread_id == first and composer.text() == "")
        await until(lambda: len(application.panes.transcript.entries) == 2)
        await edit("in the first")

        async def is_there() -> bool:
            return await _draft(application, second) == "half a thought!\nsecond thread edited twice"

        await until(is_there)

    async def look(application: WindowApplication) -> None:
        await application.services()
        assert application.panes.composer.text() == "in the first"

    play(paths, leave)
    play(paths, look)
