"""A small project as a language model would write it: the script of the fake Gemini."""

import json
import re
from collections.abc import Mapping
from typing import Any

from agenticai_core.models import Impact, ProjectType
from agenticai_core.plans import Analysis, Entity, EntityField, Plan, PlannedFile

DESCRIPTION = "Keeps notes with a title and a text."
REQUEST = "Give each note a colour, red or blue, and let me list the notes of one colour."

MAIN = '''\
"""The notes service."""

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

app = FastAPI(title="Notes")
_notes: dict[int, "Note"] = {}


class NewNote(BaseModel):
    """What a client sends."""

    title: str = Field(min_length=1, max_length=100)
    text: str = ""


class Note(NewNote):
    """A stored note."""

    id: int


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/notes", status_code=201)
def create_note(new: NewNote) -> Note:
    note = Note(id=len(_notes) + 1, **new.model_dump())
    _notes[note.id] = note
    return note


@app.get("/notes/{note_id}")
def read_note(note_id: int) -> Note:
    if note_id not in _notes:
        raise HTTPException(404, "There is no such note.")
    return _notes[note_id]
'''

TESTS = '''\
"""Notes can be written and read."""

import pytest
from fastapi.testclient import TestClient

from app import main


@pytest.fixture
def client():
    main._notes.clear()
    return TestClient(main.app)


def test_health(client):
    assert client.get("/health").json() == {"status": "ok"}


def test_a_note_can_be_read_back(client):
    made = client.post("/notes", json={"title": "Milk", "text": "two litres"})
    assert made.status_code == 201
    found = client.get(f"/notes/{made.json()['id']}")
    assert found.json() == {"id": 1, "title": "Milk", "text": "two litres"}


def test_a_missing_note_is_not_found(client):
    assert client.get("/notes/7").status_code == 404


def test_a_title_is_needed(client):
    assert client.post("/notes", json={"title": ""}).status_code == 422
'''

FILES: Mapping[str, str] = {
    "requirements.txt": "fastapi>=0.115,<1\nuvicorn>=0.34,<1\n",
    "app/__init__.py": '"""The notes service."""\n',
    "app/main.py": MAIN,
    "tests/__init__.py": '"""Tests of the notes service."""\n',
    "tests/test_notes.py": TESTS,
    "README.md": "# Notes\n\nKeeps notes. Run it with `uvicorn app.main:app`.\n",
}
PACKAGE: Mapping[str, str] = {
    "Dockerfile": 'FROM python:3.11-slim\nCOPY . .\nUSER 1000\nCMD ["uvicorn", "app.main:app"]\n',
    ".dockerignore": "tests\n",
    "compose.yaml": "services:\n  notes:\n    build: .\n",
    "DEPLOYMENT.md": "# Deployment\n\n`docker compose up`\n",
}

_NOTE = Entity(
    name="Note",
    plural="notes",
    fields=(EntityField(name="title", type="string"), EntityField(name="text", type="text")),
)
PLAN = Plan(
    name="Notes",
    type=ProjectType.API,
    summary="A service that keeps notes.",
    stack=("FastAPI",),
    entities=(_NOTE,),
    files=tuple(PlannedFile(path=path, purpose=f"Holds {path}.") for path in FILES),
    assumptions=("Notes are kept in memory.",),
)
_COLOUR = EntityField(name="colour", type="enum", choices=("red", "blue"), default="red")
ANALYSIS = Analysis(
    impact=Impact(
        understood=True,
        summary="Notes get a colour, and can be listed by it.",
        affected_files=("app/main.py", "tests/test_notes.py"),
        new_files=("app/colours.py",),
        steps=("Add the colour", "Add the list", "Test both"),
        estimated_time="1 minute",
    ),
    plan=PLAN.model_copy(
        update={
            "entities": (_NOTE.model_copy(update={"fields": (*_NOTE.fields, _COLOUR)}),),
            "files": (PlannedFile(path="app/colours.py", purpose="The colours."), *PLAN.files),
        }
    ),
)
COLOURS = '''\
"""The colours that a note can have."""

from enum import StrEnum


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"
'''
EDITS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "app/main.py": (
        (
            "from pydantic import BaseModel, Field",
            "from pydantic import BaseModel, Field\n\nfrom app.colours import Colour",
        ),
        ('    text: str = ""', '    text: str = ""\n    colour: Colour = Colour.RED'),
        (
            '@app.get("/notes/{note_id}")',
            '@app.get("/notes")\ndef list_notes(colour: Colour) -> list[Note]:\n'
            "    return [note for note in _notes.values() if note.colour == colour]\n\n\n"
            '@app.get("/notes/{note_id}")',
        ),
    ),
    "tests/test_notes.py": (
        (
            '    assert found.json() == {"id": 1, "title": "Milk", "text": "two litres"}',
            '    assert found.json() == made.json() == {\n        "id": 1, "title": "Milk", '
            '"text": "two litres", "colour": "red"\n    }\n\n\n'
            "def test_notes_are_listed_by_colour(client):\n"
            '    client.post("/notes", json={"title": "Milk"})\n'
            '    client.post("/notes", json={"title": "Sky", "colour": "blue"})\n'
            '    blue = client.get("/notes", params={"colour": "blue"}).json()\n'
            '    assert [note["title"] for note in blue] == ["Sky"]',
        ),
    ),
}

_TASK = re.compile(r"^Task: (\w+)$", re.MULTILINE)
_NONCE = re.compile(r'^<<<FILE ([0-9a-f]+) path="', re.MULTILINE)
_PATH = re.compile(
    r"^(?:Write one file of a planned project|Write one file that is needed[^:]*"
    r"|The project is written[^:]*|A change to an existing project[^:]*): (\S+)$",
    re.MULTILINE,
)


def asked_for(prompt: str) -> tuple[str, str]:
    """The task of a rendered prompt, and the file that it is about or ""."""
    return _TASK.findall(prompt)[0], next(iter(_PATH.findall(prompt)), "")


def answer(prompt: str) -> str:
    """What a good model says to a rendered prompt; `LookupError` for one it does not know."""
    task, path = asked_for(prompt)
    if task == "plan":
        return PLAN.model_dump_json()
    if task == "analyze":
        return ANALYSIS.model_dump_json()
    if task == "diagnose":
        return json.dumps({"cause": "A missing note is a 404.", "paths": ["app/main.py"]})
    nonce = _NONCE.findall(prompt)[0]
    if task == "repair":
        return _file(nonce, "app/main.py", MAIN)
    if task == "apply" and path in EDITS:
        return f"I change {path}.\n\n" + _edit(nonce, path)
    files: dict[str, Any] = {
        "generate": FILES,
        "package": PACKAGE,
        "apply": {"app/colours.py": COLOURS},
    }
    return _file(nonce, path, files[task][path])


def answer_with_a_bug(prompt: str) -> str:
    """The same, but the service that is first generated fails one of its tests."""
    reply = answer(prompt)
    wrong = "Task: generate" in prompt and 'path="app/main.py"' in reply
    return reply.replace("404", "400") if wrong else reply


def _file(nonce: str, path: str, text: str) -> str:
    return f'<<<FILE {nonce} path="{path}">>>\n{text}<<<END {nonce}>>>\n'


def _edit(nonce: str, path: str) -> str:
    pairs = "".join(
        f"<<<SEARCH {nonce}>>>\n{old}\n<<<REPLACE {nonce}>>>\n{new}\n" for old, new in EDITS[path]
    )
    return f'<<<EDIT {nonce} path="{path}">>>\n{pairs}<<<END {nonce}>>>\n'
