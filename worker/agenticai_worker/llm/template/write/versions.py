"""The versions that generated projects pin: those of the environment their tests run in.

A test compares them with the lock of that environment.
"""

RUNTIME = {
    "fastapi": "0.165.0",
    "pydantic": "2.14.3",
    "pydantic-settings": "2.16.3",
    "sqlalchemy": "2.1.9",
    "uvicorn": "0.54.0",
}
AUTH = {"pyjwt": "2.15.1"}
TESTING = {"httpx2": "2.16.2", "pytest": "9.2.0", "pytest-cov": "7.1.0"}
