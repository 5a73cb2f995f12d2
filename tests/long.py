"""Plays the tests again and again with new seeds: ``python -m tests.long --minutes 60 [options for pytest]``.

``make test`` plays the same examples in the same order each time, and of large tables a sample of the day. Here each
round draws new examples: the tests that draw them (hypothesis, histories of teams, streamed answers, kills) draw more,
tables are played whole, and every fifth round plays all tests in a new order. The first failure ends it, with the
command that plays that round again; what it found then becomes an example of its test.
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
_MARKS = ("from hypothesis import", "helpers.examples", "sync_sim.world", "helpers.monkey", "CHATDESK_FIRST_SEED")
_STREAMED_TEXTS, _KILLS = 500, 50
_NO_TESTS = 5


def drawing_tests() -> list[str]:
    """Return the test files that draw examples."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [
        str(path.relative_to(ROOT))
        for path in files
        if any(mark in path.read_text(encoding="utf-8") for mark in _MARKS)
    ]


def play(seed: int, paths: list[str], options: list[str]) -> int:
    """Play one round; return pytest's exit code."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--hypothesis-profile=long", f"--randomly-seed={seed}"]
    command += [*options, *paths]
    environment = {
        "CHATDESK_FIRST_SEED": str(seed),
        "CHATDESK_STREAMED_TEXTS": str(_STREAMED_TEXTS),
        "CHATDESK_KILLS": str(_KILLS),
    }
    code = subprocess.run(command, cwd=ROOT, env=os.environ | environment).returncode
    if code not in (0, _NO_TESTS):
        variables = " ".join(f"{name}={value}" for name, value in environment.items())
        print(f"To play it again:\n  {variables} {shlex.join(command)}", flush=True)
    return code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    arguments, options = parser.parse_known_args()
    end = time.monotonic() + arguments.minutes * 60
    rounds = 0
    while not rounds or time.monotonic() < end:
        rounds += 1
        seed = random.SystemRandom().randrange(1_000_000, 100_000_000)
        print(f"round {rounds}, seed {seed}", flush=True)
        code = play(seed, [] if rounds % 5 == 0 else drawing_tests(), options)
        if code not in (0, _NO_TESTS):
            return code
    print(f"{rounds} rounds passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
