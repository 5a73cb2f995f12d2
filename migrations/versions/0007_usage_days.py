"""What requests took on each day, added up when they end: looking at months does not read every request again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_SUMS = (
    "requests",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "estimated_requests",
    "unpriced_requests",
)
# Days as they were where this computer stands, counted from 1970-01-01.
_FILL = """
INSERT INTO usage_days (day, project_id, provider, model, kind, requests, input_tokens, output_tokens, cached_tokens,
 reasoning_tokens, estimated_requests, unpriced_requests, cost_usd)
SELECT CAST(julianday(date(created_at / 1000, 'unixepoch', 'localtime')) - 2440587.5 AS INTEGER) AS the_day,
 coalesce(project_id, ''), coalesce(provider, ''), coalesce(model, ''), kind, count(*), sum(input_tokens),
 sum(output_tokens), sum(cached_tokens), sum(reasoning_tokens),
 sum(is_estimated AND input_tokens + output_tokens > 0), sum(cost_usd IS NULL AND input_tokens + output_tokens > 0),
 total(cost_usd)
FROM usage_events GROUP BY 1, 2, 3, 4, 5
"""


def upgrade() -> None:
    op.create_table(
        "usage_days",
        sa.Column("day", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("project_id", "provider", "model", "kind")),
        *(sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False) for name in _SUMS),
        sa.Column("cost_usd", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("day", "project_id", "provider", "model", "kind", name=op.f("pk_usage_days")),
        sqlite_with_rowid=False,
    )
    op.execute(sa.text(_FILL))
