"""A service that tells others what happens in it."""
