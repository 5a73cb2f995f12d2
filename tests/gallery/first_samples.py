"""The first screen, and the dialogs that it leads to."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.provider_check import FoundServer, Step, StepResult, StepState
from chatdesk.ui.features.first_screen.first_screen import FirstScreen
from chatdesk.ui.features.providers.provider_form import ProviderDialog
from chatdesk.ui.features.transfer.import_dialog import ImportDialog
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.empty_state import OFFLINE_STARTS, EmptyState

FOUND = (
    FoundServer("ollama", "Ollama", "http://127.0.0.1:11434/v1", ("qwen3:8b", "llama3", "gemma3")),
    FoundServer("lm-studio", "LM Studio", "http://127.0.0.1:1234/v1", ("phi-4",)),
)


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("first-screen", _first(theme, 1016, 666)),
        ("first-screen-narrow", _first(theme, 420, 900)),
        ("first-offline", _offline(theme)),
        ("first-connect-failed", _failed(theme)),
        ("first-import", ImportDialog(theme, [("p", "Personal")], program="ChatGPT")),
        ("first-import-folder", ImportDialog(theme, [("p", "Personal")], program="LM Studio")),
    ]


def _first(theme: Theme, width: int, height: int) -> QWidget:
    state, first_screen = EmptyState(theme), FirstScreen(theme)
    first_screen.provider.found.show_servers(FOUND)
    state.show_first_screen(first_screen)
    state.resize(width, height)
    return state


def _offline(theme: Theme) -> QWidget:
    state = EmptyState(theme)
    state.set_starts(OFFLINE_STARTS)
    state.set_sub_text("The demo model answers, without account or network. It shows what ChatDesk can do.")
    state.resize(1016, 666)
    return state


def _failed(theme: Theme) -> QWidget:
    dialog = ProviderDialog(theme, leads_to_all=True)
    form = dialog.form
    form.show_testing(True)
    form.show_step(StepResult(Step.ADDRESS, StepState.OK, "api.openai.com answers."))
    form.show_step(StepResult(Step.TLS, StepState.OK))
    form.show_step(StepResult(Step.KEY, StepState.FAILED, "401: OpenAI refused the key."))
    form.show_testing(False)
    form.show_failed("OpenAI refused the key. Nothing was kept.")
    return dialog
