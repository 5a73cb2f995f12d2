"""Sizes of messages, so that a view can guess heights without reading text; and a closed list of statuses."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite cannot add a check to a table: batch mode builds a new one and copies the rows.
    with op.batch_alter_table("messages", recreate="always") as batch:
        batch.add_column(sa.Column("char_count", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch.add_column(sa.Column("line_count", sa.Integer(), server_default=sa.text("0"), nullable=False))
        batch.create_check_constraint(
            op.f("ck_messages_status"),
            "status IN ('pending', 'streaming', 'complete', 'stopped', 'interrupted', 'error')",
        )
    op.execute(
        """
        UPDATE messages SET (char_count, line_count) = (
            SELECT coalesce(sum(length(shown)), 0),
                   coalesce(sum(1 + length(shown) - length(replace(shown, char(10), ''))), 0)
            FROM (
                SELECT coalesce(json_extract(content, '$.text'), json_extract(content, '$.arguments'), '') AS shown
                FROM message_parts WHERE message_id = messages.id AND json_valid(content)
            )
        )
        """
    )
