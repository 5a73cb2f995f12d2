"""Finds the model that its vendor names in the place of one that is gone, or those that are most like it."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import Sequence

from chatdesk.core.errors import ProviderError, ProviderErrorKind
from chatdesk.core.paths import resources_dir
from chatdesk.core.texts import Text

_MOST_NEAREST = 3
_MOST_COMPARED = 5000


def nearest_models(model: str, names: Sequence[str]) -> list[str]:
    """Return up to three of ``names`` that are most like ``model``: its own family first, then by spelling."""
    family = model.rsplit("/", 1)[-1].split(":")[0].lower()
    close = difflib.get_close_matches(
        model.lower(), [each.lower() for each in names[:_MOST_COMPARED]], n=_MOST_NEAREST, cutoff=0.4
    )
    by_lower = {each.lower(): each for each in names}
    same = [each for each in names if family and family in each.lower()]
    return list(dict.fromkeys([*same, *(by_lower[each] for each in close)]))[:_MOST_NEAREST]


def successor_of(model: str, names: Sequence[str]) -> str:
    """Return the one of ``names`` that the vendor of a retired model names in its place; empty if there is none."""
    retired = json.loads((resources_dir() / "models.json").read_text(encoding="utf-8"))["retired"]["successors"]
    maker, _, name = model.lower().rpartition("/")
    successor = f"{maker}/{retired[name]}".lstrip("/") if name in retired else ""
    return next((each for each in names if successor and each.lower() == successor), "")


async def with_nearest(failure: ProviderError, model: str, listed: Sequence[str]) -> ProviderError:
    """Return the failure with the name of the successor or the nearest models, if ``model`` is gone and the list is
    known."""
    if failure.kind is not ProviderErrorKind.MODEL_NOT_FOUND or model in listed:
        return failure
    successor = await asyncio.to_thread(successor_of, model, listed)
    if successor:
        return ProviderError(
            failure.kind,
            Text("{model} was retired by the company that made it.", model=model),
            next_step=Text("Choose another model; that company names {successor} in its place.", successor=successor),
            details={**failure.details, "nearest": [successor]},
        )
    nearest = await asyncio.to_thread(nearest_models, model, listed)
    if not nearest:
        return failure
    return ProviderError(
        failure.kind,
        failure.what,
        next_step=Text("Choose another model; the nearest are {nearest}.", nearest=tuple(nearest)),
        details={**failure.details, "nearest": nearest},
    )
