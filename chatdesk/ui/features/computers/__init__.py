"""Shows and connects a person's own computers."""
