"""What is attached is stored with its message or not at all, and is named as long as anything may show it again."""

from __future__ import annotations

import pytest

from chatdesk.core.attachments.attachment_limits import AttachmentLimits
from chatdesk.core.chat.attachment_rules import attachments_of, names_of
from chatdesk.core.domain.attachment import MOST_IN_MESSAGE, Attachment, attachment_from, clean_mime, clean_name
from chatdesk.core.domain.message import PartType
from chatdesk.core.domain.thread import NEW_DRAFT
from chatdesk.core.errors import InvalidInput
from chatdesk.core.storage.chat.artifacts import ArtifactRepository, draft_json, from_draft_json
from tests.helpers.checks import integrity_check
from tests.helpers.store import PLAN, Store

IMAGE = Attachment("cat.png", "image/png", "a" * 64, 1200, 640, 480)
FILE = Attachment("notes.txt", "text/plain", "b" * 64, 12)


async def named(store: Store) -> list[str]:
    unnamed = await ArtifactRepository(store.db).unnamed([IMAGE.sha256, FILE.sha256])
    return [each.name for each in (IMAGE, FILE) if each.sha256 not in unnamed]


async def test_attachments_come_before_the_text_and_have_artifacts(store: Store) -> None:
    thread = await store.thread()
    question, _, _ = await store.messages.add_question(thread, "see", with_answer=None, attachments=[IMAGE, FILE])
    assert [part.type for part in question.parts] == [PartType.IMAGE, PartType.FILE, PartType.TEXT]
    assert question.text == "see"
    assert question.parts[0].content == {
        "name": "cat.png",
        "mime": "image/png",
        "sha256": "a" * 64,
        "size_bytes": 1200,
        "width": 640,
        "height": 480,
    }
    assert attachments_of(question) == (IMAGE, FILE)
    rows = await store.db.read(
        lambda conn: conn.exec_driver_sql(
            "SELECT part_id, kind, path, mime, size_bytes, sha256 FROM artifacts ORDER BY kind"
        ).all()
    )
    assert [tuple(row) for row in rows] == [
        (question.parts[1].id, "file", f"bb/{'b' * 64}", "text/plain", 12, "b" * 64),
        (question.parts[0].id, "image", f"aa/{'a' * 64}", "image/png", 1200, "a" * 64),
    ]
    assert await integrity_check(store.db) == []


async def test_a_message_may_be_attachments_only(store: Store) -> None:
    thread = await store.thread()
    question, _, _ = await store.messages.add_question(thread, "", with_answer=None, attachments=[FILE])
    assert [part.type for part in question.parts] == [PartType.FILE]
    page = await store.messages.page(thread, limit=10)
    assert attachments_of(page.messages[0]) == (FILE,)
    sizes = await store.outlines.sizes(thread, most_groups=10)
    assert sum(sizes.characters) == len("notes.txt")


async def test_versions_and_comparisons_have_their_own_rows(store: Store) -> None:
    thread = await store.thread()
    question, _, _ = await store.messages.add_question(thread, "one", with_answer=None, attachments=[FILE])
    version, _, _ = await store.messages.add_question_version(question.id, "two", None, attachments=[FILE, IMAGE])
    assert attachments_of(version) == (FILE, IMAGE)
    asked, _, _ = await store.messages.add_comparison(thread, "x", [PLAN, PLAN], attachments=[IMAGE])
    assert attachments_of(asked) == (IMAGE,)


async def test_a_branch_names_the_same_bytes(store: Store) -> None:
    thread = await store.thread()
    question, _, _ = await store.messages.add_question(thread, "see", with_answer=None, attachments=[FILE])
    branch = await store.paths.branch(question.id, "branch")
    await store.library.delete([thread])
    await store.trash.purge_expired(store.clock.now + 10)
    page = await store.messages.page(branch.id, limit=10)
    assert attachments_of(page.messages[0]) == (FILE,)
    assert await named(store) == ["notes.txt"]


async def test_bytes_are_named_until_the_trash_is_emptied(store: Store) -> None:
    thread = await store.thread()
    await store.messages.add_question(thread, "see", with_answer=None, attachments=[FILE])
    assert await named(store) == ["notes.txt"]
    await store.library.delete([thread])
    assert await named(store) == ["notes.txt"]
    await store.trash.purge_expired(store.clock.now + 10)
    assert await named(store) == []


async def test_a_draft_keeps_and_names_its_attachments(store: Store) -> None:
    thread = await store.thread()
    await store.drafts.save(thread, "", 0, attachments=[IMAGE])
    await store.drafts.save(NEW_DRAFT, "text", 2, attachments=[FILE])
    await store.reopen()
    draft = await store.drafts.get(thread)
    assert draft is not None
    assert (draft.text, draft.attachments) == ("", (IMAGE,))
    assert await named(store) == ["cat.png", "notes.txt"]
    await store.drafts.delete(NEW_DRAFT)
    await store.drafts.save(thread, "text", 1)
    assert await named(store) == []


async def test_texts_are_kept_replaced_and_forgotten(store: Store) -> None:
    artifacts = ArtifactRepository(store.db)
    assert await artifacts.text(FILE.sha256) is None
    await artifacts.store_text(FILE.sha256, "words\0", None)
    found = await artifacts.text(FILE.sha256)
    assert found is not None
    assert (found.text, found.problem) == ("words\N{REPLACEMENT CHARACTER}", None)
    await artifacts.store_text(FILE.sha256, "", "It is damaged.")
    found = await artifacts.text(FILE.sha256)
    assert found is not None
    assert found.problem == "It is damaged."
    await artifacts.forget_texts([FILE.sha256])
    assert await artifacts.text(FILE.sha256) is None


@pytest.mark.parametrize("stored", [None, "", "{", "3", '["x", {"name": "y"}]', '[{"sha256": "../x"}]'])
def test_a_damaged_draft_has_no_attachments(stored: str | None) -> None:
    assert from_draft_json(stored) == ()


def test_drafts_keep_what_they_were_given() -> None:
    assert from_draft_json(draft_json([IMAGE, FILE])) == (IMAGE, FILE)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("a\nb\x1b[31m.txt", "ab[31m.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("", "file"),
        ("...", "file"),
        ("/", "file"),
        ('a"b|c?.txt', "a_b_c_.txt"),
    ],
)
def test_names_are_clean(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


def test_a_long_name_keeps_its_ending() -> None:
    cleaned = clean_name("x" * 500 + ".docx")
    assert len(cleaned) <= 200
    assert cleaned.endswith("….docx")
    assert len(clean_name("y" * 500)) == 201


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"path": "x"},
        {"sha256": "A" * 64, "size_bytes": 1},
        {"sha256": "a" * 64},
        {"sha256": "a" * 64, "size_bytes": True},
    ],
)
def test_content_without_bytes_is_not_an_attachment(content: dict[str, object]) -> None:
    assert attachment_from(content) is None


def test_content_from_elsewhere_is_cleaned() -> None:
    found = attachment_from({"sha256": "a" * 64, "size_bytes": 5, "name": "../x", "mime": "Bad Mime", "width": -1})
    assert found == Attachment("x", "application/octet-stream", "a" * 64, 5)
    assert clean_mime("text/plain") == "text/plain"


def test_no_more_than_twenty_go_with_a_message() -> None:
    AttachmentLimits().check_message([FILE] * MOST_IN_MESSAGE)
    with pytest.raises(InvalidInput, match="at most 20 files"):
        AttachmentLimits().check_message([FILE] * (MOST_IN_MESSAGE + 1))
    assert names_of([FILE, IMAGE]) == "notes.txt, cat.png"
