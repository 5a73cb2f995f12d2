"""Carries a person's own projects between their computers through a folder; ``docs/computers-format.md``."""
