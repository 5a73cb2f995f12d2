"""The palette, one box to search for everything: messages, threads, projects, tags, files and commands."""
