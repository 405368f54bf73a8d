"""Run it with ``uvicorn service.main:app``."""

from service.application import create_app
from service.logs import configure_logs

configure_logs()
app = create_app()
