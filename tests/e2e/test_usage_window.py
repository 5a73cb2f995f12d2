"""In the real window: what waits is shown and cancelled, limits hold and are passed once, usage is seen and saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QLineEdit, QPushButton, QWidget

from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, Rate, UsageLimit
from chatdesk.core.domain.message import Status
from chatdesk.core.domain.usage import RateReport
from chatdesk.core.domain.waiting import WaitingAnswer
from chatdesk.core.events import ReachabilityChanged
from chatdesk.core.paths import AppPaths
from chatdesk.core.settings.store import SettingsStore
from chatdesk.services.services import Services
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.features.usage.limits import LimitsDialog
from chatdesk.ui.features.usage.page import UsageDialog, UsagePage
from chatdesk.ui.features.usage.usage_binding import clock_words, waiting_words
from chatdesk.ui.features.usage.waiting import WaitingDialog
from tests.helpers.window import FAST, answered, ask, play, press, type_text, until

T = TypeVar("T", bound=QWidget)


HELD = "The provider takes no more requests for now."


def hold(services: Services, *models: str) -> None:
    for model in models:
        services.chat.queue.record_rate("offline", model, RateReport(0, 3_600))


def release(services: Services, *models: str) -> None:
    for model in models:
        services.chat.queue.forget_rate("offline", model)
    services.chat.queue.use_rate(Rate(1000, 1))  # it looks again


def _paths(tmp_path: Path) -> AppPaths:
    return AppPaths.find(tmp_path / "profile")


def _child(application: WindowApplication, kind: type[T], name: str = "") -> T:
    window = application.panes.window
    found = window.findChild(kind, name) if name else window.findChild(kind)
    assert found is not None
    return found


def _notice(application: WindowApplication, message_id: str) -> list[str]:
    entry = application.panes.transcript.parts.conversation.find(message_id)
    items = () if entry is None else entry.items
    return [item.text for item in items if item.kind == "notice"]  # type: ignore[attr-defined]


def test_a_message_over_the_rate_waits_in_sight_and_can_be_cancelled(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        first = await ask(application, "one")
        assert first.status is Status.COMPLETE
        services = await application.services()
        type_text(application, "two")
        press(application, Qt.Key.Key_Return)
        await until(lambda: services.chat.queue.waiting)
        waiting = services.chat.queue.waiting[0].message_id
        await until(lambda: _notice(application, waiting))
        assert "Waiting: sends at" in _notice(application, waiting)[0]
        assert services.chat.is_answering(first.thread_id)
        await until(application.messages.can_stop)
        # Another thread and back: it is said there again.
        application.panes.commands.trigger("thread.new")
        await until(lambda: application.threads.thread_id is None)
        await application.threads.open(first.thread_id)
        await until(lambda: application.panes.transcript.parts.conversation.find(waiting))
        assert "Waiting" in _notice(application, waiting)[0]
        stopped = await answered(
            application, lambda: application.panes.transcript.actionRequested.emit("cancel-waiting", waiting)
        )
        assert stopped.status is Status.STOPPED
        await until(lambda: not application.messages.can_stop())

    play(_paths(tmp_path), script, replace(FAST, rate_limit="1/h"))


def test_everything_that_waits_is_in_one_list_and_the_list_keeps_up(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        sidebar, panes = application.panes.sidebar, application.panes
        services = await application.services()
        assert sidebar.lines.waiting is None, "nothing waits"
        hold(services, "offline-demo")
        asked: list[str] = []
        for text in ("the first question", "the second question"):
            panes.commands.trigger("thread.new")
            await until(lambda: application.threads.thread_id is None)
            type_text(application, text)
            press(application, Qt.Key.Key_Return)
            await until(lambda: len(services.chat.queue.waiting) == len(asked) + 1)
            await until(lambda: application.threads.thread_id == services.chat.queue.waiting[-1].thread_id)
            asked.append(services.chat.queue.waiting[-1].message_id)
        await until(lambda: sidebar.lines.waiting is not None and sidebar.lines.waiting.text() == "2 messages wait")
        assert sidebar.lines.waiting is not None
        assert sidebar.lines.waiting.accessibleName() == "Waiting to be sent: 2 messages wait"
        assert sidebar.notices.status.text == "All changes saved", "which is another truth"

        sidebar.lines.waiting.click()
        await until(lambda: application.panes.window.findChild(WaitingDialog))
        dialog = _child(application, WaitingDialog)
        await until(dialog.isVisible)

        def words() -> list[str]:
            return [label.text() for label in dialog.findChildren(QLabel) if label.isVisibleTo(dialog)]

        assert {"the first question", "the second question"} <= set(words())
        assert any(HELD in each and "1 before it" in each for each in words())
        assert (
            _child(application, QPushButton, f"waitingFirst-{asked[1]}").accessibleName().startswith("Send first: “the")
        )
        _child(application, QPushButton, f"waitingFirst-{asked[1]}").click()
        await until(lambda: [each.message_id for each in services.chat.queue.waiting] == asked[::-1])
        await until(lambda: dialog.findChild(QPushButton, f"waitingFirst-{asked[0]}"))
        _child(application, QPushButton, f"waitingCancel-{asked[0]}").click()
        await until(lambda: "the first question" not in words())

        async def is_stopped() -> bool:
            return (await services.chat.reader.get_message(asked[0])).status is Status.STOPPED

        await until(is_stopped)  # it leaves the list first
        _child(application, QPushButton, f"waitingOpen-{asked[1]}").click()
        thread_id = (await services.chat.reader.get_message(asked[1])).thread_id
        await until(lambda: application.threads.thread_id == thread_id)

        panes.commands.trigger("app.waiting")
        await until(lambda: [each for each in panes.window.findChildren(WaitingDialog) if each.isVisible()])
        dialog = next(each for each in panes.window.findChildren(WaitingDialog) if each.isVisible())
        await answered(application, lambda: release(services, "offline-demo"))
        await until(lambda: words() and "Nothing waits." in words())
        assert not sidebar.lines.waiting.isVisibleTo(sidebar)

    play(_paths(tmp_path), script)


def test_what_waits_for_a_connection_is_in_the_list_and_after_a_restart(tmp_path: Path) -> None:
    failed: list[str] = []

    async def first(application: WindowApplication) -> None:
        services = await application.services()
        message = await ask(application, "are you there?")
        failed.append(message.id)
        await until(lambda: services.network.waiting == (message.id,))
        await until(lambda: services.repositories.waiting.unreached())

    async def second(application: WindowApplication) -> None:
        services = await application.services()
        await until(lambda: services.network.waiting == tuple(failed))
        sidebar = application.panes.sidebar
        await until(lambda: sidebar.lines.waiting is not None and sidebar.lines.waiting.text() == "1 message waits")
        application.panes.commands.trigger("app.waiting")
        await until(lambda: application.panes.window.findChild(QPushButton, f"waitingCancel-{failed[0]}"))

        def words() -> list[str]:
            return [label.text() for label in _child(application, WaitingDialog).findChildren(QLabel)]

        assert "You are offline. It is sent when the connection is back." in words()
        services.events.publish(ReachabilityChanged((), (), tuple(failed)))
        await until(lambda: "It is sent when the answer before it is complete." in words())
        assert not any("offline" in each for each in words())
        _child(application, QPushButton, f"waitingCancel-{failed[0]}").click()
        await until(lambda: not services.network.waiting)
        assert (await services.chat.reader.get_message(failed[0])).status is Status.ERROR

    settings = replace(FAST, provider="openai", openai_base_url="http://127.0.0.1:9/v1", openai_model="m")
    play(_paths(tmp_path), first, settings)
    play(_paths(tmp_path), second, settings)


def test_compared_answers_say_that_they_wait(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        hold(services, "offline-demo", "offline-echo")
        application.messages.models.compare([("offline", "offline-demo"), ("offline", "offline-echo")])
        type_text(application, "which one?")
        press(application, Qt.Key.Key_Return)
        await until(lambda: application.bindings.comparison.view is not None)
        view = application.bindings.comparison.view
        assert view is not None

        def notices() -> list[str]:
            entries = [entry for column in view.columns for entry in column.view.entries]
            return [item.text for entry in entries for item in entry.items if item.kind == "notice"]  # type: ignore[attr-defined]

        await until(lambda: len([text for text in notices() if HELD in text]) == 2)
        release(services, "offline-demo", "offline-echo")
        await until(lambda: not notices())

    play(_paths(tmp_path), script)


def test_what_waits_is_sent_by_the_next_window(tmp_path: Path) -> None:
    waiting: list[str] = []

    async def first(application: WindowApplication) -> None:
        await ask(application, "one")
        services = await application.services()
        type_text(application, "two")
        press(application, Qt.Key.Key_Return)
        await until(lambda: services.chat.queue.waiting)
        waiting.append(services.chat.queue.waiting[0].message_id)

    async def second(application: WindowApplication) -> None:
        services = await application.services()

        async def is_there() -> bool:
            return (await services.chat.reader.get_message(waiting[0])).status is Status.COMPLETE

        await until(is_there)

    play(_paths(tmp_path), first, replace(FAST, rate_limit="1/h"))
    play(_paths(tmp_path), second)


def test_a_limit_keeps_the_question_and_lets_one_pass(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        services = await application.services()
        await services.chat.limits.replace(
            [UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.TOKENS, soft=1, hard=2)]
        )
        refused = await ask(application, "one")
        assert refused.error_type == "limit_reached"
        await until(lambda: _notice(application, refused.id))
        passed = await answered(
            application, lambda: application.panes.transcript.actionRequested.emit("send-anyway", refused.id)
        )
        assert passed.status is Status.COMPLETE
        assert "warning at 1 token a day" in application.panes.window.pane.banner.text
        application.panes.transcript.actionRequested.emit("raise-limit", refused.id)
        await until(lambda: application.panes.window.findChild(LimitsDialog))
        dialog = _child(application, LimitsDialog)
        soft, hard = _child(application, QLineEdit, "limit1_soft"), _child(application, QLineEdit, "limit1_hard")
        assert (soft.text(), hard.text()) == ("1", "2")
        soft.setText("9")
        _child(application, QPushButton, "limitsSave").click()
        await until(lambda: dialog.problem.text())
        assert dialog.isVisible()
        hard.setText("1000000")
        _child(application, QPushButton, "limitsSave").click()
        await until(lambda: not application.panes.window.findChild(LimitsDialog))
        assert [limit.hard for limit in await services.chat.limits.all()] == [1_000_000]

    play(_paths(tmp_path), script)


def test_usage_is_seen_and_saved(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "one")
        application.panes.commands.trigger("app.usage")
        await until(lambda: application.panes.window.findChild(UsageDialog))
        page = _child(application, UsageDialog).page
        await until(lambda: page.table.model().rowCount() == 2)
        _child(application, QPushButton, "usageCsv").click()
        chooser = _child(application, QFileDialog, "usageFile")
        target = tmp_path / "usage.csv"
        chooser.fileSelected.emit(str(target))
        await until(target.exists)
        assert "offline" in target.read_text("utf-8")
        chooser.reject()
        _child(application, UsageDialog).reject()
        await until(lambda: not application.panes.window.findChild(UsageDialog))

    play(_paths(tmp_path), script)


def test_the_settings_have_the_page_too(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "one")
        application.bindings.settings.open("Usage and limits")
        await until(lambda: application.panes.window.findChild(UsagePage))
        page = _child(application, UsagePage)
        await until(lambda: page.table.model().rowCount() == 2)
        field = _child(application, QLineEdit, "setting_rate_limit")
        dialog = _child(application, SettingsDialog)
        field.setText("often")
        assert not dialog.apply()
        field.setText("3/min")
        assert dialog.apply()
        services = await application.services()
        await until(lambda: services.settings.rate_limit == "3/min")
        page.limitsRequested.emit()
        await until(lambda: application.panes.window.findChild(LimitsDialog))
        _child(application, LimitsDialog).reject()
        dialog.reject()
        await until(lambda: not application.panes.window.findChild(SettingsDialog))

    play(_paths(tmp_path), script)


def test_words_for_what_waits() -> None:
    waiting = WaitingAnswer("m", "t", "p", "m", reason="There is no network.")
    assert waiting_words(waiting) == "There is no network. Waiting: it is sent automatically."
    later = replace(waiting, sends_at=4_102_444_800_000, before=2)
    assert waiting_words(later).endswith(", 2 before it.")
    assert " on " in clock_words(later.sends_at or 0)


def test_a_rate_for_one_provider_is_set_with_the_limits_and_holds_at_once(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "one")
        services = await application.services()
        application.panes.commands.trigger("app.limits")
        await until(lambda: application.panes.window.findChild(LimitsDialog))
        label = services.providers.get("offline").label
        _child(application, QComboBox, "limit1_what").setCurrentText(label)
        _child(application, QComboBox, "limit1_kind").setCurrentText("Messages")
        _child(application, QLineEdit, "limit1_hard").setText("1/h")
        _child(application, QPushButton, "limitsSave").click()
        await until(lambda: not application.panes.window.findChild(LimitsDialog))
        type_text(application, "two")
        press(application, Qt.Key.Key_Return)
        await until(lambda: services.chat.queue.waiting)
        assert "to this provider" in services.chat.queue.waiting[0].reason
        store = SettingsStore(_paths(tmp_path).settings_file)
        await until(lambda: store.load().settings.scoped_rates == {"provider.offline": "1/h"})

    play(_paths(tmp_path), script)
