"""Setting up providers and their keys, as a window or a script asks for it."""
