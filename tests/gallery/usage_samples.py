"""What a thread took, and the dialog for parameters."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from chatdesk.core.domain.model_info import Ability, ModelInfo
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.usage import UsageReport, UsageRow, UsageSum
from chatdesk.ui.features.chat.parameters import ParametersDialog
from chatdesk.ui.features.inspector.usage_tab import UsageTab
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.window.inspector import Inspector

_HEIGHT_PX = 480
_REPORT = UsageReport(
    (
        UsageRow("answer", "openai", "gpt-4o", UsageSum(12, 123_400, 8_204, 10_240, 0, 0.3412)),
        UsageRow("answer", "openai", "a-model-with-a-long-name:70b", UsageSum(2, 3_400, 804, 0, 200, 0, 2, 2)),
        UsageRow("summary", "openai", "gpt-4o", UsageSum(1, 9_400, 604, 0, 0, 0.02954)),
        UsageRow("title", "openai", "gpt-4o", UsageSum(1, 400, 7, 0, 0, 0.000_04)),
    )
)
_THINKS = frozenset({Ability.REASONING, Ability.TOOLS})


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("inspector-usage", _usage(theme, _REPORT)),
        ("inspector-usage-empty", _usage(theme, None)),
        ("parameters", _parameters(theme, frozenset(Ability))),
        ("parameters-reasoning", _parameters(theme, _THINKS)),
        ("parameters-wrong", _wrong(theme)),
    ]


def _usage(theme: Theme, report: UsageReport | None) -> Inspector:
    inspector, tab = Inspector(theme), UsageTab(theme)
    inspector.add_tab("Usage", tab)
    tab.show_report(report)
    inspector.resize(inspector.maximumWidth(), _HEIGHT_PX)
    return inspector


def _parameters(theme: Theme, abilities: frozenset[Ability]) -> ParametersDialog:
    wider = Parameters(top_p=0.9, reasoning_effort="low", stop=("END",))
    info = ModelInfo("m", "Model", 32_000, 4_096, abilities=abilities)
    return ParametersDialog(theme, Parameters(temperature=0.7), wider, info=info, scope="thread", name="Thread")


def _wrong(theme: Theme) -> ParametersDialog:
    dialog = _parameters(theme, frozenset(Ability))
    dialog.findChild(QLineEdit, "parameter_temperature").setText("hot")
    dialog.apply()
    return dialog
