"""The command `prearc`: parses, calls, prints; the one place that wires the packages together."""
