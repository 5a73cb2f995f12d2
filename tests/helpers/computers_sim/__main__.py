"""Plays many histories, and prints those with problems."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.helpers.computers_sim.world import play

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    options = parser.parse_args()
    failed = 0
    for seed in range(options.first, options.first + options.count):
        with tempfile.TemporaryDirectory() as folder:
            problems = play(seed, Path(folder))
        if problems:
            failed += 1
            print(seed, *problems, sep="\n  ", flush=True)  # noqa: T201
    print(f"{options.count} histories, {failed} with problems")  # noqa: T201
