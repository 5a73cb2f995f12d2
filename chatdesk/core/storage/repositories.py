"""Gathers all repositories of one database, for the composition root to hand out."""

from __future__ import annotations

from dataclasses import dataclass

from chatdesk.core.storage.chat.context_store import ContextRepository
from chatdesk.core.storage.chat.drafts import DraftRepository
from chatdesk.core.storage.chat.messages import MessageRepository
from chatdesk.core.storage.chat.outlines import OutlineRepository
from chatdesk.core.storage.chat.paths import PathRepository
from chatdesk.core.storage.chat.projects import ProjectRepository
from chatdesk.core.storage.chat.summaries import SummaryRepository
from chatdesk.core.storage.chat.system_prompts import SystemPromptRepository
from chatdesk.core.storage.chat.tags import TagRepository
from chatdesk.core.storage.chat.threads import ThreadRepository
from chatdesk.core.storage.chat.token_counts import TokenCountRepository
from chatdesk.core.storage.chat.waiting import WaitingRepository
from chatdesk.core.storage.chat.waiting_questions import WaitingQuestionRepository
from chatdesk.core.storage.engine.database import Database
from chatdesk.core.storage.knowledge.questions import KeptQuestionRepository
from chatdesk.core.storage.library.library import LibraryRepository
from chatdesk.core.storage.library.prompts import PromptRepository
from chatdesk.core.storage.library.requests import RequestRepository
from chatdesk.core.storage.library.trash_store import TrashRepository
from chatdesk.core.storage.memory.memories import MemoryRepository
from chatdesk.core.storage.sync.erasures import ErasureRepository
from chatdesk.core.storage.sync.shared_choices import SharedChoiceRepository
from chatdesk.core.storage.usage.days import UsageDayRepository
from chatdesk.core.storage.usage.events import UsageRepository
from chatdesk.core.storage.usage.limits import UsageLimitRepository


@dataclass(frozen=True, slots=True)
class Repositories:
    projects: ProjectRepository
    threads: ThreadRepository
    messages: MessageRepository
    outlines: OutlineRepository
    paths: PathRepository
    drafts: DraftRepository
    contexts: ContextRepository
    summaries: SummaryRepository
    token_counts: TokenCountRepository
    usage: UsageRepository
    prompts: PromptRepository
    system_prompts: SystemPromptRepository
    library: LibraryRepository
    tags: TagRepository
    trash: TrashRepository
    usage_days: UsageDayRepository
    usage_limits: UsageLimitRepository
    waiting: WaitingRepository
    waiting_questions: WaitingQuestionRepository
    erasures: ErasureRepository
    shared_choices: SharedChoiceRepository
    requests: RequestRepository
    memories: MemoryRepository
    kept_questions: KeptQuestionRepository

    @classmethod
    def of(cls, database: Database) -> Repositories:
        return cls(
            projects=ProjectRepository(database),
            threads=ThreadRepository(database),
            messages=MessageRepository(database),
            outlines=OutlineRepository(database),
            paths=PathRepository(database),
            drafts=DraftRepository(database),
            contexts=ContextRepository(database),
            summaries=SummaryRepository(database),
            token_counts=TokenCountRepository(database),
            usage=UsageRepository(database),
            prompts=PromptRepository(database),
            system_prompts=SystemPromptRepository(database),
            library=LibraryRepository(database),
            tags=TagRepository(database),
            trash=TrashRepository(database),
            usage_days=UsageDayRepository(database),
            usage_limits=UsageLimitRepository(database),
            waiting=WaitingRepository(database),
            waiting_questions=WaitingQuestionRepository(database),
            erasures=ErasureRepository(database),
            shared_choices=SharedChoiceRepository(database),
            requests=RequestRepository(database),
            memories=MemoryRepository(database),
            kept_questions=KeptQuestionRepository(database),
        )
