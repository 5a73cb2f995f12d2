"""Kills a process that serves again and again in the middle of writes, and counts what is lost or there twice."""

from __future__ import annotations

import json
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2

from tests.helpers.served_process import serving

THREADS = "/api/v1/threads"


@dataclass(frozen=True)
class KilledWrites:
    """How many notes were acknowledged, and what became of all that were sent: ``lost`` after they were acknowledged or
    repeated, ``doubled``, or ``unknown``, which nobody sent."""

    acknowledged: int
    lost: int
    doubled: int
    unknown: int


def kill_while_writing(data_dir: Path, *, rounds: int, seed: int = 4711) -> KilledWrites:
    """Kill the service at some moment of a write, start it again and repeat what had no answer, ``rounds`` times."""
    chance = random.Random(seed)
    ids: dict[str, str] = {}
    acknowledged = 0
    thread_id = ""
    for number in range(rounds):
        with serving(data_dir) as service, service.client() as http:
            if not thread_id:
                thread_id = http.post(THREADS, json={"title": "Notes"}).json()["id"]
            for text in [text for text, note_id in ids.items() if not note_id]:
                ids[text] = _note(http, thread_id, text)
            end_s = time.monotonic() + chance.uniform(0.05, 0.4)
            while time.monotonic() < end_s:
                text = f"note {number} {len(ids)}"
                ids[text] = _note(http, thread_id, text)
                acknowledged += 1
            text = f"cut off {number}"
            ids[text] = ""
            _begin_note(http, thread_id, text)
            time.sleep(chance.uniform(0, 0.02))
            service.process.kill()
    with serving(data_dir) as service, service.client() as http:
        # Also those that were acknowledged, as a client does that forgot.
        others = sum(_note(http, thread_id, text) not in ("", note_id) for text, note_id in ids.items() if note_id)
        for text in [text for text, note_id in ids.items() if not note_id]:
            _note(http, thread_id, text)
        found = Counter(_kept(http, thread_id))
    return KilledWrites(
        acknowledged,
        lost=sum(text not in found for text in ids),
        doubled=others + sum(count - 1 for count in found.values()),
        unknown=sum(text not in ids for text in found),
    )


def _kept(http: httpx2.Client, thread_id: str) -> Iterator[str]:
    before: dict[str, str] = {}
    while True:
        page = http.get(f"{THREADS}/{thread_id}/messages", params={"limit": 500, **before}).json()
        yield from (each["parts"][0]["text"] for each in page["messages"])
        if not page["has_older"]:
            return
        before = {"before": page["messages"][0]["id"]}


def _note(http: httpx2.Client, thread_id: str, text: str) -> str:
    found = http.post(f"{THREADS}/{thread_id}/notes", json={"text": text}, headers={"idempotency-key": _key(text)})
    assert found.status_code == 201, found.text
    return str(found.json()["id"])


def _begin_note(http: httpx2.Client, thread_id: str, text: str) -> None:
    """Send a note and wait for no answer."""
    body = json.dumps({"text": text}).encode()
    url = httpx2.URL(http.base_url)
    connection = socket.create_connection((url.host, url.port or 80))
    head = (
        f"POST {THREADS}/{thread_id}/notes HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n"
        f"Authorization: {http.headers['authorization']}\r\nIdempotency-Key: {_key(text)}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    connection.close()


def _key(text: str) -> str:
    return text.replace(" ", "-")
