"""Answers with a thought in each form that models write it, and what is outside of the fold."""

from typing import Final

GREETING: Final = "They greet."
# Each gives the thought folded and nothing but the words as the answer.
FOLDED: Final = {
    "<think>\nThey greet.\n</think>\n\nGood morning!": ["Good morning!"],
    "They greet.\n</think>\n\nGood morning!": ["Good morning!"],
    "They greet.</think>\nGood morning!": ["Good morning!"],
    "Sure.\n<think>They greet.</think>\nGood morning!": ["Sure.", "Good morning!"],
    "<|channel|>analysis<|message|>They greet.<|end|><|start|>assistant<|channel|>final<|message|>Good morning!": [
        "Good morning!"
    ],
    "<|channel|>commentary<|message|>They greet.<|end|>\n<|channel|>final<|message|>Good morning!": ["Good morning!"],
    "[THINK]They greet.[/THINK]Good morning!": ["Good morning!"],
    "<thought>\nThey greet.\n</thought>\n\nGood morning!": ["Good morning!"],
    "◁think▷They greet.◁/think▷Good morning!": ["Good morning!"],
    "<seed:think>They greet.</seed:think>Good morning!": ["Good morning!"],
    "<unused94>thought\nThey greet.<unused95>Good morning!": ["Good morning!"],
    "<reasoning>They greet.</reasoning>\n\nGood morning!": ["Good morning!"],
    "<|START_THINKING|>They greet.<|END_THINKING|><|START_RESPONSE|>Good morning!<|END_RESPONSE|>": ["Good morning!"],
}  # fmt: skip
