"""The page of providers, the form of one, the passphrase: pressed and typed into as a person would."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.provider_check import FoundServer, Step, StepResult, StepState
from chatdesk.core.domain.provider_profile import Api, Header
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.secrets import SecretSource
from chatdesk.ui.dialogs.marks import Mark
from chatdesk.ui.features.providers.passphrase import PassphraseDialog
from chatdesk.ui.features.providers.provider_form import ProviderDialog, ProviderForm
from chatdesk.ui.features.providers.provider_more import KEPT
from chatdesk.ui.features.providers.provider_page import ProviderPage
from chatdesk.ui.features.providers.provider_steps import outcome
from chatdesk.ui.theme.theme import Theme
from tests.gallery.provider_samples import NO_KEY, NO_KEYRING, OLLAMA, OPENAI, REFUSED, TEAM, TEAM_WITHOUT_KEY

LEFT = Qt.MouseButton.LeftButton
HOSTILE = "<img src='file:///etc/passwd'> & <b>bold</b>"
FOUND = FoundServer("vllm", "vLLM", "http://127.0.0.1:8000/v1", ("a",))


@pytest.fixture
def page(theme: Theme, qtbot: QtBot) -> ProviderPage:
    made = ProviderPage(theme)
    qtbot.addWidget(made)
    made.show_providers([OPENAI, OLLAMA, TEAM])
    made.show()
    return made


def _form(theme: Theme, qtbot: QtBot, shown: ShownProvider = TEAM) -> ProviderForm:
    dialog = ProviderDialog(theme, shown)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.open()
    return dialog.form


def _button(widget: QWidget, name: str) -> QPushButton:
    button = widget.findChild(QPushButton, name)
    assert isinstance(button, QPushButton)
    return button


def test_each_row_shows_where_its_key_lies_and_never_the_key(page: ProviderPage) -> None:
    words = [label.text() for label in page.findChildren(QLabel)]
    assert "API key in the system keyring" in words
    assert "Key from the variable TEAM_KEY" in words
    assert "Always available" in words
    assert page.row("openai").place.text() == "sk-••••••••••3f2a"
    assert page.row("ollama").place.text() == "127.0.0.1:11434"
    assert page.row("ollama").models.text() == "4 models"


def test_rows_ask_for_their_form_their_models_and_their_test(page: ProviderPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.row("team").editRequested):
        qtbot.mouseClick(_button(page, "providerEdit_team"), LEFT)
    with qtbot.waitSignal(page.row("team").testRequested):
        qtbot.mouseClick(_button(page, "providerTest_team"), LEFT)
    with qtbot.waitSignal(page.row("ollama").modelsRequested):
        qtbot.mouseClick(_button(page, "providerModels_ollama"), LEFT)


def test_a_row_is_opened_by_a_double_click_and_has_a_menu(page: ProviderPage, qtbot: QtBot) -> None:
    name = next(each for each in page.findChildren(QLabel) if each.text() == "Team gateway")
    with qtbot.waitSignal(page.row("team").editRequested):
        qtbot.mouseDClick(name, LEFT)
    qtbot.mouseRelease(name, LEFT)
    row = page.row("openai")
    menu = row.menu()
    assert [each.text() for each in menu.actions() if not each.isSeparator()] == [
        "Edit…",
        "Models…",
        "Test",
        "Switch off",
        "Remove…",
    ]
    with qtbot.waitSignal(row.switchRequested) as switched:
        next(each for each in menu.actions() if each.text() == "Switch off").trigger()
    with qtbot.waitSignal(row.removeRequested):
        next(each for each in menu.actions() if each.text() == "Remove…").trigger()
    assert switched.args == [False]
    menu.deleteLater()


def test_a_provider_without_a_key_leads_to_one(page: ProviderPage, qtbot: QtBot) -> None:
    page.show_providers([NO_KEY])
    row = page.row("groq")
    qtbot.waitUntil(row.keys_link.isVisible)
    assert row.keys_link.toolTip().find("console.groq.com") > 0
    assert row.edit.text() == "Enter a key"
    with qtbot.waitSignal(row.editRequested):
        qtbot.mouseClick(row.edit, LEFT)


def test_a_vendor_at_another_address_shows_that_instead_of_its_key(page: ProviderPage) -> None:
    moved = replace(OPENAI, profile=replace(OPENAI.profile, base_url="https://llm.example.net/v1"))
    page.show_providers([moved])
    assert page.row("openai").place.text() == "https://llm.example.net/v1"


def test_the_steps_of_a_test_are_told_in_the_row(page: ProviderPage) -> None:
    row = page.row("team")
    assert not row.steps.isVisible()
    row.show_testing(True)
    assert (row.steps.isVisible(), row.test.text()) == (True, "Stop")
    for result in REFUSED:
        row.show_step(result)
    row.show_testing(False)
    assert "did not accept" in row.steps.text(Step.KEY)
    assert row.test.text() == "Test"


def test_a_test_result_survives_a_refilled_list(page: ProviderPage) -> None:
    page.row("team").show_test("401: the key was refused", False)
    page.row("team").edit.setFocus()
    page.show_providers([TEAM, replace(OPENAI, key="")])
    assert page.row("team").said == ("401: the key was refused", False)
    assert page.row("openai").said is None
    assert page.focusWidget() is page.row("team").edit
    assert not page.grab().isNull()


def test_the_mark_of_a_result_is_beside_its_words_in_large_text(theme: Theme, qtbot: QtBot) -> None:
    theme.set_scale(2.0)
    page = ProviderPage(theme)
    qtbot.addWidget(page)
    page.show_providers([OPENAI, TEAM])
    page.row("team").show_test("401: the key was refused", False)
    page.row("openai").show_test("Works, 31 models", True)
    page.resize(800, 600)
    page.show()
    for name, words in (("team", page.row("team").status), ("openai", page.row("openai").models)):
        mark = page.row(name).findChild(Mark)
        assert mark is not None and mark.isVisible() and words.isVisible()
        assert words.geometry().top() <= mark.geometry().center().y() <= words.geometry().bottom()
        assert 0 < words.geometry().left() - mark.geometry().right() < 20


def test_a_new_provider_and_found_servers_are_offered(page: ProviderPage, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.addRequested):
        qtbot.mouseClick(page.add_button, LEFT)
    page.found.show_servers([FOUND])
    with qtbot.waitSignal(page.found.useRequested) as found:
        qtbot.mouseClick(_button(page, "found_vllm"), LEFT)
    assert found.args == [FOUND]
    page.found.show_servers([])
    assert not page.found.isVisible()
    page.show_finding(True)
    with qtbot.waitSignal(page.findingToggled):
        page.finding.click()


def test_locked_keys_are_said(page: ProviderPage, qtbot: QtBot) -> None:
    page.show_locked(True)
    with qtbot.waitSignal(page.unlockRequested):
        qtbot.mouseClick(_button(page, "providerUnlock"), LEFT)
    page.show_locked(False, is_open=True)
    with qtbot.waitSignal(page.passphraseRequested):
        qtbot.mouseClick(_button(page, "providerPassphraseChange"), LEFT)
    assert not _button(page, "providerUnlock").isVisible()


def test_names_are_shown_as_they_stand(theme: Theme, qtbot: QtBot) -> None:
    page = ProviderPage(theme)
    qtbot.addWidget(page)
    hostile = replace(TEAM, profile=replace(TEAM.profile, label=HOSTILE, base_url="https://a&b/v1"), key="")
    page.show_providers([hostile])
    label = next(each for each in page.findChildren(QLabel) if each.text() == HOSTILE)
    assert label.textFormat() is Qt.TextFormat.PlainText
    assert page.row("team").place.text() == "https://a&b/v1"


def test_a_form_gives_the_profile_and_the_typed_key(theme: Theme, qtbot: QtBot) -> None:
    form = _form(theme, qtbot, TEAM_WITHOUT_KEY)
    form.show_key_state(replace(NO_KEYRING, has_keyring=True))
    form.name.setText("  My   gateway ")
    form.address.setText("https://gate.example/v1/")
    form.api.setCurrentIndex(1)
    form.key.field.setText(" sk-typed ")
    assert form.key.field.echoMode() is QLineEdit.EchoMode.Password
    with qtbot.waitSignal(form.saveRequested) as saved:
        qtbot.mouseClick(form.save_button, LEFT)
    profile, key = saved.args
    assert (profile.label, profile.base_url, profile.api) == ("My gateway", "https://gate.example/v1", Api.RESPONSES)
    assert key == "sk-typed"
    assert form.isVisible(), "it stays until what fails is known"


def test_an_address_without_a_scheme_is_completed(theme: Theme, qtbot: QtBot) -> None:
    form = _form(theme, qtbot, TEAM_WITHOUT_KEY)
    form.address.setFocus()
    form.address.selectAll()
    qtbot.keyClicks(form.address, "localhost:18741")
    with qtbot.waitSignal(form.saveRequested) as saved:
        qtbot.keyClick(form.address, Qt.Key.Key_Return)
    assert saved.args[0].base_url == "http://localhost:18741/v1"


def test_the_form_begins_at_the_key_that_is_missing(theme: Theme, qtbot: QtBot) -> None:
    form = _form(theme, qtbot, NO_KEY)
    assert form.focusWidget() is form.key.field
    assert form.key.keys_link.isVisible()
    kept = _form(theme, qtbot, OPENAI)
    assert kept.focusWidget() is kept.name
    assert not kept.key.keys_link.isVisible()


def test_the_result_of_a_test_is_scrolled_to(theme: Theme, qtbot: QtBot) -> None:
    form = _form(theme, qtbot)
    form.window().setMaximumHeight(420)  # it grows with what is in it where there is room
    form.steps.reset()
    for result in REFUSED:
        form.show_step(result)
    bar = form.window().findChild(QScrollArea).verticalScrollBar()  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("name", "", "name"),
        ("address", "", "address"),
        ("address", "ftp://x", "address"),
        ("address", "https://YOUR-RESOURCE.openai.azure.com", "resource"),
    ],
)
def test_unusable_values_are_reported_and_nothing_is_saved(
    theme: Theme, qtbot: QtBot, field: str, text: str, words: str
) -> None:
    form = _form(theme, qtbot)
    getattr(form, field).setText(text)
    saved: list[object] = []
    form.saveRequested.connect(lambda *given: saved.append(given))
    qtbot.mouseClick(form.save_button, LEFT)
    assert saved == []
    problem = form.findChild(QLabel, "providerProblem")
    assert problem is not None
    assert problem.isVisible()
    assert words in problem.text()


def test_the_folded_half_is_read_too(theme: Theme, qtbot: QtBot) -> None:
    form = _form(theme, qtbot)
    form.more_button.click()
    more = form.more
    assert more.isVisible()
    assert more.headers.written() == f"X-Team: blue\nX-Token: {KEPT}"
    more.headers.show_written(f"X-Team: red\nX-Token: {KEPT}\nAuthorization: Bearer abc")
    more.model.setText("big")
    more.proxy.setEditText("http://proxy.example:3128")
    more.ca_file.setText("/etc/ca.pem")
    more.organisation.setText("org")
    more.project.setText("proj")
    more.times["silence_s"].setText("20,5")
    profile = form.profile()
    assert profile is not None
    assert profile.headers == (
        Header("X-Team", "red"),
        Header("X-Token", "", is_secret=True),
        Header("Authorization", "Bearer abc", is_secret=True),
    )
    assert (profile.model, profile.proxy, profile.ca_file) == ("big", "http://proxy.example:3128", "/etc/ca.pem")
    assert (profile.organisation, profile.project, profile.silence_s) == ("org", "proj", 20.5)
    more.proxy.setEditText("None")
    unproxied = form.profile()
    assert unproxied is not None
    assert unproxied.proxy == "none"
    more.times["connect_s"].setText("soon")
    assert form.profile() is None


def test_a_kept_key_is_replaced_or_forgotten(theme: Theme, qtbot: QtBot) -> None:
    form = _form(theme, qtbot, OPENAI)
    assert form.key.shown.text() == "sk-••••••••••3f2a"
    assert not form.key.field.isVisible()
    qtbot.mouseClick(form.key.replace, LEFT)
    assert form.key.field.isVisible()
    with qtbot.waitSignal(form.key.forgotten):
        qtbot.keyClick(form.key.forget, Qt.Key.Key_Space)
    assert not form.key.shown.isVisible()


def test_a_key_from_a_variable_cannot_be_changed(theme: Theme, qtbot: QtBot) -> None:
    form = _form(theme, qtbot)
    assert "TEAM_KEY; it has precedence" in form.key.where.text()
    for widget in (form.key.replace, form.key.forget, form.key.field):
        assert not widget.isVisible()
    fixed = _form(theme, qtbot, replace(OPENAI, fixed=frozenset({"base_url"})))
    assert not fixed.address.isEnabled()


def test_without_a_keyring_the_person_chooses_where_keys_lie(theme: Theme, qtbot: QtBot) -> None:
    form = _form(theme, qtbot, TEAM_WITHOUT_KEY)
    form.show_key_state(NO_KEYRING)
    assert form.key.place() is None
    form.key.field.setText("sk-typed")
    assert form.key.place_box.isVisible()
    assert form.key.place() is KeyPlace.MEMORY
    assert form.key.place_box.count() == 2
    form.key.place_box.setCurrentIndex(1)
    assert form.key.place() is KeyPlace.FILE
    assert form.key.passphrase.isVisible()
    form.show_key_state(replace(NO_KEYRING, has_file=True))
    form.key.place_box.setCurrentIndex(1)
    assert not form.key.passphrase.isVisible(), "the file is open"
    form.show_key_state(replace(NO_KEYRING, has_keyring=True))
    assert not form.key.place_box.isVisible()


def test_a_test_is_begun_stopped_and_told(theme: Theme, qtbot: QtBot) -> None:
    form = _form(theme, qtbot)
    with qtbot.waitSignal(form.testRequested) as asked:
        qtbot.mouseClick(form.test_button, LEFT)
    assert asked.args == [TEAM.profile, ""]
    form.show_testing(True)
    assert form.test_button.text() == "Stop the test"
    with qtbot.waitSignal(form.testCancelled):
        qtbot.mouseClick(form.test_button, LEFT)
    form.show_testing(False)
    form.show_step(StepResult(Step.KEY, StepState.FAILED, "401: no"))
    form.show_step(StepResult(Step.STREAMING, StepState.OK))
    assert form.steps.text(Step.KEY) == "401: no"
    assert form.steps.text(Step.STREAMING) == "Works"
    assert not form.grab().isNull()
    with qtbot.waitSignal(form.testCancelled):
        qtbot.keyClick(form.window(), Qt.Key.Key_Escape)


def test_the_outcome_is_one_line() -> None:
    refused = {Step.KEY: StepResult(Step.KEY, StepState.FAILED, "401: Team did not accept the API key. Check it.")}
    assert outcome(refused) == ("401: the key was refused", False)
    away = {Step.ADDRESS: StepResult(Step.ADDRESS, StepState.FAILED, "Team refused the connection. Check that.")}
    assert outcome(away) == ("Team refused the connection", False)
    assert outcome({Step.MODELS: StepResult(Step.MODELS, StepState.OK, models=1)}) == ("Works, 1 model", True)
    assert outcome({}) == ("Works", True)


def test_the_passphrase_is_asked_again_when_it_is_wrong(theme: Theme, qtbot: QtBot) -> None:
    dialog = PassphraseDialog(theme)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.open()
    given: list[str] = []
    dialog.given.connect(given.append)
    qtbot.keyClicks(dialog.field, "wrong one")
    qtbot.keyClick(dialog.field, Qt.Key.Key_Return)
    assert given == ["wrong one"]
    assert not dialog.yes.isEnabled()
    dialog.show_problem("No.")
    assert dialog.yes.isEnabled()
    assert dialog.isVisible()


def test_a_new_passphrase_is_typed_twice(theme: Theme, qtbot: QtBot) -> None:
    dialog = PassphraseDialog(theme, is_changing=True)
    qtbot.addWidget(dialog)
    dialog.open()
    changed: list[tuple[str, str]] = []
    dialog.changed.connect(lambda old, new: changed.append((old, new)))
    dialog.field.setText("old")
    dialog.new.setText("a new one")
    dialog.again.setText("another")
    dialog.yes.click()
    assert changed == []
    dialog.again.setText("a new one")
    dialog.yes.click()
    assert changed == [("old", "a new one")]


def test_sources_have_words() -> None:
    from chatdesk.ui.features.providers.provider_steps import address_text, where_the_key_lies

    words = {where_the_key_lies(replace(OPENAI, key_source=source)) for source in SecretSource}
    assert len(words) == len(SecretSource)
    assert address_text(replace(OPENAI, key="")) == "https://api.openai.com/v1"
