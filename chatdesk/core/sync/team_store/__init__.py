"""The team's PostgreSQL: the only package that connects to it; everything else calls ``TeamStore`` of ``postgres``."""
