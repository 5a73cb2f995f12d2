"""Workspaces and the people in them: creating, joining, leaving, administering, and their passwords."""
