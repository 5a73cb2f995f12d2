"""``python -m chatdesk``, the ``chatdesk`` command and the windowed program: they differ in nothing."""

from __future__ import annotations

import sys

from chatdesk.cli import run


def main() -> None:
    sys.exit(run(sys.argv[1:]))


main_gui = main


if __name__ == "__main__":
    main()
