"""The worker: four agents as Celery tasks over SQS."""
