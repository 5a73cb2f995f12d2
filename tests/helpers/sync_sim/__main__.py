"""``python -m tests.helpers.sync_sim 52 [steps trouble]``: the story of a seed, and what is wrong at its end."""

from __future__ import annotations

import sys

from tests.helpers.sync_sim.world import History, Mix


def main() -> int:
    more = {"steps": int(sys.argv[2]), "trouble": float(sys.argv[3])} if len(sys.argv) > 3 else {}
    history = History(int(sys.argv[1]), Mix(**more))
    wrong = history.play()
    sys.stdout.write("\n".join([*history.story, "", *(wrong or ["all is well"]), ""]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
