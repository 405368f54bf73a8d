"""Language models behind one port: gemini, the built-in template engine, and replay."""
