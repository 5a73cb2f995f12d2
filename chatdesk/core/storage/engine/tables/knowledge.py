"""Defines the tables of a project's files. All but the sources and the questions is made anew by reading the files
again."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

from chatdesk.core.storage.engine.tables.base import counter, metadata

knowledge_sources = Table(
    "knowledge_sources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    # "folder", "file", "page" or "team".
    Column("kind", Text, nullable=False),
    # An absolute path, or an address; of the team: "team:" and a name.
    Column("place", Text, nullable=False),
    Column("exclusions", Text, nullable=False, server_default=text("''")),
    counter("is_paused"),
    Column("added_at", Integer, nullable=False),
    Column("problem", Text, nullable=False, server_default=text("''")),
    # What the team of a shared project gets: "nothing", "name" or "text"; empty: nobody chose yet, its name.
    Column("sharing", Text, nullable=False, server_default=text("''")),
)
Index("ix_knowledge_sources_project_id", knowledge_sources.c.project_id)

knowledge_files = Table(
    "knowledge_files",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source_id", Text, ForeignKey("knowledge_sources.id", ondelete="CASCADE"), nullable=False),
    Column("path", Text, nullable=False),
    # "waiting", "read", "unreadable" or "closed".
    Column("state", Text, nullable=False),
    # Size and time of the file when it was read.
    Column("stamp", Text, nullable=False, server_default=text("''")),
    Column("mime", Text, nullable=False, server_default=text("''")),
    Column("problem", Text, nullable=False, server_default=text("''")),
    counter("characters"),
    Column("read_at", Integer),
    # What made the vectors of its passages, and their signs: a bit for each number, one row after the other.
    Column("vectors_by", Text, nullable=False, server_default=text("''")),
    Column("signs", LargeBinary),
)
Index("ix_knowledge_files_source_id", knowledge_files.c.source_id, knowledge_files.c.path)

# ``knowledge_index`` has their words, under the same numbers (``search_schema``).
knowledge_passages = Table(
    "knowledge_passages",
    metadata,
    Column("n", Integer, primary_key=True),
    Column("file_id", Integer, ForeignKey("knowledge_files.id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("begin_offset", Integer, nullable=False),
    Column("end_offset", Integer, nullable=False),
    Column("page", Integer),
    Column("heading", Text, nullable=False, server_default=text("''")),
    Column("text", Text, nullable=False),
    # A byte for each number; null where nothing made one.
    Column("vector", LargeBinary),
)
Index("ix_knowledge_passages_file_id", knowledge_passages.c.file_id, knowledge_passages.c.position)

# A model of a provider that makes vectors for a project; without a row, only the built-in one does.
knowledge_embeddings = Table(
    "knowledge_embeddings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("farthest", Float, nullable=False),
    Column("probe", LargeBinary, nullable=False),
    # "wanted", "answering" or "leaving".
    Column("state", Text, nullable=False),
    Column("problem", Text, nullable=False, server_default=text("''")),
)
Index("ix_knowledge_embeddings_project_id", knowledge_embeddings.c.project_id)

# Vectors of these models, a byte for each number; empty for a passage that the model does not take. The second index
# has the signs together, so that a search reads them without the vectors.
knowledge_vectors = Table(
    "knowledge_vectors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("n", Integer, ForeignKey("knowledge_passages.n", ondelete="CASCADE"), nullable=False),
    Column("embedding_id", Integer, ForeignKey("knowledge_embeddings.id", ondelete="CASCADE"), nullable=False),
    Column("signs", LargeBinary, nullable=False),
    Column("vector", LargeBinary, nullable=False),
)
Index("ix_knowledge_vectors_n", knowledge_vectors.c.n, knowledge_vectors.c.embedding_id)
Index(
    "ix_knowledge_vectors_signs",
    knowledge_vectors.c.embedding_id,
    knowledge_vectors.c.n,
    knowledge_vectors.c.signs,
)

# Questions that a person tries the files with.
knowledge_questions = Table(
    "knowledge_questions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
    Column("question", Text, nullable=False),
    # The path of the file that should be found, or its end.
    Column("file", Text, nullable=False),
    Column("added_at", Integer, nullable=False),
    # Where the last run found it and the one before: from 1, 0 for nowhere, null before the first.
    Column("place", Integer),
    Column("place_before", Integer),
)
Index("ix_knowledge_questions_project_id", knowledge_questions.c.project_id)

# What a person decided about passages of a thread's questions: "pinned" or "left_out". A whole file is from 0 to 0.
knowledge_choices = Table(
    "knowledge_choices",
    metadata,
    Column("thread_id", Text, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("source_id", Text, ForeignKey("knowledge_sources.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("path", Text, primary_key=True, nullable=False),
    Column("begin_offset", Integer, primary_key=True, nullable=False, autoincrement=False),
    Column("end_offset", Integer, primary_key=True, nullable=False, autoincrement=False),
    # Finds the passage again after the text above it changed.
    Column("digest", Text, nullable=False, server_default=text("''")),
    Column("choice", Text, nullable=False),
)
Index("ix_knowledge_choices_source_id", knowledge_choices.c.source_id)

# The providers that never get a project's files.
knowledge_denials = Table(
    "knowledge_denials",
    metadata,
    Column("project_id", Text, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True, nullable=False),
    Column("provider", Text, primary_key=True, nullable=False),
)
