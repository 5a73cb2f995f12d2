"""Providers: the page of the settings, the form of one with and without a keyring, a test, the passphrase."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.core.chat.provider_service import KeyState, ShownProvider
from chatdesk.core.domain.provider_check import FoundServer, ListedModel, ModelList, Step, StepResult, StepState
from chatdesk.core.domain.provider_profile import Header, ProviderProfile
from chatdesk.core.settings.presets import preset_of
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.schema import all_settings
from chatdesk.core.settings.secrets import SecretSource
from chatdesk.ui.dialogs.passphrase import PassphraseDialog
from chatdesk.ui.dialogs.provider_form import ProviderForm
from chatdesk.ui.dialogs.settings import SettingsDialog
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.model_chooser import ModelChooser

OPENAI = ShownProvider(
    ProviderProfile("openai", "openai", "OpenAI", "https://api.openai.com/v1"),
    "sk-••••••••••3f2a",
    SecretSource.KEYRING,
    "OPENAI_API_KEY",
)
OLLAMA = ShownProvider(
    ProviderProfile("ollama", "ollama", "Ollama", "http://127.0.0.1:11434/v1"),
    "",
    SecretSource.NONE,
    "",
    is_local=True,
    needs_key=False,
    models=ModelList(tuple(ListedModel(f"m{each}", f"m{each}") for each in range(4)), 1_790_000_000_000),
)
TEAM = ShownProvider(
    ProviderProfile(
        "team",
        "other",
        "Team gateway",
        "https://llm.example.org/v1",
        headers=(Header("X-Team", "blue"), Header("X-Token", is_secret=True)),
    ),
    "••••••••",
    SecretSource.ENVIRONMENT,
    "TEAM_KEY",
    needs_key=False,
)
NO_KEYRING = KeyState(
    KeyPlace.KEYRING,
    has_keyring=False,
    keyring="There is no keyring on this system.",
    has_file=False,
    is_file_locked=False,
)


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("settings-providers", _page(theme)),
        ("provider-form", ProviderForm(theme, OPENAI.profile, shown=OPENAI)),
        ("provider-form-more", _more(theme)),
        ("provider-form-no-keyring", _without_keyring(theme)),
        ("provider-form-tested", _tested(theme)),
        ("passphrase", _wrong(theme)),
        ("model-chooser", _chooser(theme)),
        ("passphrase-change", PassphraseDialog(theme, is_changing=True)),
    ]


def _page(theme: Theme) -> QWidget:
    dialog = SettingsDialog(theme, {setting.name: setting.default for setting in all_settings()})
    page = dialog.provider_page
    page.show_providers([OPENAI, OLLAMA, TEAM])
    page.show_status("openai", "works, 31 models", True)
    page.show_status("ollama", "4 models", True)
    page.show_status("team", "401: Team gateway did not accept the API key", False)
    page.show_found([FoundServer("lm-studio", "LM Studio", "http://127.0.0.1:1234/v1", ("a", "b"))])
    page.show_finding(True)
    dialog.show_page("Providers")
    return dialog


def _more(theme: Theme) -> QWidget:
    form = ProviderForm(theme, TEAM.profile, shown=TEAM)
    form.more_button.setChecked(True)
    form.resize(form.width(), 900)
    return form


def _without_keyring(theme: Theme) -> QWidget:
    preset = preset_of("groq")
    form = ProviderForm(theme, ProviderProfile("", preset.id, preset.label, preset.base_url))
    form.show_key_state(NO_KEYRING)
    form.key.field.setText("sk-not-a-key-0000")
    form.key.place_box.setCurrentIndex(1)
    return form


def _tested(theme: Theme) -> QWidget:
    form = ProviderForm(theme, TEAM.profile, shown=TEAM)
    form.steps.begin()
    for result in (
        StepResult(Step.ADDRESS, StepState.OK, "The server answers."),
        StepResult(Step.TLS, StepState.OK, "The connection is encrypted."),
        StepResult(
            Step.KEY,
            StepState.FAILED,
            "401: Team gateway did not accept the API key. Check the API key in the settings.",
        ),
        StepResult(Step.MODELS, StepState.SKIPPED),
        StepResult(Step.STREAMING, StepState.SKIPPED),
    ):
        form.show_step(result)
    return form


def _chooser(theme: Theme) -> QWidget:
    chooser = ModelChooser(theme)
    models = [
        ("openrouter", "OpenRouter", [(f"maker/model-{number}", f"Model {number}") for number in range(400)]),
        ("ollama", "Ollama", [("qwen3:8b", "qwen3:8b"), ("llama3.1:70b", "The large llama")]),
    ]
    chooser.show_models(models, {("ollama", "llama3.1:70b"), ("openrouter", "maker/model-3")})
    chooser.resize(400, 420)
    return chooser


def _wrong(theme: Theme) -> QWidget:
    dialog = PassphraseDialog(theme)
    dialog.show_problem(
        "The passphrase does not open the file of keys. The keys are unchanged. Type it again; capital letters count."
    )
    return dialog
