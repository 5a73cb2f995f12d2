"""A window in which an answer streams while ten tool servers are set up and connect, because another chat needs them.

``tools_window_probe DATA`` prints, as JSON, the slices and turns of the window's thread in the meantime (ms of its
processor time), how long connecting took, and how many characters were shown in that time; and the slices while calls
of bad servers fail, which flood, die, give back 50 MB, and send what is no text.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any, Final

SERVERS: Final = 10
_BAD: Final = {"flood": "echo", "exit-in-call": "echo", "bad-bytes": "echo", "": "large"}
_PATIENCE_S: Final = 120


async def _script(application: Any) -> int:
    from chatdesk.core.domain.tools import ServerState
    from chatdesk.core.events import AnswerFinished, TextStreamed
    from tests.benchmarks.loop_probe import LoopProbe
    from tests.helpers.tools_world import server
    from tests.helpers.waiting import until

    services = await application.services()
    await asyncio.sleep(2)  # a start has things to do behind the window
    shown: list[int] = []
    finished: list[str] = []
    services.events.subscribe(TextStreamed, lambda event: shown.append(len(event.delta)))
    services.events.subscribe(AnswerFinished, lambda event: finished.append(event.message.id))
    composer = application.panes.composer
    composer.set_text("/demo long")
    composer.send_button.click()
    async with asyncio.timeout(_PATIENCE_S):
        await until(lambda: sum(shown) > 500)
        began_s, before = time.monotonic(), sum(shown)
        with LoopProbe() as probe:
            tools = await services.tools.load()
            for number in range(SERVERS):
                await tools.save(server(server_id=f"s{number}"))
            # An answer that has tools waits for the servers of all of them.
            created = await services.chat.create_thread(None, "", "/demo code")
            await until(lambda: sum(each.state is ServerState.READY for each in tools.statuses()) == SERVERS)
        connected_s, characters = time.monotonic() - began_s, sum(shown) - before
        still_streams = not finished
        await until(lambda: created.answer.id in finished)
        with LoopProbe() as bad_probe:
            failures = await asyncio.gather(*(_fail(tools, *each) for each in _BAD.items()))
            bad_streams = not set(finished) - {created.answer.id}
    found = {"slices_ms": probe.cpu_ms, "turns_ms": probe.turns_ms, "connected_s": connected_s}
    bad = {"bad_slices_ms": bad_probe.cpu_ms, "bad_streams": bad_streams, "failures": failures}
    print(json.dumps({**found, **bad, "characters": characters, "still_streams": still_streams}))
    return 0


async def _fail(tools: Any, how: str, name: str) -> str:
    """Call a bad server. Returns the words of its failure."""
    from chatdesk.core.errors import ChatDeskError
    from tests.helpers.tools_world import CALLER, server

    bad = server(how, server_id=f"bad-{how or 'large'}")
    await tools.save(bad)
    try:
        await tools.call(bad, name, {"size": 50_000_000}, caller=CALLER, timeout_s=30)
    except ChatDeskError as error:
        return error.sentence
    return ""


if __name__ == "__main__":
    import chatdesk.ui  # noqa: F401 - it imports PySide, as in the program, before the probe does
    from chatdesk.app import run_window
    from chatdesk.core.paths import AppPaths
    from chatdesk.core.settings.schema import Settings

    settings = Settings(offline_speed_tokens_per_s=100, model_titles=False)
    sys.exit(run_window(AppPaths.find(sys.argv[1]), settings, script=_script))
