"""``make bench``: every figure against a yardstick of the same run; ``build/bench.json`` and a table.

``--quick`` takes smaller databases and fewer repetitions: for trying a change, not for quoting.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import (
    context,
    export,
    faults,
    foundation,
    kept_memory,
    kill_service,
    kill_sync,
    knowledge_quality,
    library,
    own_computers,
    providers,
    quick_window,
    real_window,
    search,
    service_live,
    service_openai,
    service_reading,
    simulation,
    team_apply,
    team_attack,
    team_crowd,
    team_idle,
    team_latency,
    team_rls,
    team_transfer,
    team_window,
    tools,
    transcript,
    transfer,
    versions,
)
from tests.benchmarks.processes import ROOT
from tests.benchmarks.table import Row, printed, write

GROUPS: dict[str, Callable[[Path, bool], list[Row]]] = {
    "start": foundation.start_and_memory,
    "page": foundation.newest_page,
    "stream": foundation.streaming,
    "kill": foundation.killing,
    "power": foundation.losing_power,
    "open": transcript.opening,
    "scroll": transcript.scrolling,
    "artifacts": transcript.reading_artifacts,
    "answer": transcript.answering,
    "answer-x11": real_window.answering,
    "typing": transcript.typing,
    "quick-window": quick_window.showing,
    "hostile": transcript.hostile,
    "context": context.building,
    "summary": context.summarising,
    "versions": versions.switching,
    "search": search.searching,
    "index": search.keeping,
    "result": search.opening,
    "knowledge": knowledge_quality.measuring,
    "import": transfer.importing,
    "export": export.exporting,
    "kill-upkeep": export.killing,
    "library": library.many_threads,
    "own-computers": own_computers.carrying,
    "service-live": service_live.following,
    "service-openai": service_openai.asking,
    "tools": tools.calling,
    "tools-kill": tools.killing,
    "tools-start": tools.starting,
    "tools-window": tools.connecting,
    "service": service_reading.reading,
    "service-window": service_reading.beside_window,
    "settings": library.settings,
    "first-token": providers.first_token,
    "flood": providers.flood,
    "answers": providers.memory,
    "parallel": providers.parallel,
    "kept": kept_memory.keeping,
    "faults": faults.leaving,
    "team-window": team_window.arriving,
    "team-apply": team_apply.applying,
    "team-latency": team_latency.appearing,
    "team-transfer": team_transfer.transferring,
    "team-idle": team_idle.idling,
    "team-crowd": team_crowd.crowding,
    "kill-service": kill_service.killing,
    "kill-sync": kill_sync.killing,
    "simulation": simulation.simulating,
    "team-rls": team_rls.row_level_security,
    "team-attack": team_attack.attacking,
}


def main() -> int:
    options = _options()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="chatdesk-bench-") as folder:
        for name in options.only or GROUPS:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            rows += GROUPS[name](Path(folder) / name, options.quick)
    print(printed(rows))
    write(rows, ROOT / "build" / "bench.json")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=tuple(GROUPS), action="append", help="may be given more than once")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
