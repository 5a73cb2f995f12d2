"""Chooses the model and the assistant of the next question: those of the open thread, or a person's choice for new
threads, for one question, or for another answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal

from chatdesk.core.chat.chat_service import ChatService
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.domain.prompt import Assistant
from chatdesk.core.domain.provider_profile import ProviderProfile
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import PromptsChanged, ThreadChanged
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.texts import plural, shown, tr
from chatdesk.services.services import Services
from chatdesk.ui.features.chat.next_questions import NextQuestions
from chatdesk.ui.features.chat.provider_consent import ProviderConsent
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.settings.settings_binding import SettingsBinding
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from chatdesk.ui.window.window_context import Controller, WindowContext


class NextModel(Controller):
    """The models of the next question. ``changed``: ``chosen`` is another. The header shows who answers next."""

    changed = Signal()

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        settings: SettingsBinding,
        services: Services,
        questions: NextQuestions,
    ) -> None:
        super().__init__(context, context.panes.pane)
        self._threads = threads
        self._settings = settings
        self.questions = questions
        self._services = services
        self._model: tuple[str, str] | None = None
        self._of_assistant: tuple[str, str | None] | None = None
        questions.changed.connect(self.show)
        settings.modelOfNewThreadsChanged.connect(self.forget)

    @property
    def chosen(self) -> tuple[str, str] | None:
        """The provider and model that a person chose for new threads; None to follow the settings."""
        return self._model

    def remember(self, chosen: tuple[str, str] | None) -> None:
        """Restore the model that was chosen before this start. It is ignored when its provider is gone or the settings
        name another model for new threads."""
        settings = self._settings.current
        is_named = settings.provider != "auto" or bool(settings.openai_model)
        if chosen is not None and not is_named and self._services.providers.has(chosen[0]):
            self._model = chosen
            self.show()

    def forget(self) -> None:
        """Start new threads with the model of the settings again."""
        self._model = None
        self.show()
        self.changed.emit()

    def follow_assistant(self, assistant: Assistant | None) -> None:
        """Show the model of the assistant that answers in the open thread, or will in the new one."""
        setup = None if assistant is None else assistant.setup
        has_model = setup is not None and setup.provider is not None and self._services.providers.has(setup.provider)
        self._of_assistant = (str(setup.provider), setup.model) if setup is not None and has_model else None
        self.show()

    def choose(self, provider: str, model: str) -> None:
        """Use this model for the open thread and for the next new one."""
        self._model = (provider, model)
        self._of_assistant = None
        self.compare(())
        self.show()
        self.changed.emit()
        thread = self._threads.open_thread
        if thread is not None and (thread.provider, thread.model) != self._model:
            self._tasks.start(self._set_model(thread.id, provider, model), "set model")

    def use_new(self, profile: ProviderProfile) -> None:
        """Use a provider that was just connected in new threads, since whoever adds one wants to ask it; an open thread
        keeps its own."""
        provider, model = self._services.providers.resolve(profile.id, None)
        words = tr("{label} is connected.", label=profile.label)
        if self._threads.open_thread is None and model:
            self.choose(provider, model)
            words = tr("{label} is connected. {model} answers.", label=profile.label, model=model)
        self._panes.window.show_toast(words)
        self._panes.pane.focus_composer()

    async def _set_model(self, thread_id: str, provider: str, model: str) -> None:
        await self._open_thread.chat_of(thread_id).set_thread_model(thread_id, provider, model)

    @property
    def answering(self) -> tuple[str | None, str | None]:
        """(provider, model) of the next answer; None: the default one."""
        thread = self._threads.open_thread
        return self._wanted() if thread is not None else self._model or (None, None)

    @property
    def compared(self) -> tuple[tuple[str, str], ...]:
        """The models that the next question of the open thread goes to at once; empty when one model answers."""
        return self.questions.of(self._threads.thread_id).models

    def compare(self, models: Sequence[tuple[str, str]]) -> None:
        """Ask these in the open thread from now on; none: one model answers."""
        self.questions.compare(self._threads.thread_id, models)

    def show(self, *_changed: object) -> None:
        """Show in the header the model that the next question goes to."""
        header = self._panes.header
        if self._model is not None and not self._services.providers.has(self._model[0]):
            self._model = None  # its provider was removed in the meantime
        compared = self.compared
        header.set_compared(compared)
        if compared:
            header.set_current("", shown(plural("Comparing {count} models", "Comparing {count} model", len(compared))))
        else:
            header.set_current(*self.resolved())

    def resolved(self) -> tuple[str, str]:
        """Return the (provider, model) that the next question goes to; the model is empty as long as it is not
        known."""
        return self._services.providers.resolve(*self._wanted())

    def _wanted(self) -> tuple[str | None, str | None]:
        """Return the model of the open thread, or for a new one the person's choice, else its project's."""
        thread, project = self._threads.open_thread, self._threads.new_project
        if self._of_assistant is not None and (thread is None or thread.provider is None):
            return self._of_assistant
        if thread is not None:
            return thread.provider, thread.model
        if self._model is not None:
            return self._model
        return (None, None) if project is None else (project.provider, project.model)


class NextAssistant(Controller):
    """The assistant of the next question. ``changed``: ``once`` or ``here`` changed. ``once`` is asked this question
    only, ``here`` answers in the open thread or will in the new one; None: no assistant."""

    changed = Signal()

    def __init__(self, context: WindowContext, threads: ThreadBinding, models: NextModel) -> None:
        super().__init__(context, context.panes.pane)
        self._threads = threads
        self._models = models
        self._questions = models.questions
        self._thread_id: str | None = None
        self.once: Assistant | None = None
        self.here: Assistant | None = None
        threads.opened.connect(self._on_threads_opened)
        models.questions.changed.connect(self._on_questions_changed)
        context.events.subscribe(self, ThreadChanged, self._on_thread_changed)
        context.events.subscribe(self, PromptsChanged, lambda _event: self._look_up_soon())

    def ask_once(self, assistant_id: str | None) -> None:
        """Ask this assistant the next question of the open thread only; None: no assistant."""
        self._questions.ask_once(self._threads.thread_id, assistant_id)

    def choose_for_new(self, assistant_id: str | None) -> None:
        """Choose the assistant that answers in the new chat; it is remembered until its first question."""
        self._questions.choose_first(assistant_id)

    @property
    def once_id(self) -> str | None:
        """The id of the assistant that is asked the next question alone."""
        return self._questions.of(self._threads.thread_id).once_id

    @property
    def words(self) -> str:
        """A sentence that names the assistant of the next question; empty if none was chosen for it."""
        return "" if self.once is None else tr("{name} answers this question.", name=clean_line(self.once.name))

    def of_new_thread(self) -> dict[str, Any]:
        """Return the choices of a new thread: its assistant, and a model unless the assistant has its own."""
        has_model = self.here is not None and self.here.setup.provider is not None
        provider, model = (None, None) if has_model else self._models.chosen or (None, None)
        return {"provider": provider, "model": model, "assistant_id": None if self.here is None else self.here.id}

    def _id_here(self) -> str | None:
        thread = self._threads.open_thread
        return self._questions.of(None).assistant_id if thread is None else thread.assistant_id

    def _on_threads_opened(self, thread: Thread | None) -> None:
        thread_id = None if thread is None else thread.id
        if thread_id != self._thread_id:
            self._thread_id = thread_id
            self._look_up_once()
            self._look_up_soon()

    def _on_questions_changed(self, thread_id: str | None) -> None:
        if thread_id == self._threads.thread_id:
            self._look_up_once()
            if thread_id is None:
                self._look_up_soon()

    def _on_thread_changed(self, event: ThreadChanged) -> None:
        if event.thread.id == self._threads.thread_id:
            self._look_up_soon()

    @in_task("look up the assistant", replaces=True)
    async def _look_up_soon(self) -> None:
        found = await self._open_thread.stored_chat.assistants.find(self._id_here())
        if found != self.here:
            self.here = found
            self._models.follow_assistant(found)
            self.changed.emit()

    def _look_up_once(self) -> None:
        """Show the assistant that is asked the next question of the open thread."""
        thread_id, assistant_id = self._threads.thread_id, self.once_id
        self._set_once(None)
        if assistant_id is not None:
            self._tasks.replace(self._find_once(thread_id, assistant_id), "ask an assistant")

    async def _find_once(self, thread_id: str | None, assistant_id: str) -> None:
        found = await self._open_thread.stored_chat.assistants.find(assistant_id)
        if found is None:
            self._questions.ask_once(thread_id, None)  # the assistant was deleted
        elif (thread_id, assistant_id) == (self._threads.thread_id, self.once_id):
            self._set_once(found)

    def _set_once(self, assistant: Assistant | None) -> None:
        if assistant != self.once:
            self.once = assistant
            self.changed.emit()


class AnswerModels(Controller):
    """*Regenerate with another model* asks that model once. After a failure the thread goes on with the model that was
    chosen, since the one before it may be gone."""

    def __init__(self, context: WindowContext, threads: ThreadBinding) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._consent = ProviderConsent(context)
        self._chooser: ModelChooser | None = None
        self._message_id = ""
        panes.message_handlers.bind("regenerate-with", self.choose)
        panes.commands.bind("message.regenerate_with", self._choose_for_last, lambda: threads.thread_id is not None)

    def choose(self, message_id: str) -> None:
        """Offer the models for this answer, or for the first answer to this question."""
        transcript, picker = self._panes.transcript, self._panes.header.model_picker
        if self._chooser is None:
            self._chooser = ModelChooser(self._panes.theme, transcript, has_actions=False)
            self._chooser.setAccessibleName(tr("Answer with another model"))
            self._chooser.chosen.connect(self._on_chooser_chosen)
            self._chooser.likeToggled.connect(picker.likeToggled)
        self._message_id = message_id
        self._chooser.show_models(picker.models, picker.liked)
        self._chooser.open_at(transcript.foot_of(message_id))

    @in_task("choose model for answer", replaces=True)
    async def _choose_for_last(self) -> None:
        thread_id = self._threads.thread_id
        if thread_id is not None:
            page = await self._open_thread.chat.reader.get_thread_messages(thread_id, 1)
            if page.messages:
                self.choose(page.messages[-1].id)

    def _on_chooser_chosen(self, provider: str, model: str) -> None:
        self._tasks.start_once(self._answer(self._message_id, provider, model), "answer with")

    async def _answer(self, message_id: str, provider: str, model: str) -> None:
        chat = self._open_thread.chat
        message = await chat.reader.get_message(message_id)
        if message.role is Role.ASSISTANT and message.status is Status.ERROR:
            await self._replace_failed(chat, message, provider, model)
        else:
            await self._consent.run(chat.regenerate_response, message_id, provider=provider, model=model)

    async def _replace_failed(self, chat: ChatService, message: Message, provider: str, model: str) -> None:
        thread = await chat.get_thread(message.thread_id)
        if (thread.provider, thread.model) != (provider, model):
            await chat.set_thread_model(thread.id, provider, model)
        await self._consent.run(chat.retry_message, message.id, provider=provider, model=model)
