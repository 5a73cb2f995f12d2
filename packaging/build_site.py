"""Builds the pages for people into build/site, from docs/ and mkdocs.yml: ``build_site.py [FOLDER]``. Needs no network.

Also used by the build of the wheel and of the packages, which carry the site for *Help*.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "build" / "site"


def build(target=SITE, python=sys.executable):
    """Build the site with the mkdocs of ``python``; a link to nowhere or a missing picture is an error."""
    command = [str(python), "-m", "mkdocs", "--quiet", "build", "--strict", "--clean", "--site-dir", str(target)]
    environment = dict(os.environ, NO_MKDOCS_2_WARNING="1")
    subprocess.run(command, cwd=str(ROOT), env=environment, check=True)
    return Path(target)


if __name__ == "__main__":
    try:
        print(build(*sys.argv[1:2]) / "index.html")
    except subprocess.CalledProcessError as problem:
        sys.exit(problem.returncode)
