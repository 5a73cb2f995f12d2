"""Where no request can be made, the window says so and offers what helps, in place."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from PySide6.QtWidgets import QApplication, QDialog

from chatdesk.core.domain.message import ContextMark, Message, Status
from chatdesk.core.errors import ProviderErrorKind
from chatdesk.core.paths import AppPaths
from chatdesk.core.providers.base import ListedModel
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.commands.message_action import QUICK
from chatdesk.ui.commands.message_catalogue import MESSAGE_ACTIONS, QUICK_ACTIONS
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.messages.notices import CANCEL_WAITING, SEND_FIRST, TRY_AT_ONCE, notice_of
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from tests.helpers.window import FAST, answered, ask, play, until
from tests.ui.transcript.conftest import make_message

pytestmark = pytest.mark.usefixtures("qapp")

_LARGE = "some words of a message that is far too long\n" * 4_000


def _notice(application: WindowApplication, answer_id: str) -> NoticeItem | None:
    entries = {entry.message.id: entry for entry in application.panes.transcript.entries}
    if answer_id not in entries:
        return None
    return next((item for item in entries[answer_id].items if isinstance(item, NoticeItem)), None)


async def _refused(application: WindowApplication) -> Message:
    """The answer to a question that is too large, once the window says so."""
    await application.services()
    composer = application.panes.composer
    composer.set_text(_LARGE)
    answer = await answered(application, lambda: composer.sendRequested.emit(_LARGE))
    assert (answer.status, answer.error_type) == (Status.ERROR, "message_larger_than_window")
    await until(lambda: _notice(application, answer.id) is not None)
    return answer


def test_a_message_larger_than_the_window_has_three_ways_out_and_another_try(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        answer = await _refused(application)
        notice = _notice(application, answer.id)
        assert notice is not None
        assert [label for _action, label in notice.actions] == [
            "Send as attachment excerpt",
            "Choose a larger model",
            "Shorten",
            "Try again",
        ]
        assert "Your messages are kept." in notice.text

    play(paths, script)


def test_it_is_sent_as_a_file_of_which_the_model_gets_an_excerpt(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        refused = await _refused(application)
        chat = (await application.services()).chat
        way_out = application.panes.transcript.actionRequested
        answer = await answered(application, lambda: way_out.emit("send-excerpt", refused.id))
        assert answer.status is Status.COMPLETE
        assert answer.parent_id is not None
        question = await chat.reader.get_message(answer.parent_id)
        assert [part.content["name"] for part in question.parts if part.type.value == "file"] == ["message.txt"]
        versions = await chat.reader.list_versions(question.id)
        assert versions[0].text == _LARGE  # nothing of it is lost
        await until(lambda: application.panes.commands.is_enabled("edit.undo"))

    play(paths, script)


def test_shortening_begins_in_the_composer(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        refused = await _refused(application)
        application.panes.transcript.actionRequested.emit("shorten", refused.id)
        await until(lambda: application.panes.composer.text() == _LARGE)
        composer = application.panes.composer
        answer = await answered(application, lambda: composer.sendRequested.emit("short"))
        assert answer.status is Status.COMPLETE
        assert answer.parent_id != refused.parent_id

    play(paths, script)


def test_a_larger_model_is_chosen_and_asked(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        refused = await _refused(application)
        services = await application.services()
        application.panes.transcript.actionRequested.emit("choose-model", refused.id)
        await until(lambda: isinstance(QApplication.activePopupWidget(), ModelChooser))
        QApplication.activePopupWidget().close()
        large = ListedModel("offline-large", "Large", 1_000_000, largest_answer=1_000)
        services.chat.context.models.add_listed("offline", (large,))
        await services.chat.set_thread_model(refused.thread_id, "offline", "offline-large")
        answer = await answered(
            application, lambda: application.panes.transcript.actionRequested.emit("retry", refused.id)
        )
        assert (answer.id, answer.model) == (refused.id, "offline-large")
        assert answer.error_type == "model_not_found"  # it was asked, and the offline provider has no such model

    play(paths, script)


def test_a_question_that_was_excluded_is_included_and_asked(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        first = await ask(application, "hello")
        chat = (await application.services()).chat
        assert first.parent_id is not None
        await chat.context.steering.mark_message(first.parent_id, ContextMark.EXCLUDED)
        transcript = application.panes.transcript
        refused = await answered(application, lambda: transcript.actionRequested.emit("regenerate", first.id))
        assert refused.error_type == "question_excluded"
        await until(lambda: _notice(application, refused.id) is not None)
        answer = await answered(application, lambda: transcript.actionRequested.emit("include-question", refused.id))
        assert (answer.id, answer.status) == (refused.id, Status.COMPLETE)
        assert (await chat.reader.get_message(first.parent_id)).context_mark is ContextMark.NONE

    play(paths, script)


def test_a_system_prompt_that_leaves_no_room_leads_to_its_editor(paths: AppPaths) -> None:
    async def script(application: WindowApplication) -> None:
        await application.services()
        composer = application.panes.composer
        answer = await answered(application, lambda: composer.sendRequested.emit("hello"))
        assert answer.error_type == "system_prompt_too_large"
        assert (answer.error or "").startswith("The system prompt has about")
        await until(lambda: _notice(application, answer.id) is not None)
        application.panes.transcript.actionRequested.emit("edit-system-prompt", answer.id)
        window = application.panes.window
        await until(lambda: any(dialog.isVisible() for dialog in window.findChildren(QDialog)))
        for dialog in window.findChildren(QDialog):
            dialog.reject()

    play(paths, script, replace(FAST, system_prompt="Be very careful. " * 20_000))


def test_each_action_on_a_message_and_each_button_of_a_notice_does_something(paths: AppPaths) -> None:
    """Copying and quoting, which the transcript does alone, need nobody."""
    kinds = (*ProviderErrorKind, *("message_larger_than_window", "system_prompt_too_large", "question_excluded"))
    wanted = {action.name for action in (*MESSAGE_ACTIONS, *QUICK_ACTIONS) if action.group != "copy"} - {QUICK}
    wanted |= {action for action, _words in (CANCEL_WAITING, SEND_FIRST, TRY_AT_ONCE)}
    told: tuple[dict[str, object], ...] = ({}, {"retry_at": 2_000})
    for kind, details in product((*kinds, "limit_reached"), told):
        failed = replace(make_message(1, status=Status.ERROR), error_type=str(kind), error_details=details)
        notice = notice_of(failed, person="", can_continue=False, now_ms=1_000)
        assert notice is not None
        wanted |= {action for action, _words in notice.actions}

    async def script(application: WindowApplication) -> None:
        await application.services()
        await until(lambda: wanted <= application.panes.message_handlers.bound)

    assert {"retry-now", "raise-limit", "open-provider"} <= wanted
    play(paths, script)
