"""Rows of ``/v1`` of the local service: the first token, and what 20,000 of them cost, beside the provider itself. The
provider, the service and those who ask are processes of their own."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Final

from openai import OpenAI

from tests.benchmarks.providers import curl_ms, provider_server
from tests.benchmarks.table import Row, against
from tests.helpers.served_process import ServedProcess, serving

_MOST_BEHIND_MS: Final = 5.0


def asking(folder: Path, is_quick: bool) -> list[Row]:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        provider_server() as vendor,
        serving(folder, {"OPENAI_API_KEY": "no-key-needed", "OPENAI_BASE_URL": vendor}) as service,
    ):
        return [*_first_token(vendor, service, 10 if is_quick else 60), *_flood(vendor, service, is_quick)]


def _first_token(vendor: str, service: ServedProcess, count: int) -> list[Row]:
    """From the provider's socket to the caller, and from the request on: in turns, so that both meet the same load."""
    direct, through = [], []
    for _ in range(count + 2):
        direct.append(curl_ms(vendor))
        through.append(curl_ms(f"{service.url}/v1", "openai/stamp", service.token))
    rows = []
    for name, index in (("from the provider's socket", 0), ("from the request", 1)):
        direct_ms, through_ms = (statistics.median(each[index] for each in found[2:]) for found in (direct, through))
        behind_ms = through_ms - direct_ms
        goal = f"at most {_MOST_BEHIND_MS:.0f} ms more than curl to the provider"
        title = f"first token through /v1, {name} (median)"
        rows.append(Row(title, behind_ms, "ms", goal, behind_ms <= _MOST_BEHIND_MS, direct_ms, through_ms / direct_ms))
    return rows


def _flood(vendor: str, service: ServedProcess, is_quick: bool) -> list[Row]:
    count = 4_000 if is_quick else 20_000
    model = f"mixed-{count}-0"
    direct_s, chat_s, responses_s = [], [], []
    with (
        OpenAI(api_key="none", base_url=vendor) as direct,
        OpenAI(api_key=service.token, base_url=f"{service.url}/v1") as asked,
    ):
        for _ in range(2 if is_quick else 4):
            began_s = time.process_time()
            whole = _read_chat(direct, model)
            direct_s.append(time.process_time() - began_s)
            began_s = service.cpu_s
            assert _read_chat(asked, f"openai/{model}") == whole
            chat_s.append(service.cpu_s - began_s)
            began_s = service.cpu_s
            assert _read_response(asked, f"openai/{model}") == whole
            responses_s.append(service.cpu_s - began_s)
    bare_s = statistics.median(direct_s[1:])
    return [
        against(
            f"{count:,} tokens at full speed through {path}, CPU of the service",
            statistics.median(found[1:]),
            bare_s,
            unit="s",
            most=2.0,
            goal="at most 2 times the SDK that reads the provider",
        )
        for path, found in (("chat/completions", chat_s), ("responses", responses_s))
    ]


def _read_chat(client: OpenAI, model: str) -> str:
    stream = client.chat.completions.create(model=model, messages=[{"role": "user", "content": "Go"}], stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def _read_response(client: OpenAI, model: str) -> str:
    stream = client.responses.create(model=model, input="Go", stream=True)
    return "".join(event.delta for event in stream if event.type == "response.output_text.delta")
