"""Secret values: a port with a Parameter Store and a memory adapter."""
