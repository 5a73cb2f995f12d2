"""Holds texts of ours that a provider's model for embeddings is tried with, before it gets any text of a person."""

from __future__ import annotations

from typing import Final

# Texts about different things, which tell how near such texts come; the first also tells whether a model is still the
# same one. Nothing else is sent before a person has agreed.
PROBES: Final = (
    "The ferry to the island leaves at seven in the morning.",
    "A list keeps its elements in the order in which they were added.",
    "Knead the dough and let it rest for an hour.",
    "The tenant pays the deposit in three monthly parts.",
    "Mitochondria produce most of the energy of a cell.",
    "The orchestra opens its season with a symphony by Mahler.",
    "Turn the valve a quarter to the left and wait until the pressure has fallen.",
    "The committee elected a new treasurer.",
)
