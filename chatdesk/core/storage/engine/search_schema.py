"""Defines the schema of the search index as SQL statements: views, FTS5 tables and triggers.

Two FTS5 tables keep words and places and no text: ``search_index`` for messages, ``search_names`` for everything else
that has a name or a text of its own. Their rows are numbered by ``messages.search_n`` and ``search_entries.n``, because
the implicit row numbers of tables with text keys change when a database is compacted. A third, ``knowledge_index``, has
the passages of projects' files; it has no triggers, as only ``storage/knowledge`` writes them.

Triggers in plain SQL note every change: ``search_queue`` names it, ``search_removed`` keeps the text that the index
knows, without which FTS5 cannot take it out. ``search_index.drain`` acts on both before a commit.

Of a message, the text of its text parts is indexed, up to a million characters.
"""

# ruff: noqa: S608 - statements are assembled from constants of this module

from __future__ import annotations

VIRTUAL_TABLES = ("search_index", "search_names", "knowledge_index")
SHADOWS = ("data", "idx", "docsize", "config")
# Tables that SQLite keeps for the index; they hold nothing that is not made from other tables.
DERIVED_TABLES = frozenset({*VIRTUAL_TABLES, *(f"{name}_{shadow}" for name in VIRTUAL_TABLES for shadow in SHADOWS)})

_TOKENS = "tokenize='unicode61 remove_diacritics 2'"


def _text_of(message: str) -> str:
    """Return an SQL expression for the text of the message with the id ``message``. JSON that is damaged has none."""
    return (
        "(SELECT substr(group_concat(words, char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content)"
        f" THEN json_extract(content, '$.text') END AS words FROM message_parts WHERE message_id = {message}"
        " AND type = 'text' ORDER BY part_index))"
    )


_NAME = "CASE WHEN json_valid(content) THEN json_extract(content, '$.name') END"

# Kind of entry: its table, key, text, the columns that the text depends on, and which rows count.
_ENTRIES = {
    "thread": ("threads", "id", "title", "title", ""),
    "summary": ("summaries", "id", "CASE WHEN deleted_at IS NULL THEN text END", "text, deleted_at", ""),
    "project": ("projects", "id", "name", "name", ""),
    "tag": ("tags", "id", "name", "name", ""),
    "file": ("message_parts", "id", _NAME, "content", "{row}.type IN ('image', 'file')"),
    "attachment": ("artifact_texts", "sha256", "substr(text, 1, 1000000)", "text", ""),
}


def _entry_text(kind: str, entity: str) -> str:
    """Return an SQL expression for the text of one entry; ``entity`` is an SQL expression for its id."""
    table, key, text, _, _ = _ENTRIES[kind]
    return f"(SELECT {text} FROM {table} WHERE {key} = {entity})"


_FINAL = "NOT IN ('pending', 'streaming')"


def _part_trigger(event: str, row: str) -> str:
    name = event.split()[0].lower()
    return (
        f"CREATE TRIGGER search_text_{name} BEFORE {event} ON message_parts WHEN {row}.type = 'text' BEGIN"
        " INSERT INTO search_removed (source, n, text)"
        f" SELECT 'message', m.search_n, {_text_of('m.id')} FROM messages m"
        f" WHERE m.id = {row}.message_id AND m.search_n IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'message' AND r.n = m.search_n);"
        " INSERT OR IGNORE INTO search_queue (kind, entity)"
        f" SELECT 'message', m.id FROM messages m WHERE m.id = {row}.message_id"
        f" AND (m.search_n IS NOT NULL OR m.status {_FINAL}); END"
    )


def _entry_triggers(kind: str) -> tuple[str, ...]:
    table, key, _, columns, condition = _ENTRIES[kind]

    def trigger(event: str, row: str) -> str:
        when = f" WHEN {condition.format(row=row)}" if condition else ""
        # Also before an insert, which may replace a row.
        return (
            f"CREATE TRIGGER search_{kind}_{event.split()[0].lower()} BEFORE {event} ON {table}{when} BEGIN"
            " INSERT INTO search_removed (source, n, text)"
            f" SELECT 'entry', e.n, {_entry_text(kind, f'{row}.{key}')} FROM search_entries e"
            f" WHERE e.kind = '{kind}' AND e.entity = {row}.{key}"
            " AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n);"
            f" INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('{kind}', {row}.{key}); END"
        )

    return trigger("INSERT", "new"), trigger(f"UPDATE OF {columns}", "old"), trigger("DELETE", "old")


_ENTRY_TEXT = "".join(f" WHEN '{kind}' THEN {_entry_text(kind, 'e.entity')}" for kind in _ENTRIES)

# Number and words of every message that has a number, and of every entry. FTS5 reads them through views; statements of
# ours hold them themselves, because what is in a schema may not call a function of ours (``connection.connect``).
# Those of ours give it bytes: a text that is not UTF-8 would not reach it, and end the statement for all texts.
_OF_MESSAGES = "SELECT m.search_n AS n, search_words({}) AS text FROM messages m WHERE m.search_n IS NOT NULL"
_OF_ENTRIES = "SELECT e.n AS n, search_words({}) AS text FROM search_entries e"
MESSAGE_TEXTS = _OF_MESSAGES.format(f"CAST({_text_of('m.id')} AS BLOB)")
ENTRY_TEXTS = _OF_ENTRIES.format(f"CAST(CASE e.kind{_ENTRY_TEXT} END AS BLOB)")
_VIEWS = (
    f"CREATE VIEW search_message_texts AS {_OF_MESSAGES.format(_text_of('m.id'))}",
    f"CREATE VIEW search_entry_texts AS {_OF_ENTRIES.format(f'CASE e.kind{_ENTRY_TEXT} END')}",
)

# By name.
FTS_TABLES = {
    name: f"CREATE VIRTUAL TABLE {name} USING fts5(text, content='{content}', content_rowid='n', {_TOKENS})"
    for name, content in (("search_index", "search_message_texts"), ("search_names", "search_entry_texts"))
}
FTS_TABLES["knowledge_index"] = f"CREATE VIRTUAL TABLE knowledge_index USING fts5(text, content='', {_TOKENS})"

_MESSAGE_END = (
    f"CREATE TRIGGER search_message_end AFTER UPDATE OF status ON messages WHEN new.status {_FINAL}"
    " AND old.status IN ('pending', 'streaming') BEGIN"
    " INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('message', new.id); END"
)
# Before, because the parts go with the message.
_MESSAGE_DELETE = (
    "CREATE TRIGGER search_message_delete BEFORE DELETE ON messages WHEN old.search_n IS NOT NULL BEGIN"
    f" INSERT INTO search_removed (source, n, text) SELECT 'message', old.search_n, {_text_of('old.id')}"
    " WHERE NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'message' AND r.n = old.search_n);"
    " INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('message', old.id); END"
)
_TRIGGERS = (
    _part_trigger("INSERT", "new"),
    _part_trigger("UPDATE OF content", "old"),
    _part_trigger("DELETE", "old"),
    _MESSAGE_END,
    _MESSAGE_DELETE,
    *(statement for kind in _ENTRIES for statement in _entry_triggers(kind)),
)

# Everything that has a name when the index is made. Messages and their files are many more, and found by their ids.
BACKLOG = (
    "INSERT OR IGNORE INTO search_backlog (kind, entity)"
    " SELECT 'thread', id FROM threads UNION ALL SELECT 'summary', id FROM summaries"
    " UNION ALL SELECT 'project', id FROM projects UNION ALL SELECT 'tag', id FROM tags"
    " UNION ALL SELECT 'attachment', sha256 FROM artifact_texts"
    " UNION ALL SELECT 'message', '~' WHERE EXISTS (SELECT 1 FROM messages)"
)

# In the order in which they can be made. The tables they are on are in ``tables``.
STATEMENTS = (*_VIEWS, *FTS_TABLES.values(), *_TRIGGERS)
