"""File storage: a port with an S3 and a memory adapter."""
