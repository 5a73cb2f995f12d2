"""The team's PostgreSQL: the only package that connects to it; everything else uses the interface in ``sync.ports``."""
