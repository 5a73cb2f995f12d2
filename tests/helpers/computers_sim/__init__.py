"""Histories of one person's computers, whose folder is carried by something that does all that can go wrong."""
