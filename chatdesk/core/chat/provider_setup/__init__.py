"""Sets up providers and their keys for the window and scripts."""
