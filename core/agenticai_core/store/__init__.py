"""The durable store: a port over one table, with a DynamoDB and a memory adapter."""
