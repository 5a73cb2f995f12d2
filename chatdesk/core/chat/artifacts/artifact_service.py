"""ArtifactService opens code blocks and files as documents, and keeps their versions: later answers and edits by hand.

All methods are coroutines on one loop; waiting for the disk and comparing texts run on threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from chatdesk.core.attachments.file_kinds import HEAD_BYTES, kind_of
from chatdesk.core.chat.attachment_service import AttachmentService
from chatdesk.core.domain.artifacts.artifact import DOCUMENT, Artifact, ArtifactVersion, ArtifactView, grouped
from chatdesk.core.domain.artifacts.code_blocks import FencedCode, changed_code, fenced_code
from chatdesk.core.domain.artifacts.differences import Difference, difference
from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.errors import AttachmentUnusable, ChatDeskError, NotPossible
from chatdesk.core.ids import checked_id
from chatdesk.core.rendering.code_names import suggested_name
from chatdesk.core.storage.chat.documents import DocumentRepository
from chatdesk.core.texts import Text

# A text above this is saved or opened with another program, and not shown or edited here.
MOST_SHOWN_BYTES: Final = 20 * 1024 * 1024
# A text above this is compared with nothing.
_MOST_COMPARED_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class VersionText:
    """The text of a version; ``problem`` is the sentence why there is none."""

    text: str
    problem: str = ""


class ArtifactService:
    """The artifacts of stored threads. Built once for a process and shared by all its front ends."""

    def __init__(self, documents: DocumentRepository, attachments: AttachmentService) -> None:
        self._documents = documents
        self._attachments = attachments
        self._unfit: set[tuple[str, str]] = set()  # answers without a version, by document and message
        self._adopting = asyncio.Lock()

    async def of_thread(self, thread_id: str) -> tuple[Artifact, ...]:
        """Return the artifacts of a thread, the last changed first. An answer to a question that had a version of a
        document becomes the next version, wherever it was received."""
        artifacts = grouped(await self._documents.of_thread(checked_id(thread_id)))
        if self._documents.is_read_only:
            return artifacts
        async with self._adopting:
            if await self._adopt(thread_id, artifacts):
                artifacts = grouped(await self._documents.of_thread(thread_id))
        return artifacts

    async def open_code(self, message_id: str, code: str, language: str) -> str:
        """Open a code block of a message as a document. Returns the document's id; the same block is opened once.
        Raises ``MessageNotFound``, ``AttachmentTooLarge``."""
        parts = await self._documents.texts_of(checked_id(message_id))
        if not parts or not code:
            raise NotPossible(Text("This message has no text that could be opened as an artifact."))
        part_id, block = await asyncio.to_thread(_place_of, parts, code)
        file = await self._keep(code, (block.file_name if block else "") or suggested_name(language))
        known = await self._documents.of_message(message_id)
        for each in known:
            if each.kind == DOCUMENT and each.sha256 == file.sha256 and not each.is_by_hand:
                return each.artifact_id
        return await self._documents.create(part_id, file, language=language)

    async def edit(self, version: ArtifactVersion, text: str) -> str:
        """Store a text that a person wrote as the version after all others. Returns the document's id. Raises
        ``NotPossible`` where nothing was changed."""
        file = await self._keep(text, version.name)
        if file.sha256 == version.sha256:
            raise NotPossible(Text("Nothing was changed."), safe=Text("The version is unchanged."))
        document_id = await self._documents.add(version, file, part_id=version.part_id, is_by_hand=True)
        await self._documents.forget_edit(version)
        return document_id

    async def keep_edit(self, version: ArtifactVersion, text: str) -> None:
        """Store an edit of a version that is still being written, replacing its earlier state."""
        await self._documents.keep_edit(version, text)

    async def unfinished_edit(self, version: ArtifactVersion) -> str | None:
        """Return the edit of a version that was cut off, as by a kill; None where there is none."""
        return await self._documents.kept_edit(version)

    async def forget_edit(self, version: ArtifactVersion) -> None:
        """Forget an unfinished edit that is not wanted."""
        await self._documents.forget_edit(version)

    async def text_of(self, version: ArtifactVersion) -> VersionText:
        """Return the text of a version; a bad file raises nothing."""
        if version.view in (ArtifactView.NONE, ArtifactView.PICTURE):
            return VersionText(
                "", Text("This kind of file is not shown here. Save it, or open it with another program.")
            )
        if version.size_bytes > MOST_SHOWN_BYTES:
            return VersionText(
                "", Text("The file is too large to be shown here. Save it, or open it with another program.")
            )
        try:
            data = await asyncio.to_thread(
                self._attachments.blobs.read, version.sha256, max_bytes=max(version.size_bytes, 1)
            )
        except AttachmentUnusable as error:
            return VersionText("", error.what)
        return VersionText(await asyncio.to_thread(_decoded, data))

    async def compare(self, before: ArtifactVersion, after: ArtifactVersion) -> Difference:
        """Return the changes between two versions. Raises ``NotPossible`` where they cannot be compared."""
        if max(before.size_bytes, after.size_bytes) > _MOST_COMPARED_BYTES:
            raise NotPossible(
                Text("These versions are too large to be compared here."), next_step=Text("Save both to compare.")
            )
        old, new = await self.text_of(before), await self.text_of(after)
        if problem := old.problem or new.problem:
            raise NotPossible(problem)
        return await asyncio.to_thread(difference, old.text, new.text)

    async def remove(self, artifact: Artifact) -> list[dict[str, Any]]:
        """Remove a document from its thread; the message that it was opened from stays. Returns what ``restore``
        takes."""
        return await self._documents.remove([each.id for each in artifact.versions])

    async def restore(self, removed: Sequence[dict[str, Any]]) -> None:
        """Undo ``remove``."""
        await self._documents.restore(removed)

    async def _keep(self, text: str, name: str) -> Attachment:
        data = text.encode("utf-8", "replace")
        if self._documents.is_read_only:
            raise NotPossible(Text("Nothing can be opened or edited here, because nothing can be written."))
        # The file is not a message's attachment, so its text is not read for the search.
        blob = await asyncio.to_thread(self._attachments.blobs.put, iter([data]), max_bytes=self._attachments.max_bytes)
        return Attachment(name, kind_of(data[:HEAD_BYTES], name), blob.sha256, blob.size_bytes)

    async def _adopt(self, thread_id: str, artifacts: Sequence[Artifact]) -> bool:
        """Store the versions that answers of the thread brought; return whether there are any."""
        versions = {
            version.sha256: (artifact, version)
            # of equal versions, the most recently changed artifact is linked to the answer
            for artifact in reversed(artifacts)
            for version in artifact.versions
            if artifact.newest.kind == DOCUMENT
        }
        if not versions:
            return False
        is_new = False
        known = {(each.artifact_id, each.message_id) for artifact in artifacts for each in artifact.versions}
        for sent in await self._documents.answers_with(thread_id, list(versions)):
            artifact, version = versions[sent.sha256]
            place = (artifact.id, sent.answer_id)
            if place in known or place in self._unfit:
                continue
            known.add(place)
            if await self._add_answer(version, sent.answer_id):
                is_new = True
            else:
                self._unfit.add(place)
        return is_new

    async def _add_answer(self, before: ArtifactVersion, answer_id: str) -> bool:
        text = (await self.text_of(before)).text
        for part_id, answer in reversed(await self._documents.texts_of(answer_id)):
            found = await asyncio.to_thread(changed_code, answer, before=text, language=before.language)
            if found is not None:
                try:
                    file = await self._keep(found.text, before.name)
                except ChatDeskError:  # too large, or kept out by the scanner: the answer itself is as it was
                    return False
                await self._documents.add(before, file, part_id=part_id, is_by_hand=False)
                return True
        return False


def _place_of(parts: Sequence[tuple[str, str]], code: str) -> tuple[str, FencedCode | None]:
    """Return the part in which a code block is, and the block as it is there; else the last part."""
    bare = code.rstrip("\n")
    for part_id, text in parts:
        for block in fenced_code(text):
            if block.text.rstrip("\n") == bare:
                return part_id, block
    return parts[-1][0], None


def _decoded(data: bytes) -> str:
    """Return the text of a file; bytes that are not text become U+FFFD."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")
