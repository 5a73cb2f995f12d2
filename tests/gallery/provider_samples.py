"""Providers: the page of the settings, the form of one with and without a keyring, a test, the passphrase."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.core.chat.provider_setup.keys import KeyState
from chatdesk.core.chat.provider_setup.provider_service import ShownProvider
from chatdesk.core.domain.key_origin import KeyNotAgreed, KeyOrigin, Withheld, WithheldFor
from chatdesk.core.domain.model_info import Ability, ModelInfo, ModelOverrides, Price
from chatdesk.core.domain.provider_check import FoundServer, ListedModel, ModelList, Step, StepResult, StepState
from chatdesk.core.domain.provider_profile import Header, ProviderProfile
from chatdesk.core.settings.providers_store import KeyPlace
from chatdesk.core.settings.schema import all_settings
from chatdesk.core.settings.secrets import SecretSource
from chatdesk.ui.features.providers.model_table import ModelLine
from chatdesk.ui.features.providers.passphrase import PassphraseDialog
from chatdesk.ui.features.providers.provider_editing import agreement_dialog
from chatdesk.ui.features.providers.provider_form import ProviderDialog
from chatdesk.ui.features.providers.provider_models import ProviderModels
from chatdesk.ui.features.providers.provider_page import ProviderPage
from chatdesk.ui.features.settings.settings_dialog import SettingsDialog
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from tests.helpers.settings_pages import provider_page

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
WITHHELD = ShownProvider(
    ProviderProfile("openai", "openai", "OpenAI", "https://llm-gateway.example.net:8443/v1"),
    "",
    SecretSource.KEYRING,
    "OPENAI_API_KEY",
    withheld=Withheld(
        WithheldFor.ELSEWHERE,
        KeyOrigin.of("https://llm-gateway.example.net:8443/v1", proxy="http://proxy.example.net:3128"),
        KeyOrigin.of("https://api.openai.com/v1"),
    ),
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
NO_KEY = ShownProvider(
    ProviderProfile("groq", "groq", "Groq", "https://api.groq.com/openai/v1"), "", SecretSource.NONE, "GROQ_API_KEY"
)
TEAM_WITHOUT_KEY = ShownProvider(
    ProviderProfile("team", "other", "Team gateway", "https://llm.example.org/v1"),
    "",
    SecretSource.NONE,
    "",
    needs_key=False,
)
REFUSED = (
    StepResult(Step.ADDRESS, StepState.OK, "The server answers."),
    StepResult(Step.TLS, StepState.OK, "The connection is encrypted."),
    StepResult(
        Step.KEY,
        StepState.FAILED,
        "401: Team gateway did not accept the API key. Check the API key in the settings.",
    ),
    StepResult(Step.MODELS, StepState.SKIPPED),
    StepResult(Step.STREAMING, StepState.SKIPPED),
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
        ("settings-providers", build_settings(theme)),
        ("settings-providers-tested", _tested_row(theme)),
        ("provider-models", _models(theme)),
        ("provider-form", ProviderDialog(theme, OPENAI)),
        ("provider-form-more", _more(theme)),
        ("provider-form-no-keyring", _without_keyring(theme)),
        ("provider-form-tested", _tested(theme)),
        ("provider-form-withheld", ProviderDialog(theme, WITHHELD)),
        ("provider-key-not-agreed", _not_agreed(theme)),
        ("passphrase", _wrong(theme)),
        ("model-chooser", _chooser(theme)),
        ("passphrase-change", PassphraseDialog(theme, is_changing=True)),
    ]


def _not_agreed(theme: Theme) -> QWidget:
    assert WITHHELD.withheld is not None
    return agreement_dialog(theme, KeyNotAgreed(WITHHELD.withheld, "OpenAI"))


def build_settings(theme: Theme) -> QWidget:
    values = {setting.name: setting.default for setting in all_settings()}
    values |= {"provider": "openai", "openai_model": "gpt-5.4", "task_model": "ollama/qwen3:8b"}
    models = [("openai", "OpenAI", [("gpt-5.4", "GPT-5.4")]), ("ollama", "Ollama", [("qwen3:8b", "qwen3:8b")])]
    dialog = SettingsDialog(theme, values, models=models)
    dialog.fill_page("Providers", lambda: ProviderPage(theme))
    page = provider_page(dialog)
    page.show_providers([OPENAI, OLLAMA, TEAM])
    page.row("openai").show_test("Works, 31 models", True)
    page.row("ollama").show_test("4 models", True)
    page.row("team").show_test("401: the key was refused", False)
    page.found.show_servers([FoundServer("lm-studio", "LM Studio", "http://127.0.0.1:1234/v1", ("a", "b"))])
    page.show_finding(True)
    dialog.show_page("Providers")
    return dialog


def _tested_row(theme: Theme) -> QWidget:
    """A provider without a key; a test that failed, with its steps."""
    dialog = SettingsDialog(theme, {setting.name: setting.default for setting in all_settings()})
    dialog.fill_page("Providers", lambda: ProviderPage(theme))
    page = provider_page(dialog)
    page.show_providers([NO_KEY, TEAM_WITHOUT_KEY])
    page.row("team").show_testing(True)
    for result in REFUSED:
        page.row("team").show_step(result)
    page.row("team").show_testing(False)
    page.row("team").show_test("401: the key was refused", False)
    for result in REFUSED:
        page.row("team").show_step(result)
    page.show_finding(True)
    dialog.show_page("Providers")
    return dialog


def model_lines() -> list[ModelLine]:
    """Models of which much, little and nothing is known, and of which the person said something."""
    seeing = frozenset({Ability.IMAGES})
    unclear = ModelInfo("", "", 32_000, 1000, unclear=frozenset(Ability), is_known=False)
    return [
        ModelLine("gpt-5.4-mini", "GPT-5.4 mini", ModelInfo("", "", 400_000, 1000, Price(0.75, 0.075, 4.5), seeing)),
        ModelLine("o3-mini", "o3-mini", ModelInfo("", "", 200_000, 1000, Price(1.1, 0.55, 4.4))),
        ModelLine("swift-small", "swift-small", unclear),
        ModelLine(
            "gemma-3-27b-it-qat-q4_0-gguf",
            "Gemma 3",
            ModelInfo("", "", 131_072, 1000, None, seeing),
            "The one at home",
            ModelOverrides(context_window=16_384, input_price=0.0, output_price=0.0),
        ),
        ModelLine("old-model", "old-model", ModelInfo("", "", 8192, 1000), "", ModelOverrides(is_hidden=True)),
    ]


def _models(theme: Theme) -> QWidget:
    dialog = ProviderModels(theme, "Team gateway", model_lines())
    dialog.show_problem("swift-small: Type a number of tokens, such as 32000 or 128k.")
    return dialog


def _more(theme: Theme) -> QWidget:
    dialog = ProviderDialog(theme, TEAM)
    dialog.form.more_button.setChecked(True)
    dialog.resize(dialog.width(), 900)
    return dialog


def _without_keyring(theme: Theme) -> QWidget:
    dialog = ProviderDialog(theme, NO_KEY)
    form = dialog.form
    form.show_key_state(NO_KEYRING)
    form.key.field.setText("sk-not-a-key-0000")
    form.key.place_box.setCurrentIndex(1)
    return dialog


def _tested(theme: Theme) -> QWidget:
    dialog = ProviderDialog(theme, TEAM)
    dialog.form.steps.reset()
    for result in REFUSED:
        dialog.form.show_step(result)
    return dialog


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
