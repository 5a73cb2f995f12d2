CREATE TABLE artifact_texts (
	sha256 TEXT NOT NULL,
	text TEXT NOT NULL,
	problem TEXT,
	extracted_at INTEGER NOT NULL,
	CONSTRAINT pk_artifact_texts PRIMARY KEY (sha256)
);

CREATE TABLE changes (
	n INTEGER NOT NULL,
	id TEXT NOT NULL,
	project_id TEXT NOT NULL,
	seq INTEGER,
	device TEXT NOT NULL,
	dseq INTEGER NOT NULL,
	kind TEXT NOT NULL,
	op TEXT NOT NULL,
	entity TEXT NOT NULL,
	reg TEXT NOT NULL,
	parents TEXT NOT NULL,
	hlc INTEGER NOT NULL,
	v INTEGER DEFAULT 1 NOT NULL,
	body TEXT,
	state INTEGER DEFAULT 0 NOT NULL,
	mine INTEGER DEFAULT 1 NOT NULL,
	at INTEGER NOT NULL,
	author TEXT,
	relayed_by TEXT,
	problem TEXT,
	seal BLOB,
	digest BLOB,
	erased INTEGER DEFAULT 0 NOT NULL,
	CONSTRAINT pk_changes PRIMARY KEY (n),
	CONSTRAINT uq_changes_id UNIQUE (id),
	CONSTRAINT uq_changes_device_dseq UNIQUE (device, dseq)
);

CREATE INDEX ix_changes_entity_reg ON changes (entity, reg);

CREATE INDEX ix_changes_project_id_state ON changes (project_id, state);

CREATE INDEX ix_changes_problem ON changes (problem) WHERE problem IS NOT NULL;

CREATE TABLE devices (
	id TEXT NOT NULL,
	is_mine INTEGER DEFAULT 0 NOT NULL,
	next_dseq INTEGER DEFAULT 1 NOT NULL,
	last_hlc INTEGER DEFAULT 0 NOT NULL,
	clock_offset_ms INTEGER DEFAULT 0 NOT NULL,
	commit_count INTEGER DEFAULT 0 NOT NULL,
	message_count INTEGER DEFAULT 0 NOT NULL,
	created_at INTEGER NOT NULL,
	CONSTRAINT pk_devices PRIMARY KEY (id)
);

CREATE TABLE import_origins (
	source TEXT NOT NULL,
	source_key TEXT NOT NULL,
	entity TEXT NOT NULL,
	digest TEXT NOT NULL,
	CONSTRAINT pk_import_origins PRIMARY KEY (source, source_key)
)
 WITHOUT ROWID;

CREATE INDEX ix_import_origins_entity ON import_origins (entity);

CREATE TABLE meta (
	"key" TEXT NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_meta PRIMARY KEY ("key")
);

CREATE TABLE projects (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	colour TEXT NOT NULL,
	system_prompt TEXT DEFAULT '' NOT NULL,
	provider TEXT,
	model TEXT,
	created_at INTEGER NOT NULL,
	last_chat_at INTEGER,
	deleted_at INTEGER,
	hlc INTEGER DEFAULT 0 NOT NULL,
	origin_device TEXT DEFAULT '' NOT NULL,
	parameters TEXT DEFAULT '{}' NOT NULL,
	is_without_summaries INTEGER DEFAULT 0 NOT NULL,
	archived_at INTEGER,
	CONSTRAINT pk_projects PRIMARY KEY (id)
);

CREATE TABLE prompts (
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	name_folded TEXT NOT NULL,
	text TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	used_at INTEGER,
	use_count INTEGER DEFAULT 0 NOT NULL,
	deleted_at INTEGER,
	hlc INTEGER DEFAULT 0 NOT NULL,
	origin_device TEXT DEFAULT '' NOT NULL,
	setup TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_prompts PRIMARY KEY (id)
);

CREATE TABLE register_heads (
	entity TEXT NOT NULL,
	reg TEXT NOT NULL,
	change_id TEXT NOT NULL,
	CONSTRAINT pk_register_heads PRIMARY KEY (entity, reg, change_id)
)
 WITHOUT ROWID;

CREATE TABLE search_backlog (
	kind TEXT NOT NULL,
	entity TEXT NOT NULL,
	CONSTRAINT pk_search_backlog PRIMARY KEY (kind, entity)
)
 WITHOUT ROWID;

CREATE TABLE search_entries (
	n INTEGER NOT NULL,
	kind TEXT NOT NULL,
	entity TEXT NOT NULL,
	CONSTRAINT pk_search_entries PRIMARY KEY (n),
	CONSTRAINT uq_search_entries_kind_entity UNIQUE (kind, entity)
);

CREATE TABLE search_queue (
	kind TEXT NOT NULL,
	entity TEXT NOT NULL,
	CONSTRAINT pk_search_queue PRIMARY KEY (kind, entity)
)
 WITHOUT ROWID;

CREATE TABLE search_removed (
	source TEXT NOT NULL,
	n INTEGER NOT NULL,
	text TEXT,
	CONSTRAINT pk_search_removed PRIMARY KEY (source, n)
)
 WITHOUT ROWID;

CREATE TABLE seen_changes (
	project_id TEXT NOT NULL,
	device TEXT NOT NULL,
	dseq INTEGER NOT NULL,
	CONSTRAINT pk_seen_changes PRIMARY KEY (project_id, device)
)
 WITHOUT ROWID;

CREATE TABLE shared_files (
	project_id TEXT NOT NULL,
	sha256 TEXT NOT NULL,
	state TEXT NOT NULL,
	size_bytes INTEGER NOT NULL,
	done INTEGER DEFAULT 0 NOT NULL,
	problem TEXT,
	tried_at INTEGER,
	CONSTRAINT pk_shared_files PRIMARY KEY (project_id, sha256)
)
 WITHOUT ROWID;

CREATE INDEX ix_shared_files_state ON shared_files (state) WHERE state IN ('to_send', 'to_fetch');

CREATE TABLE shared_projects (
	project_id TEXT NOT NULL,
	workspace_id TEXT NOT NULL,
	role TEXT NOT NULL,
	channel TEXT DEFAULT '' NOT NULL,
	seq INTEGER DEFAULT 0 NOT NULL,
	chain BLOB,
	state TEXT NOT NULL,
	ended TEXT,
	progress TEXT DEFAULT '{}' NOT NULL,
	shared_at INTEGER NOT NULL,
	CONSTRAINT pk_shared_projects PRIMARY KEY (project_id)
);

CREATE INDEX ix_shared_projects_workspace_id ON shared_projects (workspace_id);

CREATE TABLE sync_rounds (
	n INTEGER NOT NULL,
	at INTEGER NOT NULL,
	workspace_id TEXT NOT NULL,
	sent INTEGER DEFAULT 0 NOT NULL,
	received INTEGER DEFAULT 0 NOT NULL,
	took_ms INTEGER DEFAULT 0 NOT NULL,
	problem TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_sync_rounds PRIMARY KEY (n)
);

CREATE TABLE tags (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	name_folded TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	hlc INTEGER DEFAULT 0 NOT NULL,
	origin_device TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_tags PRIMARY KEY (id),
	CONSTRAINT uq_tags_name_folded UNIQUE (name_folded)
);

CREATE TABLE team_devices (
	workspace_id TEXT NOT NULL,
	id TEXT NOT NULL,
	member_id TEXT NOT NULL,
	name TEXT NOT NULL,
	app_version TEXT DEFAULT '' NOT NULL,
	last_seen_at INTEGER,
	CONSTRAINT pk_team_devices PRIMARY KEY (workspace_id, id)
)
 WITHOUT ROWID;

CREATE TABLE team_members (
	workspace_id TEXT NOT NULL,
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	is_owner INTEGER DEFAULT 0 NOT NULL,
	status TEXT NOT NULL,
	invited_at INTEGER,
	CONSTRAINT pk_team_members PRIMARY KEY (workspace_id, id)
)
 WITHOUT ROWID;

CREATE TABLE team_roles (
	project_id TEXT NOT NULL,
	member_id TEXT NOT NULL,
	role TEXT NOT NULL,
	CONSTRAINT pk_team_roles PRIMARY KEY (project_id, member_id)
)
 WITHOUT ROWID;

CREATE TABLE token_factors (
	provider TEXT NOT NULL,
	model TEXT NOT NULL,
	factor FLOAT NOT NULL,
	samples INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	CONSTRAINT pk_token_factors PRIMARY KEY (provider, model)
)
 WITHOUT ROWID;

CREATE TABLE usage_days (
	day INTEGER NOT NULL,
	project_id TEXT NOT NULL,
	provider TEXT NOT NULL,
	model TEXT NOT NULL,
	kind TEXT NOT NULL,
	requests INTEGER DEFAULT 0 NOT NULL,
	input_tokens INTEGER DEFAULT 0 NOT NULL,
	output_tokens INTEGER DEFAULT 0 NOT NULL,
	cached_tokens INTEGER DEFAULT 0 NOT NULL,
	reasoning_tokens INTEGER DEFAULT 0 NOT NULL,
	estimated_requests INTEGER DEFAULT 0 NOT NULL,
	unpriced_requests INTEGER DEFAULT 0 NOT NULL,
	cost_usd FLOAT DEFAULT 0 NOT NULL,
	written_tokens INTEGER DEFAULT 0 NOT NULL,
	CONSTRAINT pk_usage_days PRIMARY KEY (day, project_id, provider, model, kind)
)
 WITHOUT ROWID;

CREATE TABLE workspaces (
	id TEXT NOT NULL,
	name TEXT NOT NULL,
	address TEXT NOT NULL,
	member_id TEXT NOT NULL,
	is_owner INTEGER DEFAULT 0 NOT NULL,
	joined_at INTEGER NOT NULL,
	left_at INTEGER,
	clock_offset_ms INTEGER DEFAULT 0 NOT NULL,
	CONSTRAINT pk_workspaces PRIMARY KEY (id)
);

CREATE TABLE threads (
	id TEXT NOT NULL,
	project_id TEXT NOT NULL,
	title TEXT NOT NULL,
	title_folded TEXT NOT NULL,
	system_prompt TEXT DEFAULT '' NOT NULL,
	provider TEXT,
	model TEXT,
	created_at INTEGER NOT NULL,
	last_activity_at INTEGER NOT NULL,
	archived_at INTEGER,
	pinned_at INTEGER,
	deleted_at INTEGER,
	current_leaf_id TEXT,
	chosen_root_id TEXT,
	shown_count INTEGER DEFAULT 0 NOT NULL,
	message_count INTEGER DEFAULT 0 NOT NULL,
	total_input_tokens INTEGER DEFAULT 0 NOT NULL,
	total_output_tokens INTEGER DEFAULT 0 NOT NULL,
	total_cached_tokens INTEGER DEFAULT 0 NOT NULL,
	total_reasoning_tokens INTEGER DEFAULT 0 NOT NULL,
	total_tool_time_ms INTEGER DEFAULT 0 NOT NULL,
	tool_counts TEXT DEFAULT '{}' NOT NULL,
	hlc INTEGER DEFAULT 0 NOT NULL,
	origin_device TEXT DEFAULT '' NOT NULL,
	parameters TEXT DEFAULT '{}' NOT NULL,
	is_without_summaries INTEGER DEFAULT 0 NOT NULL,
	context_from_id TEXT,
	title_source TEXT DEFAULT 'person' NOT NULL,
	author_id TEXT,
	assistant_id TEXT,
	CONSTRAINT pk_threads PRIMARY KEY (id),
	CONSTRAINT fk_threads_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE CASCADE
);

CREATE INDEX ix_threads_project_id ON threads (project_id);

CREATE INDEX ix_threads_project_trashed ON threads (project_id, deleted_at, id) WHERE deleted_at IS NOT NULL;

CREATE INDEX ix_threads_trashed ON threads (deleted_at, id, title_folded) WHERE deleted_at IS NOT NULL;

CREATE INDEX ix_threads_name ON threads (title_folded, id) WHERE deleted_at IS NULL AND archived_at IS NULL;

CREATE INDEX ix_threads_project_name ON threads (project_id, title_folded, id) WHERE deleted_at IS NULL AND archived_at IS NULL;

CREATE INDEX ix_threads_project_recent ON threads (project_id, last_activity_at, id, title_folded) WHERE deleted_at IS NULL AND archived_at IS NULL;

CREATE INDEX ix_threads_recent ON threads (last_activity_at, id, title_folded) WHERE deleted_at IS NULL AND archived_at IS NULL;

CREATE INDEX ix_threads_archived ON threads (last_activity_at, id) WHERE archived_at IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX ix_threads_archived_at ON threads (archived_at) WHERE archived_at IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX ix_threads_archived_name ON threads (title_folded, id) WHERE archived_at IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX ix_threads_project_archived ON threads (project_id, last_activity_at, id) WHERE archived_at IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX ix_threads_project_archived_name ON threads (project_id, title_folded, id) WHERE archived_at IS NOT NULL AND deleted_at IS NULL;

CREATE INDEX ix_threads_pinned ON threads (last_activity_at, id) WHERE pinned_at IS NOT NULL AND deleted_at IS NULL AND archived_at IS NULL;

CREATE INDEX ix_threads_project_pinned ON threads (project_id, last_activity_at, id) WHERE pinned_at IS NOT NULL AND deleted_at IS NULL AND archived_at IS NULL;

CREATE TABLE drafts (
	slot TEXT NOT NULL,
	thread_id TEXT,
	text TEXT NOT NULL,
	cursor INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	attachments TEXT DEFAULT '[]' NOT NULL,
	CONSTRAINT pk_drafts PRIMARY KEY (slot),
	CONSTRAINT fk_drafts_thread_id FOREIGN KEY(thread_id) REFERENCES threads (id) ON DELETE CASCADE
);

CREATE INDEX ix_drafts_thread_id ON drafts (thread_id);

CREATE TABLE messages (
	id TEXT NOT NULL,
	thread_id TEXT NOT NULL,
	parent_id TEXT,
	role TEXT NOT NULL,
	status TEXT NOT NULL,
	position INTEGER NOT NULL,
	on_path INTEGER DEFAULT 0 NOT NULL,
	chosen_child_id TEXT,
	provider TEXT,
	model TEXT,
	created_at INTEGER NOT NULL,
	completed_at INTEGER,
	latency_ms INTEGER,
	time_to_first_token_ms INTEGER,
	prompt_tokens INTEGER,
	completion_tokens INTEGER,
	total_tokens INTEGER,
	cached_tokens INTEGER,
	reasoning_tokens INTEGER,
	error TEXT,
	error_type TEXT,
	error_details TEXT,
	finish_reason TEXT,
	owner_pid_token TEXT,
	content_digest TEXT,
	deleted_at INTEGER,
	deleted_with TEXT,
	purged_at INTEGER,
	hlc INTEGER DEFAULT 0 NOT NULL,
	origin_device TEXT DEFAULT '' NOT NULL,
	char_count INTEGER DEFAULT 0 NOT NULL,
	line_count INTEGER DEFAULT 0 NOT NULL,
	context_mark TEXT DEFAULT '' NOT NULL,
	search_n INTEGER,
	author_id TEXT,
	assistant_id TEXT,
	assistant_name TEXT,
	CONSTRAINT pk_messages PRIMARY KEY (id),
	CONSTRAINT ck_messages_role CHECK (role IN ('system', 'user', 'assistant', 'tool')),
	CONSTRAINT ck_messages_status CHECK (status IN ('pending', 'streaming', 'complete', 'stopped', 'interrupted', 'error')),
	CONSTRAINT fk_messages_thread_id FOREIGN KEY(thread_id) REFERENCES threads (id) ON DELETE CASCADE,
	CONSTRAINT fk_messages_parent_id FOREIGN KEY(parent_id) REFERENCES messages (id)
);

CREATE INDEX ix_messages_parent_id ON messages (parent_id, id);

CREATE INDEX ix_messages_thread_id ON messages (thread_id);

CREATE INDEX ix_messages_roots ON messages (thread_id, id) WHERE parent_id IS NULL;

CREATE INDEX ix_messages_marked ON messages (thread_id, position) WHERE context_mark <> '';

CREATE INDEX ix_messages_search_n ON messages (search_n, thread_id, deleted_at, role, created_at) WHERE search_n IS NOT NULL;

CREATE INDEX ix_messages_trashed ON messages (thread_id, deleted_at) WHERE deleted_at IS NOT NULL;

CREATE INDEX ix_messages_shown ON messages (thread_id, position) WHERE on_path = 1 AND deleted_at IS NULL;

CREATE INDEX ix_messages_unfinished ON messages (thread_id) WHERE status IN ('pending', 'streaming');

CREATE INDEX ix_messages_shown_trashed ON messages (thread_id, position) WHERE on_path = 1 AND deleted_at IS NOT NULL;

CREATE TABLE summaries (
	id TEXT NOT NULL,
	thread_id TEXT NOT NULL,
	up_to_message_id TEXT NOT NULL,
	text TEXT NOT NULL,
	provider TEXT,
	model TEXT,
	token_count INTEGER DEFAULT 0 NOT NULL,
	created_at INTEGER NOT NULL,
	deleted_at INTEGER,
	hlc INTEGER DEFAULT 0 NOT NULL,
	origin_device TEXT DEFAULT '' NOT NULL,
	from_message_id TEXT DEFAULT '' NOT NULL,
	version INTEGER DEFAULT 1 NOT NULL,
	prompt_version TEXT DEFAULT '' NOT NULL,
	author TEXT DEFAULT 'model' NOT NULL,
	pinned_facts TEXT DEFAULT '[]' NOT NULL,
	stale_reason TEXT,
	is_off INTEGER DEFAULT 0 NOT NULL,
	message_count INTEGER DEFAULT 0 NOT NULL,
	input_tokens INTEGER DEFAULT 0 NOT NULL,
	output_tokens INTEGER DEFAULT 0 NOT NULL,
	author_id TEXT,
	CONSTRAINT pk_summaries PRIMARY KEY (id),
	CONSTRAINT fk_summaries_thread_id FOREIGN KEY(thread_id) REFERENCES threads (id) ON DELETE CASCADE
);

CREATE INDEX ix_summaries_thread_id_created_at ON summaries (thread_id, created_at);

CREATE TABLE team_notes (
	n INTEGER NOT NULL,
	at INTEGER NOT NULL,
	thread_id TEXT NOT NULL,
	code TEXT NOT NULL,
	details TEXT DEFAULT '{}' NOT NULL,
	seen_at INTEGER,
	CONSTRAINT pk_team_notes PRIMARY KEY (n),
	CONSTRAINT uq_team_notes_thread_id_code_details UNIQUE (thread_id, code, details),
	CONSTRAINT fk_team_notes_thread_id FOREIGN KEY(thread_id) REFERENCES threads (id) ON DELETE CASCADE
);

CREATE TABLE thread_tags (
	thread_id TEXT NOT NULL,
	tag_id TEXT NOT NULL,
	CONSTRAINT pk_thread_tags PRIMARY KEY (thread_id, tag_id),
	CONSTRAINT fk_thread_tags_thread_id FOREIGN KEY(thread_id) REFERENCES threads (id) ON DELETE CASCADE,
	CONSTRAINT fk_thread_tags_tag_id FOREIGN KEY(tag_id) REFERENCES tags (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE INDEX ix_thread_tags_tag_id ON thread_tags (tag_id);

CREATE TABLE unread_threads (
	thread_id TEXT NOT NULL,
	messages INTEGER NOT NULL,
	CONSTRAINT pk_unread_threads PRIMARY KEY (thread_id),
	CONSTRAINT fk_unread_threads_thread_id FOREIGN KEY(thread_id) REFERENCES threads (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE TABLE message_parts (
	id TEXT NOT NULL,
	message_id TEXT NOT NULL,
	part_index INTEGER NOT NULL,
	step_index INTEGER DEFAULT 0 NOT NULL,
	type TEXT NOT NULL,
	content TEXT NOT NULL,
	started_at INTEGER,
	completed_at INTEGER,
	tool_name TEXT,
	tool_call_id TEXT,
	tool_duration_ms INTEGER,
	hlc INTEGER DEFAULT 0 NOT NULL,
	origin_device TEXT DEFAULT '' NOT NULL,
	CONSTRAINT pk_message_parts PRIMARY KEY (id),
	CONSTRAINT uq_message_parts_message_id_part_index UNIQUE (message_id, part_index),
	CONSTRAINT fk_message_parts_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);

CREATE TABLE part_chunks (
	n INTEGER NOT NULL,
	message_id TEXT NOT NULL,
	part_index INTEGER NOT NULL,
	text TEXT NOT NULL,
	CONSTRAINT pk_part_chunks PRIMARY KEY (n),
	CONSTRAINT fk_part_chunks_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
);

CREATE INDEX ix_part_chunks_message_id_part_index_n ON part_chunks (message_id, part_index, n);

CREATE TABLE usage_events (
	id TEXT NOT NULL,
	project_id TEXT,
	thread_id TEXT,
	message_id TEXT,
	provider TEXT,
	model TEXT,
	status TEXT NOT NULL,
	input_tokens INTEGER DEFAULT 0 NOT NULL,
	output_tokens INTEGER DEFAULT 0 NOT NULL,
	cached_tokens INTEGER DEFAULT 0 NOT NULL,
	reasoning_tokens INTEGER DEFAULT 0 NOT NULL,
	is_estimated INTEGER DEFAULT 0 NOT NULL,
	latency_ms INTEGER,
	created_at INTEGER NOT NULL,
	kind TEXT DEFAULT 'answer' NOT NULL,
	time_to_first_token_ms INTEGER,
	cost_usd FLOAT,
	written_tokens INTEGER DEFAULT 0 NOT NULL,
	CONSTRAINT pk_usage_events PRIMARY KEY (id),
	CONSTRAINT fk_usage_events_project_id FOREIGN KEY(project_id) REFERENCES projects (id) ON DELETE SET NULL,
	CONSTRAINT fk_usage_events_thread_id FOREIGN KEY(thread_id) REFERENCES threads (id) ON DELETE SET NULL,
	CONSTRAINT fk_usage_events_message_id FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE SET NULL
);

CREATE INDEX ix_usage_events_created_at ON usage_events (created_at);

CREATE INDEX ix_usage_events_message_id ON usage_events (message_id);

CREATE INDEX ix_usage_events_project_id ON usage_events (project_id);

CREATE INDEX ix_usage_events_thread_id ON usage_events (thread_id);

CREATE TABLE artifacts (
	id TEXT NOT NULL,
	part_id TEXT NOT NULL,
	kind TEXT NOT NULL,
	path TEXT NOT NULL,
	mime TEXT NOT NULL,
	size_bytes INTEGER NOT NULL,
	sha256 TEXT NOT NULL,
	hlc INTEGER DEFAULT 0 NOT NULL,
	origin_device TEXT DEFAULT '' NOT NULL,
	document_id TEXT,
	version INTEGER DEFAULT 1 NOT NULL,
	name TEXT DEFAULT '' NOT NULL,
	language TEXT DEFAULT '' NOT NULL,
	is_by_hand INTEGER DEFAULT 0 NOT NULL,
	created_at INTEGER DEFAULT 0 NOT NULL,
	CONSTRAINT pk_artifacts PRIMARY KEY (id),
	CONSTRAINT fk_artifacts_part_id FOREIGN KEY(part_id) REFERENCES message_parts (id) ON DELETE CASCADE
);

CREATE INDEX ix_artifacts_part_id ON artifacts (part_id);

CREATE INDEX ix_artifacts_sha256 ON artifacts (sha256);

CREATE INDEX ix_artifacts_document_id ON artifacts (document_id) WHERE document_id IS NOT NULL;

CREATE TABLE part_token_counts (
	part_id TEXT NOT NULL,
	encoding TEXT NOT NULL,
	tokens INTEGER NOT NULL,
	CONSTRAINT pk_part_token_counts PRIMARY KEY (part_id, encoding),
	CONSTRAINT fk_part_token_counts_part_id FOREIGN KEY(part_id) REFERENCES message_parts (id) ON DELETE CASCADE
)
 WITHOUT ROWID;

CREATE VIEW search_message_texts AS SELECT m.search_n AS n, search_words((SELECT substr(group_concat(words, char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content) THEN json_extract(content, '$.text') END AS words FROM message_parts WHERE message_id = m.id AND type = 'text' ORDER BY part_index))) AS text FROM messages m WHERE m.search_n IS NOT NULL;

CREATE VIEW search_entry_texts AS SELECT e.n AS n, search_words(CASE e.kind WHEN 'thread' THEN (SELECT title FROM threads WHERE id = e.entity) WHEN 'summary' THEN (SELECT CASE WHEN deleted_at IS NULL THEN text END FROM summaries WHERE id = e.entity) WHEN 'project' THEN (SELECT name FROM projects WHERE id = e.entity) WHEN 'tag' THEN (SELECT name FROM tags WHERE id = e.entity) WHEN 'file' THEN (SELECT CASE WHEN json_valid(content) THEN json_extract(content, '$.name') END FROM message_parts WHERE id = e.entity) WHEN 'attachment' THEN (SELECT substr(text, 1, 1000000) FROM artifact_texts WHERE sha256 = e.entity) END) AS text FROM search_entries e;

CREATE VIRTUAL TABLE search_index USING fts5(text, content='search_message_texts', content_rowid='n', tokenize='unicode61 remove_diacritics 2');

CREATE VIRTUAL TABLE search_names USING fts5(text, content='search_entry_texts', content_rowid='n', tokenize='unicode61 remove_diacritics 2');

CREATE TRIGGER search_text_insert BEFORE INSERT ON message_parts WHEN new.type = 'text' BEGIN INSERT INTO search_removed (source, n, text) SELECT 'message', m.search_n, (SELECT substr(group_concat(words, char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content) THEN json_extract(content, '$.text') END AS words FROM message_parts WHERE message_id = m.id AND type = 'text' ORDER BY part_index)) FROM messages m WHERE m.id = new.message_id AND m.search_n IS NOT NULL AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'message' AND r.n = m.search_n); INSERT OR IGNORE INTO search_queue (kind, entity) SELECT 'message', m.id FROM messages m WHERE m.id = new.message_id AND (m.search_n IS NOT NULL OR m.status NOT IN ('pending', 'streaming')); END;

CREATE TRIGGER search_text_update BEFORE UPDATE OF content ON message_parts WHEN old.type = 'text' BEGIN INSERT INTO search_removed (source, n, text) SELECT 'message', m.search_n, (SELECT substr(group_concat(words, char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content) THEN json_extract(content, '$.text') END AS words FROM message_parts WHERE message_id = m.id AND type = 'text' ORDER BY part_index)) FROM messages m WHERE m.id = old.message_id AND m.search_n IS NOT NULL AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'message' AND r.n = m.search_n); INSERT OR IGNORE INTO search_queue (kind, entity) SELECT 'message', m.id FROM messages m WHERE m.id = old.message_id AND (m.search_n IS NOT NULL OR m.status NOT IN ('pending', 'streaming')); END;

CREATE TRIGGER search_text_delete BEFORE DELETE ON message_parts WHEN old.type = 'text' BEGIN INSERT INTO search_removed (source, n, text) SELECT 'message', m.search_n, (SELECT substr(group_concat(words, char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content) THEN json_extract(content, '$.text') END AS words FROM message_parts WHERE message_id = m.id AND type = 'text' ORDER BY part_index)) FROM messages m WHERE m.id = old.message_id AND m.search_n IS NOT NULL AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'message' AND r.n = m.search_n); INSERT OR IGNORE INTO search_queue (kind, entity) SELECT 'message', m.id FROM messages m WHERE m.id = old.message_id AND (m.search_n IS NOT NULL OR m.status NOT IN ('pending', 'streaming')); END;

CREATE TRIGGER search_message_end AFTER UPDATE OF status ON messages WHEN new.status NOT IN ('pending', 'streaming') AND old.status IN ('pending', 'streaming') BEGIN INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('message', new.id); END;

CREATE TRIGGER search_message_delete BEFORE DELETE ON messages WHEN old.search_n IS NOT NULL BEGIN INSERT INTO search_removed (source, n, text) SELECT 'message', old.search_n, (SELECT substr(group_concat(words, char(10)), 1, 1000000) FROM (SELECT CASE WHEN json_valid(content) THEN json_extract(content, '$.text') END AS words FROM message_parts WHERE message_id = old.id AND type = 'text' ORDER BY part_index)) WHERE NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'message' AND r.n = old.search_n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('message', old.id); END;

CREATE TRIGGER search_thread_insert BEFORE INSERT ON threads BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT title FROM threads WHERE id = new.id) FROM search_entries e WHERE e.kind = 'thread' AND e.entity = new.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('thread', new.id); END;

CREATE TRIGGER search_thread_update BEFORE UPDATE OF title ON threads BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT title FROM threads WHERE id = old.id) FROM search_entries e WHERE e.kind = 'thread' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('thread', old.id); END;

CREATE TRIGGER search_thread_delete BEFORE DELETE ON threads BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT title FROM threads WHERE id = old.id) FROM search_entries e WHERE e.kind = 'thread' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('thread', old.id); END;

CREATE TRIGGER search_summary_insert BEFORE INSERT ON summaries BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN deleted_at IS NULL THEN text END FROM summaries WHERE id = new.id) FROM search_entries e WHERE e.kind = 'summary' AND e.entity = new.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('summary', new.id); END;

CREATE TRIGGER search_summary_update BEFORE UPDATE OF text, deleted_at ON summaries BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN deleted_at IS NULL THEN text END FROM summaries WHERE id = old.id) FROM search_entries e WHERE e.kind = 'summary' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('summary', old.id); END;

CREATE TRIGGER search_summary_delete BEFORE DELETE ON summaries BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN deleted_at IS NULL THEN text END FROM summaries WHERE id = old.id) FROM search_entries e WHERE e.kind = 'summary' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('summary', old.id); END;

CREATE TRIGGER search_project_insert BEFORE INSERT ON projects BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT name FROM projects WHERE id = new.id) FROM search_entries e WHERE e.kind = 'project' AND e.entity = new.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('project', new.id); END;

CREATE TRIGGER search_project_update BEFORE UPDATE OF name ON projects BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT name FROM projects WHERE id = old.id) FROM search_entries e WHERE e.kind = 'project' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('project', old.id); END;

CREATE TRIGGER search_project_delete BEFORE DELETE ON projects BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT name FROM projects WHERE id = old.id) FROM search_entries e WHERE e.kind = 'project' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('project', old.id); END;

CREATE TRIGGER search_tag_insert BEFORE INSERT ON tags BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT name FROM tags WHERE id = new.id) FROM search_entries e WHERE e.kind = 'tag' AND e.entity = new.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('tag', new.id); END;

CREATE TRIGGER search_tag_update BEFORE UPDATE OF name ON tags BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT name FROM tags WHERE id = old.id) FROM search_entries e WHERE e.kind = 'tag' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('tag', old.id); END;

CREATE TRIGGER search_tag_delete BEFORE DELETE ON tags BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT name FROM tags WHERE id = old.id) FROM search_entries e WHERE e.kind = 'tag' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('tag', old.id); END;

CREATE TRIGGER search_file_insert BEFORE INSERT ON message_parts WHEN new.type IN ('image', 'file') BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN json_valid(content) THEN json_extract(content, '$.name') END FROM message_parts WHERE id = new.id) FROM search_entries e WHERE e.kind = 'file' AND e.entity = new.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('file', new.id); END;

CREATE TRIGGER search_file_update BEFORE UPDATE OF content ON message_parts WHEN old.type IN ('image', 'file') BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN json_valid(content) THEN json_extract(content, '$.name') END FROM message_parts WHERE id = old.id) FROM search_entries e WHERE e.kind = 'file' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('file', old.id); END;

CREATE TRIGGER search_file_delete BEFORE DELETE ON message_parts WHEN old.type IN ('image', 'file') BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT CASE WHEN json_valid(content) THEN json_extract(content, '$.name') END FROM message_parts WHERE id = old.id) FROM search_entries e WHERE e.kind = 'file' AND e.entity = old.id AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('file', old.id); END;

CREATE TRIGGER search_attachment_insert BEFORE INSERT ON artifact_texts BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT substr(text, 1, 1000000) FROM artifact_texts WHERE sha256 = new.sha256) FROM search_entries e WHERE e.kind = 'attachment' AND e.entity = new.sha256 AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('attachment', new.sha256); END;

CREATE TRIGGER search_attachment_update BEFORE UPDATE OF text ON artifact_texts BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT substr(text, 1, 1000000) FROM artifact_texts WHERE sha256 = old.sha256) FROM search_entries e WHERE e.kind = 'attachment' AND e.entity = old.sha256 AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('attachment', old.sha256); END;

CREATE TRIGGER search_attachment_delete BEFORE DELETE ON artifact_texts BEGIN INSERT INTO search_removed (source, n, text) SELECT 'entry', e.n, (SELECT substr(text, 1, 1000000) FROM artifact_texts WHERE sha256 = old.sha256) FROM search_entries e WHERE e.kind = 'attachment' AND e.entity = old.sha256 AND NOT EXISTS (SELECT 1 FROM search_removed r WHERE r.source = 'entry' AND r.n = e.n); INSERT OR IGNORE INTO search_queue (kind, entity) VALUES ('attachment', old.sha256); END;
