"""What a profile knows of a team's database: workspaces, shared projects, members, who made what, what is unread."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _text(name: str, *, default: str | None = None, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(
        name, sa.Text(), nullable=nullable, server_default=None if default is None else sa.text(f"'{default}'")
    )


def _number(name: str, *, default: int | None = None, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(
        name, sa.Integer(), nullable=nullable, server_default=None if default is None else sa.text(str(default))
    )


def _thread(table: str) -> sa.Column[str]:
    key = sa.ForeignKey("threads.id", ondelete="CASCADE", name=op.f(f"fk_{table}_thread_id"))
    return sa.Column("thread_id", sa.Text(), key, nullable=False)


def _table(
    name: str, keys: tuple[str, ...], *columns: sa.Column[Any] | sa.UniqueConstraint, rowid: bool = False
) -> None:
    options = {} if rowid else {"sqlite_with_rowid": False}
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{name}")), **options)


def upgrade() -> None:
    for table in ("threads", "messages", "summaries"):
        op.add_column(table, _text("author_id", nullable=True))
    for name in ("author", "relayed_by", "problem"):
        op.add_column("changes", _text(name, nullable=True))
    op.add_column("changes", sa.Column("seal", sa.LargeBinary(), nullable=True))
    _table(
        "workspaces",
        ("id",),
        _text("id"),
        _text("name"),
        _text("address"),
        _text("member_id"),
        _number("is_owner", default=0),
        _number("joined_at"),
        _number("left_at", nullable=True),
        _number("clock_offset_ms", default=0),
        rowid=True,
    )
    _table(
        "shared_projects",
        ("project_id",),
        _text("project_id"),
        _text("workspace_id"),
        _text("role"),
        _text("channel", default=""),
        _number("seq", default=0),
        sa.Column("chain", sa.LargeBinary(), nullable=True),
        _text("state"),
        _text("ended", nullable=True),
        _text("progress", default="{}"),
        _number("shared_at"),
        rowid=True,
    )
    op.create_index("ix_shared_projects_workspace_id", "shared_projects", ["workspace_id"])
    _table(
        "team_members",
        ("workspace_id", "id"),
        _text("workspace_id"),
        _text("id"),
        _text("name"),
        _number("is_owner", default=0),
        _text("status"),
        _number("invited_at", nullable=True),
    )
    _table("team_roles", ("project_id", "member_id"), _text("project_id"), _text("member_id"), _text("role"))
    _table(
        "team_devices",
        ("workspace_id", "id"),
        _text("workspace_id"),
        _text("id"),
        _text("member_id"),
        _text("name"),
        _text("app_version", default=""),
        _number("last_seen_at", nullable=True),
    )
    _table("seen_changes", ("project_id", "device"), _text("project_id"), _text("device"), _number("dseq"))
    _table("unread_threads", ("thread_id",), _thread("unread_threads"), _number("messages"))
    _table(
        "shared_files",
        ("project_id", "sha256"),
        _text("project_id"),
        _text("sha256"),
        _text("state"),
        _number("size_bytes"),
        _number("done", default=0),
        _text("problem", nullable=True),
        _number("tried_at", nullable=True),
    )
    op.create_index(
        "ix_shared_files_state", "shared_files", ["state"], sqlite_where=sa.text("state IN ('to_send', 'to_fetch')")
    )
    _table(
        "sync_rounds",
        ("n",),
        _number("n"),
        _number("at"),
        _text("workspace_id"),
        _number("sent", default=0),
        _number("received", default=0),
        _number("took_ms", default=0),
        _text("problem", default=""),
        rowid=True,
    )
    _table(
        "team_notes",
        ("n",),
        _number("n"),
        _number("at"),
        _thread("team_notes"),
        _text("code"),
        _text("details", default="{}"),
        _number("seen_at", nullable=True),
        sa.UniqueConstraint("thread_id", "code", "details", name="uq_team_notes_thread_id_code_details"),
        rowid=True,
    )
