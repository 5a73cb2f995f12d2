"""Tests a provider step by step, within seconds, and describes in words which steps work.

The steps are read off two requests, the list of models and an answer of a few tokens: so they go exactly the way that
questions will go, proxies and certificates included.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from chatdesk.core.domain.message import Role
from chatdesk.core.domain.provider_check import Step, StepResult, StepState
from chatdesk.core.errors import ProviderError
from chatdesk.core.errors import ProviderErrorKind as Kind
from chatdesk.core.providers.accounts import Account
from chatdesk.core.providers.base import (
    ChatRequest,
    ListedModel,
    Provider,
    ReasoningDelta,
    RequestMessage,
    RetryScheduled,
    StreamFinished,
    TextDelta,
)
from chatdesk.core.providers.registry import provider_of
from chatdesk.core.providers.retry import RetryPolicy
from chatdesk.core.providers.stream_guard import StreamLimits
from chatdesk.core.settings.presets import address_of
from chatdesk.core.texts import Sentences, Text, plural

_LIMITS = StreamLimits(connect_s=5.0, first_byte_s=15.0, silence_s=10.0, total_s=25.0, list_models_s=8.0)
_TOTAL_S = 35.0
# Some vendors refuse a limit of one token, and models that think use up a few before the first word.
_ANSWER_TOKENS = 16
_UNREACHED = {Kind.NO_NETWORK, Kind.DNS, Kind.REFUSED, Kind.CONNECT_TIMEOUT}
_KEY_REFUSED = {Kind.UNAUTHORISED, Kind.NO_KEY}
# The key was taken, and then something else was in the way.
_BEYOND_KEY = {Kind.PAYMENT, Kind.RATE_LIMITED, Kind.CONTEXT_TOO_LONG, Kind.CONTENT_FILTER, Kind.EMPTY_ANSWER}


async def probe(account: Account) -> AsyncGenerator[StepResult, None]:
    """Yield the steps as they become known, each once as running and once with its result; steps after a failure are
    skipped. Closing the generator early ends the requests. Raises nothing."""
    profile = account.profile
    tested = replace(account, profile=replace(profile, connect_s=None, first_byte_s=None, silence_s=None))
    provider = provider_of(tested, _LIMITS, retry=RetryPolicy(longest_wait_s=0.0, max_attempts=1))
    steps = _Steps(account)
    try:
        async with asyncio.timeout(_TOTAL_S), aclosing(_probed(provider, account, steps)) as results:
            async for result in results:
                yield result
    except TimeoutError:
        for result in steps.fail(steps.first_open(), Text("This took too long.")):
            yield result
    finally:
        await provider.close()


async def _probed(provider: Provider, account: Account, steps: _Steps) -> AsyncGenerator[StepResult, None]:
    yield steps.running(Step.ADDRESS)
    models: tuple[ListedModel, ...] = ()
    has_list = True
    try:
        models = await provider.list_models()
    except ProviderError as error:
        if error.kind is not Kind.MODEL_NOT_FOUND:
            for result in steps.fail(_step_of(error), _failure_text(error)):
                yield result
            return
        has_list = False  # not every server has a list; one that answers is good enough
    for result in steps.reached():
        yield result
    if has_list:
        yield steps.done(
            Step.MODELS,
            StepState.OK,
            plural("{count} models are offered.", "{count} model is offered.", len(models)),
            models=len(models),
        )
    else:
        yield steps.done(Step.MODELS, StepState.SKIPPED, Text("This server has no list of models; type their names."))
    model = _model_to_ask(account, models)
    if not model:
        words = (
            Text("No model to ask: choose one, then test again.")
            if not has_list
            else Text("The server offers no model.")
        )
        for result in steps.fail(Step.STREAMING, words):
            yield result
        return
    yield steps.running(Step.STREAMING)
    problem = await _ask(provider, model)
    if problem is None or problem.kind in _BEYOND_KEY:
        yield steps.done(Step.KEY, *_key_result(account))
    if problem is None:
        yield steps.done(Step.STREAMING, StepState.OK, Text("{model} streams its answer.", model=model))
        return
    failed = _step_of(problem)
    for result in steps.fail(Step.KEY if failed is Step.KEY else Step.STREAMING, _failure_text(problem)):
        yield result


async def _ask(provider: Provider, model: str) -> ProviderError | None:
    """Read an answer up to its first piece; return the error if there is one."""
    messages = (RequestMessage(Role.USER, "Say: ok"),)
    request = ChatRequest(model, messages, max_output_tokens=_ANSWER_TOKENS)
    try:
        async with aclosing(provider.stream(request)) as events:
            async for event in events:
                if isinstance(event, TextDelta | ReasoningDelta | StreamFinished):
                    return None
                if isinstance(event, RetryScheduled):
                    break
    except ProviderError as error:
        # All of those few tokens went into thinking: the stream works.
        return None if error.kind is Kind.EMPTY_ANSWER and "length" in error.what else error
    return None


class _Steps:
    """Remembers which steps have a result."""

    def __init__(self, account: Account) -> None:
        self._is_secure = address_of(account.profile).startswith("https")
        self._ended: set[Step] = set()

    def running(self, step: Step) -> StepResult:
        return StepResult(step, StepState.RUNNING)

    def done(self, step: Step, state: StepState, text: str, models: int | None = None) -> StepResult:
        self._ended.add(step)
        return StepResult(step, state, text, models)

    def first_open(self) -> Step:
        return next((step for step in Step if step not in self._ended), Step.STREAMING)

    def reached(self) -> list[StepResult]:
        """Return the results that hold once the server has answered."""
        found = []
        if Step.ADDRESS not in self._ended:
            found.append(self.done(Step.ADDRESS, StepState.OK, Text("The server answers.")))
        if Step.TLS not in self._ended:
            state = StepState.OK if self._is_secure else StepState.SKIPPED
            words = (
                Text("The connection is encrypted.") if self._is_secure else Text("Not encrypted: the address is http.")
            )
            found.append(self.done(Step.TLS, state, words))
        return found

    def fail(self, step: Step, text: str) -> list[StepResult]:
        """Return the results after ``step`` failed: earlier steps as they must be, later ones skipped."""
        found = self.reached() if step not in (Step.ADDRESS, Step.TLS) else []
        if step is Step.TLS:
            found.append(self.done(Step.ADDRESS, StepState.OK, Text("The server answers.")))
        found.append(self.done(step, StepState.FAILED, text))
        found += [self.done(each, StepState.SKIPPED, "") for each in Step if each not in self._ended]
        return found


def _step_of(error: ProviderError) -> Step:
    if error.kind in _UNREACHED:
        return Step.ADDRESS
    if error.kind is Kind.TLS:
        return Step.TLS
    return Step.KEY if error.kind in _KEY_REFUSED else Step.MODELS


def _failure_text(error: ProviderError) -> str:
    status = error.details.get("status")
    sentence = Sentences.of(error.what, error.next_step)
    return Text("{status}: {sentence}", status=str(status), sentence=sentence) if status else sentence


def _key_result(account: Account) -> tuple[StepState, str]:
    if account.key.value:
        return StepState.OK, Text("The key is accepted.")
    return StepState.SKIPPED, Text("No key is needed.")


def _model_to_ask(account: Account, models: tuple[ListedModel, ...]) -> str:
    """Return a model that the person prefers, if it is listed; else the first of the list."""
    profile = account.profile
    listed = [model.id for model in models]
    wanted = [each for each in (profile.model, *profile.favourites) if each]
    return next((each for each in wanted if each in listed or not listed), "") or (listed[0] if listed else "")
