"""Writes ``setup.sql`` and ``upgrade.sql`` beside this file, from the migrations, for those who run them by hand.

python packaging/team/write_sql.py          # write
python packaging/team/write_sql.py --check  # fail where they differ from the migrations
"""

import contextlib
import io
import itertools
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

SETUP_HEAD = """\
-- Sets up a workspace of ChatDesk in an empty database, as the app does. Made from migrations/team; do not edit.
--
-- Run by the login that owns the database and has CREATEROLE (no superuser is needed), with psql 15 or newer:
--
--   psql "host=db.example.org dbname=team user=team_owner sslmode=verify-full" \\
--     -v workspace_id=$(uuidgen | tr A-Z a-z) -v workspace_name="Desk" -v member_name="Olga" \\
--     -v login=olga -v verifier="$(cat verifier.txt)" -f setup.sql
--
-- login: the second half of the first member's login, which becomes cd_<six digits>_olga and is printed: lower-case
-- letters, digits and _, at least 4. verifier: of that member's password, as
-- 'SCRAM-SHA-256$...' (what CREATE ROLE stores; psql's \\password makes one), so that no password stands in a log.
-- With -v partitions=16 the tables that grow are divided by project (docs/team-growth.md).

\\set ON_ERROR_STOP on
\\if :{?partitions} \\else \\set partitions 0 \\endif
BEGIN;
SET LOCAL lock_timeout = '10s';
SELECT pg_advisory_xact_lock({lock});
SELECT set_config('chatdesk.prefix', 'cd_' || right(:'workspace_id', 6), true) AS prefix \\gset
SELECT set_config('chatdesk.workspace_id', :'workspace_id', true);
SELECT set_config('chatdesk.workspace_name', :'workspace_name', true);
SELECT set_config('chatdesk.member_name', :'member_name', true);
SELECT set_config('chatdesk.partitions', :'partitions', true);
SELECT set_config('chatdesk.login', :'prefix' || '_' || :'login', true) AS login_of_the_owner;
SELECT set_config('chatdesk.verifier', :'verifier', true) IS NOT NULL AS has_verifier;
"""
UPGRADE_HEAD = """\
-- Brings a workspace of ChatDesk up to date, as the app does. Made from migrations/team; do not edit.
--
-- Run by the login that set it up, with psql 15 or newer. What is there already is left out; running it twice is safe.
--
--   psql "host=db.example.org dbname=team user=team_owner sslmode=verify-full" -f upgrade.sql

\\set ON_ERROR_STOP on
BEGIN;
SET LOCAL lock_timeout = '10s';
SELECT set_config('chatdesk.prefix', regexp_replace(r.rolname, '_owner$', ''), true)
FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'cd';
"""


def made() -> dict[str, str]:
    from alembic import command
    from alembic.script import ScriptDirectory

    from chatdesk.core.sync.team_store import setup, sql_files

    def file(name: str) -> str:
        return (sql_files.sql_folder() / name).read_text(encoding="utf-8")

    def migrations(span: str) -> str:
        written = io.StringIO()
        config = setup.alembic_config()
        config.output_buffer = written
        with contextlib.redirect_stderr(io.StringIO()):
            command.upgrade(config, span, sql=True)
        return "\n".join(line.rstrip() for line in written.getvalue().strip().splitlines())

    revisions = [one.revision for one in ScriptDirectory.from_config(setup.alembic_config()).walk_revisions()][::-1]
    upgrades = []
    for before, revision in itertools.pairwise(revisions):
        upgrades.append(
            f"SELECT version_num = '{before}' AS is_next FROM cd.alembic_version \\gset\n\\if :is_next\n"
            f"{migrations(f'{before}:{revision}')}\n\\endif"
        )
    lock = setup.LOCK
    return {
        "setup.sql": "\n".join(
            [
                SETUP_HEAD.replace("{lock}", str(lock)),
                file("before_setup.sql"),
                migrations("head"),
                "",
                file("after_setup.sql"),
                "COMMIT;\n",
            ]
        ),
        "upgrade.sql": "\n".join(
            [
                UPGRADE_HEAD,
                file("before_upgrade.sql"),
                *(upgrades or ["-- There is nothing newer than what setup.sql makes."]),
                "",
                file("after_upgrade.sql"),
                "COMMIT;\n",
            ]
        ),
    }


def main() -> int:
    folder = Path(__file__).resolve().parent
    differing = []
    for name, text in made().items():
        file = folder / name
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != text:
            differing.append(name)
    if differing:
        print(f"{', '.join(differing)}: not what the migrations make; run {Path(__file__).name}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
