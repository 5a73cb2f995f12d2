"""The usage page with months of work, by its groupings, and the dialog for limits."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.core.domain.limits import LimitPeriod, LimitScope, LimitUnit, UsageLimit
from chatdesk.core.domain.usage import UsageCell, UsageSum
from chatdesk.core.usage.overview import Grouping
from chatdesk.ui.features.usage.limits import LimitsDialog, LimitTarget
from chatdesk.ui.features.usage.page import UsageDialog, UsagePage
from chatdesk.ui.theme.theme import Theme

_TODAY = 20_778
_MODELS = (("openai", "gpt-4o"), ("openai", "gpt-5.4-mini"), ("ollama", "a-model-with-a-long-name:70b"))


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    samples: list[tuple[str, QWidget]] = []
    for grouping in ("day", "model", "project", "kind"):
        dialog = usage(theme, cells())
        button = dialog.findChild(QPushButton, f"usageBy_{grouping}")
        assert button is not None
        button.click()
        samples.append((f"usage-by-{grouping}", dialog))
    focused = usage(theme, cells())
    focused.setProperty("focusOn", "usageChart")
    focused.setProperty("keys", [(Qt.Key.Key_End,)])
    samples.append(("usage-focused", focused))
    samples.append(("usage-nothing", usage(theme, ())))
    samples.append(("limits", limits(theme)))
    problem = limits(theme)
    problem.show_problem("“much” is not a number (Everything, tokens a day). Write it as 100000 or 2.50.")
    samples.append(("limits-problem", problem))
    return samples


def cells() -> tuple[UsageCell, ...]:
    """Thirty days of made-up work."""
    made = []
    for day in range(_TODAY - 29, _TODAY + 1):
        if day % 7 in (3, 4):
            continue
        for at, (provider, model) in enumerate(_MODELS):
            tokens = (day * 7_919 % 90 + 10) * 400 // (at + 1)
            is_known = provider == "openai"
            spent = UsageSum(
                day % 5 + 1, tokens, tokens // 4, tokens // 8, 0, tokens / 400_000 if is_known else 0.0,
                0 if is_known else 2, 0 if is_known else 2,
            )  # fmt: skip
            made.append(
                UsageCell(day, "answer", provider, model, f"p{day % 2}", ("Personal", "Research")[day % 2], spent)
            )
        made.append(UsageCell(day, "title", "openai", "gpt-4o", "p0", "Personal", UsageSum(1, 400, 9, 0, 0, 0.000_2)))
    return tuple(made)


def usage(theme: Theme, shown: tuple[UsageCell, ...]) -> UsageDialog:
    page = UsagePage(theme, today=_TODAY, first_day=_TODAY - 29)
    page.show_days(*page.days(), dict.fromkeys(Grouping, shown))
    return UsageDialog(theme, page)


def limits(theme: Theme) -> LimitsDialog:
    known = (
        (
            UsageLimit(LimitScope.ALL, LimitPeriod.DAY, LimitUnit.TOKENS, soft=80_000, hard=100_000),
            "81,204 tokens used",
        ),
        (
            UsageLimit(
                LimitScope.PROVIDER, LimitPeriod.MONTH, LimitUnit.MONEY, hard=20, target="openai", label="OpenAI"
            ),
            "$3.41 used",
        ),
    )
    targets = (
        LimitTarget(LimitScope.PROVIDER, "openai", "OpenAI"),
        LimitTarget(LimitScope.PROJECT, "p1", "Project Research"),
    )
    return LimitsDialog(theme, known, targets)
