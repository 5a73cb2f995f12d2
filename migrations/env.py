"""Runs the migrations on the connection that ``chatdesk.core.storage.engine.schema_upgrade`` prepared.

One transaction a migration, opened by our own ``BEGIN IMMEDIATE``, with foreign keys off; the caller's checks run
inside each of them, before it is committed.
"""

from __future__ import annotations

from alembic import context

from chatdesk.core.storage.engine import tables


def run() -> None:
    attributes = context.config.attributes

    def on_version_apply(**_step: object) -> None:
        attributes["verify"]()

    context.configure(
        connection=attributes["connection"],
        target_metadata=tables.metadata,
        render_as_batch=True,
        transactional_ddl=True,
        transaction_per_migration=True,
        on_version_apply=on_version_apply,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
