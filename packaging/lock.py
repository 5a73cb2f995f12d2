"""Writes the lock files again from pyproject.toml: exact versions with hashes, for every platform and Python.

No ``uv.lock``: that format records the address of the package index, and these files work with any index and with pip.
"""

from __future__ import annotations

import subprocess
import sys

import set_up

HEADER = "# Written by 'make lock' from pyproject.toml. Do not edit.\n"
COMMON = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header", "--quiet"]


def main(arguments):
    """Arguments are passed on, for example ``--upgrade`` or ``--upgrade-package openai``."""
    folder = set_up.ROOT / "requirements"
    uv = set_up.find_uv()
    tools = [
        (["requirements/tools.in"], "tools.txt"),
        (["--no-deps", "requirements/encodings.in"], "encodings.txt"),
        (["requirements/servers.in"], "servers.txt"),
        (["requirements/programs.in"], "programs.txt"),
        (["requirements/python_tool_servers.in"], "python_tool_servers.txt"),
    ]
    project = [
        (["pyproject.toml", "--group", "dev"], "dev.txt"),
        (["--group", "pyproject.toml:docs", "-c", "requirements/dev.txt"], "docs.txt"),
        (["pyproject.toml", "-c", "requirements/dev.txt"], "run.txt"),
        (["pyproject.toml", "requirements/package.in", "-c", "requirements/dev.txt"], "package.txt"),
    ]
    for sources, name in tools + project:
        command = [uv, "pip", "compile", *sources, *COMMON, *arguments, "-o", "requirements/" + name]
        subprocess.run(command, check=True, cwd=str(set_up.ROOT), stdout=subprocess.DEVNULL)
        path = folder / name
        path.write_text(HEADER + path.read_text(encoding="utf-8"), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
