"""Consent to calls of a tool, by actions alone, with a model that calls one: ``screen_reader_consent.py PORT``.

Writes each step that succeeded. Runs on the system's Python, like the screen reader it uses.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from screen_reader_actions import Walk


class Model(BaseHTTPRequestHandler):
    """Calls the first tool that it is offered, then answers with what that gave."""

    def do_GET(self) -> None:
        self._send("application/json", json.dumps({"data": [{"id": "model"}]}))

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        last = asked["messages"][-1]
        if last["role"] == "tool" or not asked.get("tools"):
            delta: dict[str, Any] = {"content": f"I know: {str(last['content'])[:30]}"}
        else:
            call = {"name": asked["tools"][0]["function"]["name"], "arguments": '{"query": "zebra"}'}
            delta = {"tool_calls": [{"index": 0, "id": f"call{len(asked['messages'])}", "function": call}]}
        reason = "tool_calls" if "tool_calls" in delta else "stop"
        chunks = [{"choices": [{"delta": delta}]}, {"choices": [{"delta": {}, "finish_reason": reason}]}]
        self._send(
            "text/event-stream", "".join(f"data: {json.dumps(each)}\n\n" for each in chunks) + "data: [DONE]\n\n"
        )

    def log_message(self, *_words: object) -> None:
        pass

    def _send(self, kind: str, body: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


class ConsentWalk(Walk):
    def steps(self) -> tuple[Any, ...]:
        return (self.write_and_send, self.change_a_setting, self.deny, self.allow, self.quit)

    def deny(self) -> None:
        self.ask("look for zebra")
        self.reader.hear("waits for")
        self.do("push button", "^Deny")
        self.reader.hear("has answered")

    def allow(self) -> None:
        self.ask("look again")
        self.reader.hear("waits for")
        self.do("push button", "^Allow once")
        self.reader.hear("has answered")


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    ConsentWalk().go()
