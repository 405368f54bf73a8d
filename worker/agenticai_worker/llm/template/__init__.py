"""The built-in engine: reads a description without a language model and writes a project."""
