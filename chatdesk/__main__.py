"""Runs ChatDesk: ``python -m chatdesk``, the ``chatdesk`` command and the windowed program are the same."""

from __future__ import annotations

import os
import sys


def main() -> None:
    if "quick" in sys.argv:
        from chatdesk.core.local_api.quick_call import show_quick_window  # a key press waits for this alone

        if show_quick_window(sys.argv[1:]):
            os._exit(0)  # nothing is left to be written, and taking Python down takes a tenth of the time
    import chatdesk.core.system.late_modules  # noqa: F401 - before anything else

    # isort: split
    from chatdesk.cli.main import run
    from chatdesk.core.system.child_process import run_worker
    from chatdesk.core.system.processes import forbid_core_dumps, forbid_looking_in, remove_secrets
    from chatdesk.core.system.thread_turns import leave_garbage_to_the_end

    def before_command() -> None:
        forbid_looking_in()
        leave_garbage_to_the_end()

    if run_worker(sys.argv):
        return
    forbid_core_dumps()
    remove_secrets()
    sys.exit(run(sys.argv[1:], before_command=before_command))


main_gui = main


if __name__ == "__main__":
    main()
