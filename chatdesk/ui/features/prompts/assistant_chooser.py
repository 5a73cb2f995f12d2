"""Gathers the choices for an assistant: models, tool servers, files from the disk, and parameters."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.hidden_characters import told_apart
from chatdesk.core.texts import shown, tr
from chatdesk.core.tools.tool_service import ToolService
from chatdesk.ui.dialogs.file_dialogs import ask_for_files
from chatdesk.ui.features.chat.parameters import ParametersDialog
from chatdesk.ui.features.prompts.assistant_fields import AssistantChoices
from chatdesk.ui.features.prompts.prompts_dialog import PromptsDialog
from chatdesk.ui.window.window_context import WindowContext


class AssistantChooser:
    """Chooses assistants below the composer. ``tools_in_use`` returns the service of tool servers, None if no server is
    set up."""

    def __init__(
        self,
        context: WindowContext,
        attachments: AttachmentService,
        *,
        tools_in_use: Callable[[], Awaitable[ToolService | None]],
    ) -> None:
        self._panes = context.panes
        self._open_thread = context.open_thread
        self._attachments = attachments
        self._tools_in_use = tools_in_use

    async def choices(self) -> AssistantChoices:
        tools = await self._tools_in_use()
        names = {} if tools is None else told_apart({each.id: shown(each.name) for each in tools.servers})
        return AssistantChoices(self._panes.header.models, tuple(names.items()))

    async def add_file(self, path: Path) -> Attachment:
        """Copy a file into the store. Raises ``AttachmentTooLarge`` or ``AttachmentUnusable``."""
        return await self._attachments.add_file(path)

    def ask_for_files(self, dialog: PromptsDialog, take: Callable[[Path], object]) -> None:
        ask_for_files(dialog, tr("Files of the assistant"), lambda paths: [take(path) for path in paths])

    def ask_for_parameters(self, dialog: PromptsDialog, parameters: Parameters) -> None:
        fields = dialog.form.assistant
        if fields is None:
            return
        setup = fields.setup
        asking = ParametersDialog(
            self._panes.theme,
            parameters,
            Parameters(),
            info=self._open_thread.stored_chat.context.models.info(setup.provider, setup.model),
            scope="assistant",
            name=dialog.form.name_field.text(),
            parent=dialog,
        )
        asking.saved.connect(fields.set_parameters)
        asking.open()
