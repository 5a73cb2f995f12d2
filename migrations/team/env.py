"""Runs the migrations of a team's database: on the connection that ``team_store.setup`` prepared, in its transaction,
or without one, as SQL for administrators (``packaging/team/*.sql``).

They run as the owner of the schema ``cd``, which keeps their version table as well.
"""

from __future__ import annotations

from alembic import context


def run() -> None:
    connection = context.config.attributes.get("connection")
    options = {"version_table": "alembic_version", "version_table_schema": "cd"}
    if connection is None:
        context.configure(
            dialect_name="postgresql",
            dialect_opts={"paramstyle": "named"},
            literal_binds=True,
            transactional_ddl=False,
            **options,
        )
    else:
        context.configure(connection=connection, **options)
    with context.begin_transaction():
        context.run_migrations()


run()
