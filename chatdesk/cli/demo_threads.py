"""Makes up threads that look like a person's, as a document in ChatDesk's own JSON (docs/export-format.md), piece by
piece. The same seed and count give the same words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from chatdesk.core.ids import id_of_moment

MOST_MESSAGES: Final = 1_000_000
# The longest thread, so that one conversation stays below what an import reads.
_MOST_IN_THREAD: Final = 20_000
_SHARE_OF_LONGEST, _USUAL_LENGTH, _ASKED_AGAIN = 0.3, 14, 0.08
_MINUTE_MS, _DAY_MS = 60_000, 86_400_000
_DAYS: Final = 400
_PROJECTS: Final = (("Work", "blue"), ("Home", "green"), ("Research", "violet"))
_TAGS: Final = ("api", "cooking", "paper", "python", "sql", "travel")
_MODELS: Final = (("openai", "gpt-5"), ("anthropic", "claude-sonnet-4-5"), ("ollama", "llama3.3:70b"))


@dataclass(frozen=True, slots=True)
class _Subject:
    """A subject of threads: its project (a place in ``_PROJECTS``), its tag, and the things that are asked about."""

    title: str
    project: int
    tag: str
    things: tuple[str, ...]
    code: str = ""


_SUBJECTS: Final = (
    _Subject(
        "Row-level security for shared projects",
        0,
        "sql",
        ("a policy for readers", "the group role", "an index for the policy", "the order of migrations"),
        "```sql\ncreate policy member_reads on messages\n  for select using (project_id = any (my_projects()));\n```",
    ),
    _Subject(
        "Retry with jitter in the API client",
        0,
        "api",
        ("the back-off", "Retry-After as a date", "a circuit breaker", "the idempotency key"),
        "```python\nasync def wait(attempt: int) -> None:\n    await asyncio.sleep(2**attempt * random.random())\n```",
    ),
    _Subject(
        "Why is this pandas merge slow?",
        0,
        "python",
        ("the dtype of the key", "a category column", "an index join", "polars instead"),
        "```python\nleft = left.set_index('id')\nmerged = left.join(right.set_index('id'))\n```",
    ),
    _Subject(
        "Sourdough in a cold kitchen",
        1,
        "cooking",
        ("the hydration", "a longer bulk rise", "the oven without steam", "rye in the starter"),
    ),
    _Subject(
        "Four days in Lisbon",
        1,
        "travel",
        ("a day in Sintra", "trains from Porto", "places for children", "the museum passes"),
    ),
    _Subject(
        "Reading notes: consensus protocols",
        2,
        "paper",
        ("the leader's lease", "reads from a follower", "what a quorum promises", "clock skew"),
        "```text\nfollower → candidate: election timeout\ncandidate → leader: votes of a majority\n```",
    ),
    _Subject(
        "Bayesian A/B test for small samples",
        2,
        "paper",
        ("the prior", "when to stop", "the loss of a wrong choice", "how to report it"),
    ),
)
_QUESTIONS: Final = (
    "What about {thing}?",
    "Can you explain {thing} with an example?",
    "I tried {thing}, and it got worse. Why?",
    "Compare {thing} with {other}.",
    "Shorter, please: what matters about {thing}?",
    "Is {thing} still worth it if I only have an hour?",
)
_OPENINGS: Final = (
    "In short: **{thing}** decides most of it.",
    "That depends on {other}, but usually {thing} is the better place to begin.",
    "Two things are mixed up here, {thing} and {other}.",
    "Yes. {Thing} is worth it, with one exception.",
)
_MIDDLES: Final = (
    "Three steps:\n\n1. Look at {thing} as it is now.\n2. Change {other}, and nothing else.\n3. Measure again, twice.",
    "| | {thing} | {other} |\n|---|---|---|\n| effort | low | medium |\n| gain | clear | depends |",
    "- {thing}: begin here\n- {other}: later, if at all\n- everything else: leave it alone",
    "The cost grows as $O(n \\log n)$ with {thing}, and linearly with {other}.",
    "> What cannot be measured about {thing} cannot be improved by {other}.",
)
_ENDS: Final = (
    "If that does not help, show me what you have, and I will look at {other}.",
    "I would stop there, and only come back to {other} when it hurts.",
    "Shall I go on with {other}?",
)


class DemoThreads:
    """Made-up threads with ``messages`` messages in all, the newest of them at ``now_ms``."""

    def __init__(self, messages: int, *, now_ms: int, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - made-up words are no secret
        self._now_ms = now_ms
        self._sizes = self._lengths(messages)
        self._order = self._random.sample(_SUBJECTS, len(_SUBJECTS))
        self._made = 0
        start = now_ms - _DAYS * _DAY_MS
        self._projects = [
            {"id": self._id(start), "name": name, "colour": colour, "created_at": start} for name, colour in _PROJECTS
        ]
        self._tags = [{"id": self._id(start), "name": name, "created_at": start} for name in _TAGS]

    def document(self) -> Iterator[str]:
        """Yield the document in pieces, a thread each."""
        head = {
            "format": "chatdesk",
            "format_version": 2,
            "scope": "threads",
            "projects": self._projects,
            "tags": self._tags,
        }
        yield json.dumps(head)[:-1] + ', "threads": ['
        for place, size in enumerate(self._sizes):
            yield (", " if place else "") + json.dumps(self._thread(place, size))
        yield "]}"

    def _lengths(self, messages: int) -> list[int]:
        """Return the lengths of threads: a long one, then many short ones."""
        longest = min(int(messages * _SHARE_OF_LONGEST), _MOST_IN_THREAD)
        sizes = [longest] if longest > _USUAL_LENGTH else []
        left = messages - sum(sizes)
        while left:
            size = min(left, 2 * self._random.randint(1, _USUAL_LENGTH))
            sizes.append(size)
            left -= size
        return sizes

    def _thread(self, place: int, size: int) -> dict[str, Any]:
        subject = self._order[place % len(self._order)]
        # The first thread is the one that goes on until now; the others end on the days before, the nearer the more.
        end = self._now_ms - (0 if place == 0 else int(_DAYS * _DAY_MS * 0.9 * self._random.random() ** 2))
        step = min(3 * _MINUTE_MS, _DAYS * _DAY_MS // 20 // size)
        start = end - step * size
        messages = list(self._messages(subject, size, start, step))
        thread = {
            "id": self._id(start),
            "project_id": self._projects[subject.project]["id"],
            "title": subject.title if place % 3 == 1 else f"{subject.title}: {self._random.choice(subject.things)}",
            "title_source": "model",
            "created_at": start,
            "last_activity_at": messages[-1]["created_at"],
            "current_leaf_id": messages[-1]["id"],
            "tags": [each["id"] for each in self._tags if each["name"] == subject.tag],
        }
        if place % 17 == 1:
            thread["pinned_at"] = end
        elif place % 11 == 5:
            thread["archived_at"] = end
        elif place % 23 == 9:
            thread["deleted_at"] = end
        return {**thread, "messages": messages}

    def _messages(self, subject: _Subject, size: int, start_ms: int, step_ms: int) -> Iterator[dict[str, Any]]:
        """Yield questions and answers in turn; now and then an answer has an earlier version beside it."""
        parent, question, asked, count, at = "", "", "", 0, start_ms
        by = self._random.choice(_MODELS)
        while count < size:
            words = self._words(subject)
            is_last = count + 1 == size
            if not question and not (is_last and asked):
                message = self._message("user", at, parent, self._random.choice(_QUESTIONS).format(**words))
                parent = question = asked = message["id"]
            else:
                message = self._answer(subject, words, at, question or asked, by)
                parent = message["id"]
                # Now and then it is asked again; and no thread ends with a question where an answer has room.
                if is_last or self._random.random() >= _ASKED_AGAIN:
                    question = ""
            yield message
            count, at = count + 1, at + step_ms

    def _answer(
        self, subject: _Subject, words: dict[str, str], at_ms: int, parent: str, by: tuple[str, str]
    ) -> dict[str, Any]:
        pieces = [self._random.choice(_OPENINGS), *self._random.sample(_MIDDLES, self._random.randint(1, 2))]
        text = "\n\n".join(each.format(**words) for each in (*pieces, self._random.choice(_ENDS)))
        if subject.code and self._random.random() < 0.3:
            text += f"\n\n{subject.code}"
        tokens = len(text) // 4
        return {
            **self._message("assistant", at_ms, parent, text),
            "provider": by[0],
            "model": by[1],
            "prompt_tokens": 400 + self._random.randint(0, 4_000),
            "completion_tokens": tokens,
            "latency_ms": 15 * tokens,
            "time_to_first_token_ms": self._random.randint(200, 900),
            "finish_reason": "stop",
        }

    def _message(self, role: str, at_ms: int, parent: str, text: str) -> dict[str, Any]:
        message = {
            "id": self._id(at_ms),
            "role": role,
            "status": "complete",
            "created_at": at_ms,
            "completed_at": at_ms + 2_000,
            "parts": [{"index": 0, "type": "text", "content": {"text": text}}],
        }
        return {**message, "parent_id": parent} if parent else message

    def _words(self, subject: _Subject) -> dict[str, str]:
        thing, other = self._random.sample(subject.things, 2)
        return {"thing": thing, "other": other, "Thing": thing[0].upper() + thing[1:]}

    def _id(self, at_ms: int) -> str:
        self._made += 1
        return id_of_moment(at_ms << 12 | self._made % 4096)
