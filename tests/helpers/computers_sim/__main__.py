"""Plays many histories, and prints those with problems."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.helpers.computers_sim.world import play

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no history after so long")
    options = parser.parse_args()
    failed = played = 0
    began = time.monotonic()
    for seed in range(options.first, options.first + options.count):
        if time.monotonic() - began > options.seconds:
            break
        played += 1
        with tempfile.TemporaryDirectory() as folder:
            problems = play(seed, Path(folder))
        if problems:
            failed += 1
            print(seed, *problems, sep="\n  ", flush=True)  # noqa: T201
    print(f"{played} histories from {options.first}, {failed} with problems")  # noqa: T201
