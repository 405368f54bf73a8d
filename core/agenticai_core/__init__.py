"""What the services of agenticai share: models, the durable store, the event log, use cases."""
