"""What each file of a project is for, in a line."""

import re

_PURPOSES = (
    (r"main\.py", "Starts the application: uvicorn main:app"),
    (r"app/application\.py", "Puts the application together"),
    (r"app/config\.py", "Settings from environment variables"),
    (r"app/database\.py", "Engine, sessions, and the session of a request"),
    (r"app/errors\.py", "One JSON format for every error"),
    (r"app/rows\.py", "Finding, listing, storing and removing rows"),
    (r"app/auth\.py", "Users, passwords and tokens"),
    (r"app/request_log\.py", "One log line for each request"),
    (r"app/models/base\.py", "Base class and types of all tables"),
    (r"app/models/links\.py", "Tables that link two others"),
    (r"app/models/(\w+)_model\.py", "The table of a {0}"),
    (r"app/schemas/base\.py", "What all schemas share"),
    (r"app/schemas/(\w+)_schema\.py", "What callers send and get about a {0}"),
    (r"app/services/(\w+)_service\.py", "The rules of {0}"),
    (r"app/routers/health\.py", "Health check"),
    (r"app/routers/reports\.py", "Figures over the data"),
    (r"app/routers/auth\.py", "Registering and signing in"),
    (r"app/routers/(\w+)\.py", "The routes of {0}"),
    (r".*__init__\.py", "Marks a package"),
    (r"tests/conftest\.py", "A fresh application for each test"),
    (r"tests/samples\.py", "Valid values for the tests"),
    (r"tests/test_(\w+)\.py", "Tests of {0}"),
    (r"requirements\.txt", "Pinned dependencies"),
    (r"requirements-dev\.txt", "What the tests need besides"),
    (r"pytest\.ini", "How the tests run"),
    (r"\.gitignore", "What stays out of version control"),
    (r"README\.md", "What it is, how to run it, its routes and data"),
)


def purpose_of(path: str) -> str:
    for pattern, text in _PURPOSES:
        match = re.fullmatch(pattern, path)
        if match:
            return text.format(*(part.replace("_", " ") for part in match.groups()))
    return "Part of the project"
