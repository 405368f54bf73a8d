"""Copies of an environment's table and bucket, and the way back."""
