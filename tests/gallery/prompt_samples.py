"""Prompts: the list above the composer, the fields of a template, the library, and system prompts."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.chat.prompts.prompt_variables import Field, Problem
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.prompt import (
    AssistantSetup,
    Prompt,
    PromptHead,
    PromptKind,
    PromptSize,
    PromptSource,
    SystemPrompts,
)
from chatdesk.core.texts import shown
from chatdesk.ui.composer.composer import Composer
from chatdesk.ui.features.prompts.assistant_fields import AssistantChoices
from chatdesk.ui.features.prompts.prompt_fields import PromptFieldsDialog
from chatdesk.ui.features.prompts.prompt_menu import PromptMenu
from chatdesk.ui.features.prompts.prompts_dialog import PromptsDialog
from chatdesk.ui.features.prompts.system_prompt import SystemPromptDialog
from chatdesk.ui.theme.theme import Theme

_TEMPLATE, _SYSTEM = PromptKind.TEMPLATE, PromptKind.SYSTEM
_HEADS = (
    PromptHead("1", _TEMPLATE, "Explain", "Explain {{topic}} for {{reader|a beginner|a colleague|an expert}}."),
    PromptHead("2", _TEMPLATE, "Review code", "Review the code below. Look for mistakes first."),
    PromptHead("3", _TEMPLATE, "A name that is much too long to be shown in full " * 2, "…"),
    PromptHead("4", _SYSTEM, "Short and precise", "Answer in as few words as the question allows."),
)
_PROBLEM = Problem(2, 5, "{{clipbord}} is asked for as a field. Did you mean {{clipboard}}?")


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("prompt-menu-slash", _menu(theme, "/")),
        ("prompt-menu-search", _menu(theme, "")),
        ("prompt-menu-nothing-found", _menu(theme, "", searched="zebra")),
        ("prompt-fields", _fields(theme)),
        ("prompt-library", _library(theme)),
        ("prompt-library-assistant", _assistant(theme)),
        ("prompt-library-deleted", _library(theme, is_deleted=True)),
        ("system-prompt", _system_prompt(theme, "Answer in {{language}}. Today is {{date}}.", PromptSource.THREAD)),
        ("system-prompt-too-large", _system_prompt(theme, "Much text. " * 60, PromptSource.PROJECT, tokens=9_000)),
    ]


def _menu(theme: Theme, typed: str, *, searched: str = "") -> QWidget:
    page = QWidget()
    page.resize(776, 480)
    column = QVBoxLayout(page)
    column.addStretch(1)
    composer = Composer(theme)
    composer.set_placeholder("Message Research — drop files here, / for prompts")
    composer.set_text(typed)
    column.addWidget(composer)
    menu = PromptMenu(theme, composer)
    page.setProperty("focusOn", "composer" if typed else "promptMenuField")
    page.show()
    composer.editor.setFocus()
    if typed:
        menu.open_after_mark(_HEADS[:3])
    else:
        menu.open_to_search(_HEADS[:3])
        menu.field.setText(searched)
    return page


def _fields(theme: Theme) -> QWidget:
    fields = (Field("topic", "topic"), Field("tone", "tone", "", ("plain", "formal", "friendly")))
    return PromptFieldsDialog(theme, "Explain", fields, last_values={"topic": "Tides"}, problems=[_PROBLEM])


def _library(theme: Theme, *, is_deleted: bool = False) -> QWidget:
    dialog = PromptsDialog(theme)
    dialog.show_heads(_HEADS)
    if is_deleted:
        dialog.show_deleted("9", "Plan steps")
    else:
        dialog.show_prompt(Prompt("1", _TEMPLATE, "Explain", "Explain {{topic}}.\nUse {{clipbord}}.", 0, 0))
        dialog.form.show_problems([shown(_PROBLEM.sentence)])
    return dialog


def _assistant(theme: Theme) -> QWidget:
    files = (Attachment("house style.pdf", "application/pdf", "0" * 64, 90_000),)
    setup = AssistantSetup("pencil", "home", "qwen", Parameters(temperature=0.2), ("notes", "files"), files)
    dialog = PromptsDialog(theme)
    dialog.show_heads((*_HEADS, PromptHead("5", PromptKind.ASSISTANT, "Editor", "You are an editor.", icon="pencil")))
    models = (("home", "My server", (("qwen", "Qwen 3 32B"),)),)
    dialog.form.offer(AssistantChoices(models, (("notes", "Notes"), ("files", "Files in ~/Documents"))))
    dialog.show_prompt(Prompt("5", PromptKind.ASSISTANT, "Editor", "You are an editor.", 0, 0, setup=setup))
    return dialog


def _system_prompt(theme: Theme, text: str, source: PromptSource, tokens: int = 21) -> QWidget:
    texts = {PromptSource.THREAD: "", PromptSource.PROJECT: "", source: text}
    prompts = SystemPrompts("t", "p", "Research", texts[PromptSource.THREAD], texts[PromptSource.PROJECT], "")
    dialog = SystemPromptDialog(theme, prompts, source=source)
    dialog.show_library(_HEADS[3:])
    dialog.show_size(PromptSize(tokens, 8_000, is_estimate=True))
    if source is PromptSource.THREAD:
        dialog.show_problems(["Line 1, column 11: {{language}} is not known in a system prompt."])
    return dialog
