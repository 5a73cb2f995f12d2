"""The team's PostgreSQL. The only package that speaks to it; everything else knows the port in ``sync.ports``."""
