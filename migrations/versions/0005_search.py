"""A search index over messages, titles, summaries, names and the texts of attachments.

What is there already is indexed later, in the background, so that the upgrade stays short. The statements are those of
``search_schema`` as they were then; a test compares them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("search_n", sa.Integer(), nullable=True))
    op.create_index(
        "ix_messages_search_n",
        "messages",
        ["search_n", "thread_id", "deleted_at", "role", "created_at"],
        unique=False,
        sqlite_where=sa.text("search_n IS NOT NULL"),
    )
    op.create_table(
        "search_entries",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_search_entries")),
        sa.UniqueConstraint("kind", "entity", name=op.f("uq_search_entries_kind_entity")),
    )
    for name in ("search_queue", "search_backlog"):
        op.create_table(
            name,
            sa.Column("kind", sa.Text(), nullable=False),
            sa.Column("entity", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("kind", "entity", name=op.f(f"pk_{name}")),
            sqlite_with_rowid=False,
        )
    op.create_table(
        "search_removed",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("source", "n", name=op.f("pk_search_removed")),
        sqlite_with_rowid=False,
    )
    conn = op.get_bind()
    for statement in _STATEMENTS:
        conn.exec_driver_sql(statement)
    # All of it waits: names in a list, messages below a mark that lies above every id.
    conn.exec_driver_sql(
        "INSERT INTO search_backlog (kind, entity) SELECT 'thread', id FROM threads"
        " UNION ALL SELECT 'summary', id FROM summaries UNION ALL SELECT 'project', id FROM projects"
        " UNION ALL SELECT 'tag', id FROM tags UNION ALL SELECT 'attachment', sha256 FROM artifact_texts"
        " UNION ALL SELECT 'message', '~' WHERE EXISTS (SELECT 1 FROM messages)"
    )


_STATEMENTS = (
    (
        "CREATE VIEW search_message_texts AS SELECT m.search_n AS n, search_words((SELECT "
        "substr(group_concat(words, char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content) THEN "
        "json_extract(content, '$.text') END AS words FROM message_parts WHERE message_id = m.id AND type = "
        "'text' ORDER BY part_index))) AS text FROM messages m WHERE m.search_n IS NOT NULL"
    ),
    (
        "CREATE VIEW search_entry_texts AS SELECT e.n AS n, search_words(CASE e.kind WHEN 'thread' THEN (SELECT"
        " title FROM threads WHERE id = e.entity) WHEN 'summary' THEN (SELECT CASE WHEN deleted_at IS NULL THEN"
        " text END FROM summaries WHERE id = e.entity) WHEN 'project' THEN (SELECT name FROM projects WHERE id "
        "= e.entity) WHEN 'tag' THEN (SELECT name FROM tags WHERE id = e.entity) WHEN 'file' THEN (SELECT CASE "
        "WHEN json_valid(content) THEN json_extract(content, '$.name') END FROM message_parts WHERE id = "
        "e.entity) WHEN 'attachment' THEN (SELECT substr(text, 1, 1000000) FROM artifact_texts WHERE sha256 = "
        "e.entity) END) AS text FROM search_entries e"
    ),
    (
        "CREATE VIRTUAL TABLE search_index USING fts5(text, content='search_message_texts', content_rowid='n', "
        "tokenize='unicode61 remove_diacritics 2')"
    ),
    (
        "CREATE VIRTUAL TABLE search_names USING fts5(text, content='search_entry_texts', content_rowid='n', "
        "tokenize='unicode61 remove_diacritics 2')"
    ),
    (
        "CREATE TRIGGER search_text_insert BEFORE INSERT ON message_parts WHEN new.type = 'text' BEGIN INSERT "
        "INTO search_removed (source, n, text) SELECT 'message', m.search_n, (SELECT substr(group_concat(words,"
        " char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content) THEN json_extract(content, "
        "'$.text') END AS words FROM message_parts WHERE message_id = m.id AND type = 'text' ORDER BY "
        "part_index)) FROM messages m WHERE m.id = new.message_id AND m.search_n IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM search_removed r WHERE r.source = 'message' AND r.n = m.search_n); INSERT OR IGNORE "
        "INTO search_queue (kind, entity) SELECT 'message', m.id FROM messages m WHERE m.id = new.message_id "
        "AND (m.search_n IS NOT NULL OR m.status NOT IN ('pending', 'streaming')); END"
    ),
    (
        "CREATE TRIGGER search_text_update BEFORE UPDATE OF content ON message_parts WHEN old.type = 'text' "
        "BEGIN INSERT INTO search_removed (source, n, text) SELECT 'message', m.search_n, (SELECT "
        "substr(group_concat(words, char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content) THEN "
        "json_extract(content, '$.text') END AS words FROM message_parts WHERE message_id = m.id AND type = "
        "'text' ORDER BY part_index)) FROM messages m WHERE m.id = old.message_id AND m.search_n IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'message' AND r.n = m.search_n); "
        "INSERT OR IGNORE INTO search_queue (kind, entity) SELECT 'message', m.id FROM messages m WHERE m.id = "
        "old.message_id AND (m.search_n IS NOT NULL OR m.status NOT IN ('pending', 'streaming')); END"
    ),
    (
        "CREATE TRIGGER search_text_delete BEFORE DELETE ON message_parts WHEN old.type = 'text' BEGIN INSERT "
        "INTO search_removed (source, n, text) SELECT 'message', m.search_n, (SELECT substr(group_concat(words,"
        " char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content) THEN json_extract(content, "
        "'$.text') END AS words FROM message_parts WHERE message_id = m.id AND type = 'text' ORDER BY "
        "part_index)) FROM messages m WHERE m.id = old.message_id AND m.search_n IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM search_removed r WHERE r.source = 'message' AND r.n = m.search_n); INSERT OR IGNORE "
        "INTO search_queue (kind, entity) SELECT 'message', m.id FROM messages m WHERE m.id = old.message_id "
        "AND (m.search_n IS NOT NULL OR m.status NOT IN ('pending', 'streaming')); END"
    ),
    (
        "CREATE TRIGGER search_message_end AFTER UPDATE OF status ON messages WHEN new.status NOT IN "
        "('pending', 'streaming') AND old.status IN ('pending', 'streaming') BEGIN INSERT OR IGNORE INTO "
        "search_queue (kind, entity) VALUES ('message', new.id); END"
    ),
    (
        "CREATE TRIGGER search_message_delete BEFORE DELETE ON messages WHEN old.search_n IS NOT NULL BEGIN "
        "INSERT INTO search_removed (source, n, text) SELECT 'message', old.search_n, (SELECT "
        "substr(group_concat(words, char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content) THEN "
        "json_extract(content, '$.text') END AS words FROM message_parts WHERE message_id = old.id AND type = "
        "'text' ORDER BY part_index)) WHERE NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = "
        "'message' AND r.n = old.search_n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES "
        "('message', old.id); END"
    ),
    (
        "CREATE TRIGGER search_thread_insert BEFORE INSERT ON threads BEGIN INSERT INTO search_removed (source,"
        " n, text) SELECT 'entry', e.n, (SELECT title FROM threads WHERE id = new.id) FROM search_entries e "
        "WHERE e.kind = 'thread' AND e.entity = new.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE "
        "r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('thread',"
        " new.id); END"
    ),
    (
        "CREATE TRIGGER search_thread_update BEFORE UPDATE OF title ON threads BEGIN INSERT INTO search_removed"
        " (source, n, text) SELECT 'entry', e.n, (SELECT title FROM threads WHERE id = old.id) FROM "
        "search_entries e WHERE e.kind = 'thread' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM "
        "search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, "
        "entity) VALUES ('thread', old.id); END"
    ),
    (
        "CREATE TRIGGER search_thread_delete BEFORE DELETE ON threads BEGIN INSERT INTO search_removed (source,"
        " n, text) SELECT 'entry', e.n, (SELECT title FROM threads WHERE id = old.id) FROM search_entries e "
        "WHERE e.kind = 'thread' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE "
        "r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('thread',"
        " old.id); END"
    ),
    (
        "CREATE TRIGGER search_summary_insert BEFORE INSERT ON summaries BEGIN INSERT INTO search_removed "
        "(source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN deleted_at IS NULL THEN text END FROM "
        "summaries WHERE id = new.id) FROM search_entries e WHERE e.kind = 'summary' AND e.entity = new.id AND "
        "NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE "
        "INTO search_queue (kind, entity) VALUES ('summary', new.id); END"
    ),
    (
        "CREATE TRIGGER search_summary_update BEFORE UPDATE OF text, deleted_at ON summaries BEGIN INSERT INTO "
        "search_removed (source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN deleted_at IS NULL THEN text "
        "END FROM summaries WHERE id = old.id) FROM search_entries e WHERE e.kind = 'summary' AND e.entity = "
        "old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT "
        "OR IGNORE INTO search_queue (kind, entity) VALUES ('summary', old.id); END"
    ),
    (
        "CREATE TRIGGER search_summary_delete BEFORE DELETE ON summaries BEGIN INSERT INTO search_removed "
        "(source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN deleted_at IS NULL THEN text END FROM "
        "summaries WHERE id = old.id) FROM search_entries e WHERE e.kind = 'summary' AND e.entity = old.id AND "
        "NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE "
        "INTO search_queue (kind, entity) VALUES ('summary', old.id); END"
    ),
    (
        "CREATE TRIGGER search_project_insert BEFORE INSERT ON projects BEGIN INSERT INTO search_removed "
        "(source, n, text) SELECT 'entry', e.n, (SELECT name FROM projects WHERE id = new.id) FROM "
        "search_entries e WHERE e.kind = 'project' AND e.entity = new.id AND NOT EXISTS (SELECT 1 FROM "
        "search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, "
        "entity) VALUES ('project', new.id); END"
    ),
    (
        "CREATE TRIGGER search_project_update BEFORE UPDATE OF name ON projects BEGIN INSERT INTO "
        "search_removed (source, n, text) SELECT 'entry', e.n, (SELECT name FROM projects WHERE id = old.id) "
        "FROM search_entries e WHERE e.kind = 'project' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM "
        "search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, "
        "entity) VALUES ('project', old.id); END"
    ),
    (
        "CREATE TRIGGER search_project_delete BEFORE DELETE ON projects BEGIN INSERT INTO search_removed "
        "(source, n, text) SELECT 'entry', e.n, (SELECT name FROM projects WHERE id = old.id) FROM "
        "search_entries e WHERE e.kind = 'project' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM "
        "search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, "
        "entity) VALUES ('project', old.id); END"
    ),
    (
        "CREATE TRIGGER search_tag_insert BEFORE INSERT ON tags BEGIN INSERT INTO search_removed (source, n, "
        "text) SELECT 'entry', e.n, (SELECT name FROM tags WHERE id = new.id) FROM search_entries e WHERE "
        "e.kind = 'tag' AND e.entity = new.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = "
        "'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('tag', new.id); END"
    ),
    (
        "CREATE TRIGGER search_tag_update BEFORE UPDATE OF name ON tags BEGIN INSERT INTO search_removed "
        "(source, n, text) SELECT 'entry', e.n, (SELECT name FROM tags WHERE id = old.id) FROM search_entries e"
        " WHERE e.kind = 'tag' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE "
        "r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('tag', "
        "old.id); END"
    ),
    (
        "CREATE TRIGGER search_tag_delete BEFORE DELETE ON tags BEGIN INSERT INTO search_removed (source, n, "
        "text) SELECT 'entry', e.n, (SELECT name FROM tags WHERE id = old.id) FROM search_entries e WHERE "
        "e.kind = 'tag' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = "
        "'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('tag', old.id); END"
    ),
    (
        "CREATE TRIGGER search_file_insert BEFORE INSERT ON message_parts WHEN new.type IN ('image', 'file') "
        "BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN "
        "json_valid(content) THEN json_extract(content, '$.name') END FROM message_parts WHERE id = new.id) "
        "FROM search_entries e WHERE e.kind = 'file' AND e.entity = new.id AND NOT EXISTS (SELECT 1 FROM "
        "search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, "
        "entity) VALUES ('file', new.id); END"
    ),
    (
        "CREATE TRIGGER search_file_update BEFORE UPDATE OF content ON message_parts WHEN old.type IN ('image',"
        " 'file') BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN "
        "json_valid(content) THEN json_extract(content, '$.name') END FROM message_parts WHERE id = old.id) "
        "FROM search_entries e WHERE e.kind = 'file' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM "
        "search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, "
        "entity) VALUES ('file', old.id); END"
    ),
    (
        "CREATE TRIGGER search_file_delete BEFORE DELETE ON message_parts WHEN old.type IN ('image', 'file') "
        "BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN "
        "json_valid(content) THEN json_extract(content, '$.name') END FROM message_parts WHERE id = old.id) "
        "FROM search_entries e WHERE e.kind = 'file' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM "
        "search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, "
        "entity) VALUES ('file', old.id); END"
    ),
    (
        "CREATE TRIGGER search_attachment_insert BEFORE INSERT ON artifact_texts BEGIN INSERT INTO "
        "search_removed (source, n, text) SELECT 'entry', e.n, (SELECT substr(text, 1, 1000000) FROM "
        "artifact_texts WHERE sha256 = new.sha256) FROM search_entries e WHERE e.kind = 'attachment' AND "
        "e.entity = new.sha256 AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n "
        "= e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('attachment', new.sha256); END"
    ),
    (
        "CREATE TRIGGER search_attachment_update BEFORE UPDATE OF text ON artifact_texts BEGIN INSERT INTO "
        "search_removed (source, n, text) SELECT 'entry', e.n, (SELECT substr(text, 1, 1000000) FROM "
        "artifact_texts WHERE sha256 = old.sha256) FROM search_entries e WHERE e.kind = 'attachment' AND "
        "e.entity = old.sha256 AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n "
        "= e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('attachment', old.sha256); END"
    ),
    (
        "CREATE TRIGGER search_attachment_delete BEFORE DELETE ON artifact_texts BEGIN INSERT INTO "
        "search_removed (source, n, text) SELECT 'entry', e.n, (SELECT substr(text, 1, 1000000) FROM "
        "artifact_texts WHERE sha256 = old.sha256) FROM search_entries e WHERE e.kind = 'attachment' AND "
        "e.entity = old.sha256 AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n "
        "= e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('attachment', old.sha256); END"
    ),
)
