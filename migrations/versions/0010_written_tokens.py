"""How many tokens of each request the provider wrote into its cache, which some vendors charge more for; and tools are
counted where they were run, not where a model only asked for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


_RECOUNT = """
UPDATE threads SET tool_counts = counted.counts FROM (
  SELECT thread_id, json_group_object(name, n) AS counts FROM (
    SELECT m.thread_id, coalesce(p.tool_name, '') AS name, count(*) AS n
    FROM message_parts p JOIN messages m ON m.id = p.message_id
    WHERE p.type = 'tool_result' AND m.deleted_at IS NULL AND m.status NOT IN ('pending', 'streaming')
    GROUP BY 1, 2 ORDER BY 1, 2
  ) GROUP BY thread_id
) counted WHERE counted.thread_id = threads.id
"""


def upgrade() -> None:
    for table in ("usage_events", "usage_days"):
        op.add_column(table, sa.Column("written_tokens", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.execute(sa.text("UPDATE threads SET tool_counts = '{}' WHERE tool_counts <> '{}'"))
    op.execute(sa.text(_RECOUNT))
