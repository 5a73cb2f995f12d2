"""Core's events as Qt signals, so that panes subscribe the way widgets do and are dropped with their receiver."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from chatdesk.core import events
from chatdesk.core.events import EventBus, Subscription


class EventBridge(QObject):
    """A bridge with one signal for each kind of event; each carries the event itself."""

    thread_created = Signal(object)
    thread_changed = Signal(object)
    thread_deleted = Signal(object)
    threads_changed = Signal(object)
    project_created = Signal(object)
    project_changed = Signal(object)
    project_deleted = Signal(object)
    tags_changed = Signal(object)
    message_added = Signal(object)
    message_changed = Signal(object)
    path_changed = Signal(object)
    turn_started = Signal(object)
    text_streamed = Signal(object)
    retry_waiting = Signal(object)
    answer_finished = Signal(object)
    reachability_changed = Signal(object)
    context_changed = Signal(object)
    summary_failed = Signal(object)
    summary_work_changed = Signal(object)
    usage_recorded = Signal(object)
    limit_near = Signal(object)
    queue_changed = Signal(object)
    waiting_questions_changed = Signal(object)
    prompts_changed = Signal(object)
    providers_changed = Signal(object)
    storage_failed = Signal(object)
    storage_recovered = Signal(object)
    sync_status_changed = Signal(object)
    team_changed = Signal(object)
    presence_changed = Signal(object)
    unread_changed = Signal(object)
    shared_messages_arrived = Signal(object)
    shared_files_changed = Signal(object)

    def __init__(self, bus: EventBus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        signals = {
            events.ThreadCreated: self.thread_created,
            events.ThreadChanged: self.thread_changed,
            events.ThreadDeleted: self.thread_deleted,
            events.ThreadsChanged: self.threads_changed,
            events.ProjectCreated: self.project_created,
            events.ProjectChanged: self.project_changed,
            events.ProjectDeleted: self.project_deleted,
            events.TagsChanged: self.tags_changed,
            events.MessageAdded: self.message_added,
            events.MessageChanged: self.message_changed,
            events.PathChanged: self.path_changed,
            events.TurnStarted: self.turn_started,
            events.TextStreamed: self.text_streamed,
            events.RetryWaiting: self.retry_waiting,
            events.AnswerFinished: self.answer_finished,
            events.ReachabilityChanged: self.reachability_changed,
            events.ContextChanged: self.context_changed,
            events.SummaryFailed: self.summary_failed,
            events.SummaryWorkChanged: self.summary_work_changed,
            events.UsageRecorded: self.usage_recorded,
            events.ProvidersChanged: self.providers_changed,
            events.LimitNear: self.limit_near,
            events.QueueChanged: self.queue_changed,
            events.WaitingQuestionsChanged: self.waiting_questions_changed,
            events.PromptsChanged: self.prompts_changed,
            events.StorageFailed: self.storage_failed,
            events.StorageRecovered: self.storage_recovered,
            events.SyncStatusChanged: self.sync_status_changed,
            events.TeamChanged: self.team_changed,
            events.PresenceChanged: self.presence_changed,
            events.UnreadChanged: self.unread_changed,
            events.SharedMessagesArrived: self.shared_messages_arrived,
            events.SharedFilesChanged: self.shared_files_changed,
        }
        self._subscriptions: list[Subscription] = [bus.subscribe(kind, signal.emit) for kind, signal in signals.items()]

    def join(self, bus: EventBus) -> None:
        """Carry what happens to threads and messages on another bus, too."""
        self._subscriptions += [
            bus.subscribe(kind, signal.emit)
            for kind, signal in (
                (events.ThreadCreated, self.thread_created),
                (events.ThreadChanged, self.thread_changed),
                (events.ThreadDeleted, self.thread_deleted),
                (events.MessageAdded, self.message_added),
                (events.MessageChanged, self.message_changed),
                (events.PathChanged, self.path_changed),
                (events.TurnStarted, self.turn_started),
                (events.TextStreamed, self.text_streamed),
                (events.RetryWaiting, self.retry_waiting),
                (events.AnswerFinished, self.answer_finished),
                (events.ContextChanged, self.context_changed),
                (events.UsageRecorded, self.usage_recorded),
            )
        ]

    def close(self) -> None:
        for subscription in self._subscriptions:
            subscription.cancel()
        self._subscriptions.clear()
