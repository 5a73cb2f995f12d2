"""*Erase for everyone…* in a window: asked first, in words that say what stays; then in the trash, and on its way."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import Connection

from chatdesk.core.domain.sharing.team import Erasure, ServerAddress, TeamRole, Workspace
from chatdesk.core.ids import new_id
from chatdesk.core.paths import AppPaths
from chatdesk.core.storage.sync import entering, sharing, team
from chatdesk.ui.application.window_application import WindowApplication
from chatdesk.ui.dialogs.form_panel import ConfirmDialog
from chatdesk.ui.features.chat.erasing_binding import erasure_words
from chatdesk.ui.widgets.toast import Toast
from tests.helpers.asked_team import pressed, shown
from tests.helpers.window import ask, play, until


async def share(application: WindowApplication, project_id: str) -> None:
    """As it is once the server knows the project; nobody is connected."""
    database = (await application.services()).database

    def work(conn: Connection) -> None:
        workspace = Workspace(new_id(), "Team", ServerAddress("127.0.0.1", 1, "team", "x"), new_id(), True, 1)
        team.add_workspace(conn, workspace)
        sharing.start(conn, database.origin, project_id, workspace.id, TeamRole.OWNER, "channel")
        while entering.log_batch(conn, database.origin, project_id) is not None:
            continue

    await database.write(work)


def test_a_thread_that_others_have_is_erased_after_a_question(tmp_path: Path) -> None:
    async def script(application: WindowApplication) -> None:
        await ask(application, "Where is the treasure?")
        await until(lambda: application.threads.open_thread is not None)
        thread = application.threads.open_thread
        assert thread is not None
        toast = application.panes.window.findChild(Toast)
        application.panes.commands.trigger("thread.erase")
        await until(lambda: "its project is not shared" in toast.text)

        await share(application, thread.project_id)
        application.panes.commands.trigger("thread.erase")
        question = await shown(ConfirmDialog)
        assert "2 messages go" in question.accessibleDescription()
        assert "This cannot be undone" in question.accessibleDescription()
        await pressed(question, "confirmNo")
        assert application.threads.thread_id == thread.id
        application.panes.commands.trigger("thread.erase")
        await pressed(await shown(ConfirmDialog), "confirmYes")
        await until(lambda: "erased as soon as the server has taken it" in toast.text)
        services = await application.services()
        assert (await services.chat.get_thread(thread.id)).deleted_at is not None
        asked = await services.database.read(
            lambda conn: conn.exec_driver_sql("SELECT count(*) FROM changes WHERE reg = 'erased'").scalar_one()
        )
        assert asked == 1

    play(AppPaths.find(tmp_path / "data"), script)


def test_the_question_counts_what_goes_and_what_stays() -> None:
    assert erasure_words(Erasure(1, 0)).startswith("1 message goes")
    both = erasure_words(Erasure(2000, 1))
    assert "2,000 messages go" in both
    assert "1 message of others stays in the trash" in both
