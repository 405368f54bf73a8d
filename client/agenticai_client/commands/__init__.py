"""The commands of `agenticai`, by what they are about."""
