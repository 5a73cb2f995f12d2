"""Shows search results as a list, in the sidebar and in the palette."""
