"""A window that serves, while a program has a hundred answers written at once and hears all of them.

``service_window_probe DATA COUNT`` prints, as JSON, the slices of the window's thread (CPU and turns, ms) and how many
answers did not arrive whole. ``service_window_probe ask URL TOKEN COUNT`` is that program, a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Final

_QUESTION: Final = "/demo code"
_PATIENCE_S: Final = 300.0


def _window(data_dir: str, count: str) -> int:
    import chatdesk.ui  # noqa: F401 - it imports PySide, as in the program, before the probe does
    from chatdesk.app import run_window
    from chatdesk.core.paths import AppPaths
    from chatdesk.core.settings.schema import Settings
    from chatdesk.service.address_book import ServiceFiles
    from tests.benchmarks.loop_probe import LoopProbe
    from tests.helpers.waiting import until

    paths = AppPaths.find(data_dir)

    async def measure(application: Any) -> int:
        services = await application.services()
        await until(lambda: services.service_switch is not None and services.service_switch.state.is_on)
        url, token = services.service_switch.state.urls[0], ServiceFiles.of(paths).owner_token.read_text("utf-8")
        await asyncio.sleep(2)  # a start has things to do behind the window
        with LoopProbe() as probe:
            asking = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.benchmarks.service_window_probe", "ask", url, token, count),
                stdout=asyncio.subprocess.PIPE,
            )
            said, _ = await asking.communicate()
        print(json.dumps({"cpu_ms": probe.cpu_ms, "turns_ms": probe.turns_ms, **json.loads(said)}))
        return 0

    return run_window(
        paths, Settings(service_on=True, offline_speed_tokens_per_s=100, model_titles=False), script=measure
    )


async def _ask(url: str, token: str, count: int) -> dict[str, Any]:
    import httpx2
    from websockets.asyncio.client import connect

    from tests.helpers.live_events import LiveClient, Mirror

    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=60) as http,
        connect(f"{url.replace('http', 'ws')}/api/v1/ws", additional_headers=headers, proxy=None, max_size=None) as ws,
    ):
        client = LiveClient(ws, Mirror())
        await client.take()
        threads = [(await http.post("/api/v1/threads", json={"title": "One"})).json()["id"] for _ in range(count)]
        answers = [
            (await client.do("SEND_MESSAGE", thread_id=each, text=_QUESTION))["result"]["answer"]["id"]
            for each in threads
        ]
        async with asyncio.timeout(_PATIENCE_S):
            await client.until(lambda: all(map(client.mirror.is_finished, answers)))
        kept = [(await http.get(f"/api/v1/messages/{each}")).json() for each in answers]
    texts = ["".join(part["text"] or "" for part in each["parts"] if part["type"] == "text") for each in kept]
    streamed = len(client.mirror.streamed)
    lost = sum(client.mirror.text(each) != text for each, text in zip(answers, texts, strict=True))
    return {"lost": lost, "characters": sum(map(len, texts)), "streamed": streamed}


if __name__ == "__main__":
    if sys.argv[1] == "ask":
        print(json.dumps(asyncio.run(_ask(sys.argv[2], sys.argv[3], int(sys.argv[4])))))
    else:
        sys.exit(_window(sys.argv[1], sys.argv[2]))
