"""A team in one process: a model of the server, real profiles in memory, a network that loses things. All by a seed."""
