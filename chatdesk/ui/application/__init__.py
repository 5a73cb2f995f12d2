"""Builds the window, binds its panes to the services, and closes both again."""
