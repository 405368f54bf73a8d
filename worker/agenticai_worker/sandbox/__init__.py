"""Running generated code: its own process, limits, and nothing of ours within reach."""
