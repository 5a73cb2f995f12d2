"""The box that finds everything: messages, threads, projects, tags, files and commands."""
