"""What must never leave this computer does not: marked values of every kind are looked for in every table of the team's
database, and in what travelled to it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.prompt import NewPrompt, PromptKind
from chatdesk.core.domain.thread import NEW_DRAFT
from tests.helpers.postgres import TeamDatabase
from tests.helpers.tcp_proxy import tcp_proxy
from tests.helpers.team_world import Desk, invite, until

KEY = "sk-MARKkeyMARKkeyMARKkeyMARK"
DRAFT = "MARKdraft"
PRIVATE = "MARKprivate"
WINDOW = "MARKwindow"
PATH = "MARKfolder"
PROMPT = "MARKprompt"
PERSONAL_TAG = "MARKtag"
EARLIER = "MARKearlier"
SHARED = "this is for everybody"


async def test_keys_drafts_private_projects_window_state_and_paths_never_reach_the_server(
    tmp_path: Path, workspace: TeamDatabase
) -> None:
    folder = tmp_path / PATH
    ana = Desk(folder, name="ana")
    await ana.open()
    with tcp_proxy(workspace.address.port) as proxy:
        proxy.faults.record = bytearray()
        try:
            await _live(ana, folder)
            await ana.join(workspace, address=replace(workspace.address, port=proxy.port))
            project = await ana.shared("Together")
            thread = await ana.thread(project, "shared thread")
            kept = ana.blobs.put((SHARED.encode(),), max_bytes=1000)
            await ana.ask(thread, SHARED, attachments=[Attachment("notes.txt", "text/plain", kept.sha256, 21)])
            await ana.repositories.drafts.save(thread, DRAFT, 3)
            await ana.repositories.library.set_flag([thread], "pinned_at", 1_800_000_000_000, "pinned")
            await ana.repositories.library.set_flag([thread], "archived_at", 1_800_000_000_000, "archived")
            await ana.repositories.library.tag([thread], add=["for all"], remove=[])
            private = await ana.thread(await ana.project(f"{PRIVATE} project"), f"{PRIVATE} title")
            await ana.ask(private, f"{PRIVATE} question")
            await ana.repositories.threads.rename(private, f"{PRIVATE} new title")
            member = invite(workspace, "ben", {})
            assert member.id
            ana.team.set_presence(project, thread, is_typing=True)
            await until(lambda: _is_quiet(ana))
            rounds = await ana.team.records.rounds(ana.workspace_id)
            assert rounds
        finally:
            await ana.close()
        found = _everything(workspace)
        assert SHARED in found
        assert "shared thread" in found
        assert "for all" in found
        sent = bytes(proxy.faults.record).decode("utf-8", "replace")
        assert SHARED in sent
        for text in (found, sent):
            for mark in (KEY, DRAFT, PRIVATE, WINDOW, PATH, PROMPT, PERSONAL_TAG, EARLIER, str(tmp_path), "pinned"):
                assert mark not in text, mark
        assert private not in found


async def _live(desk: Desk, folder: Path) -> None:
    """A profile with secrets of every kind, before it knows of any team."""
    desk.keyring.set_password("chatdesk", "openai", KEY)
    (folder / "window-state.json").write_text(json.dumps({"title": WINDOW}), encoding="utf-8")
    (folder / "settings.toml").write_text(f'data = "{WINDOW}"', encoding="utf-8")
    earlier = await desk.thread(await desk.project(f"{EARLIER} project"), EARLIER)
    await desk.ask(earlier, EARLIER)
    await desk.repositories.library.tag([earlier], add=[PERSONAL_TAG], remove=[])
    await desk.repositories.drafts.save(NEW_DRAFT, f"{DRAFT} of a new thread", 0)
    await desk.repositories.prompts.add([NewPrompt(PromptKind.TEMPLATE, PROMPT, PROMPT)])
    kept = desk.blobs.put((f"{PRIVATE} bytes".encode(),), max_bytes=1000)
    name = f"{PRIVATE}.txt"
    await desk.ask(earlier, "with a file", attachments=[Attachment(name, "text/plain", kept.sha256, 17)])


async def _is_quiet(desk: Desk) -> bool:
    sent = await desk.one("SELECT count(*) FROM shared_files WHERE state <> 'sent'")
    return not sent and not await desk.waiting()


def _everything(team: TeamDatabase) -> str:
    """All rows of all tables, bytes as text."""
    found: list[str] = []
    with team.as_superuser() as conn:
        tables = conn.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT LIKE 'pg\\_%'"
            " AND schemaname <> 'information_schema'"
        ).fetchall()
        assert len(tables) >= 8
        for (table,) in tables:
            for row in conn.execute(f"SELECT * FROM {table}").fetchall():
                found += [each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in row]
    return "\n".join(found)
