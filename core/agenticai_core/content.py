"""Immutable contents: objects by hash, trees as manifests, JSON documents.

An object is written once under its hash, so writing it again changes nothing, and a manifest
(path -> hash, size) is a whole tree. Readers go from a pointer to a manifest to its objects.
"""

import hashlib
from collections.abc import Mapping

from pydantic import BaseModel

from agenticai_core.files.base import Files
from agenticai_core.models import FileEntry, Manifest
from agenticai_core.paths import check_collisions, safe_path
from agenticai_core.store import keys


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put_object(files: Files, project_id: str, content: bytes) -> FileEntry:
    digest = sha256(content)
    files.put(keys.object_key(project_id, digest), content)
    return FileEntry(sha256=digest, size=len(content))


def put_document(files: Files, project_id: str, document: BaseModel) -> str:
    """Store a model as an immutable JSON object; returns its key."""
    content = document.model_dump_json().encode()
    key = keys.object_key(project_id, sha256(content))
    files.put(key, content, "application/json")
    return key


def put_plan(files: Files, project_id: str, plan: BaseModel) -> str:
    content = plan.model_dump_json(indent=1).encode()
    key = keys.plan_key(project_id, sha256(content))
    files.put(key, content, "application/json")
    return key


def put_manifest(files: Files, project_id: str, entries: Mapping[str, FileEntry]) -> str:
    """Store a tree; refuses unsafe and colliding paths. Returns the manifest's key."""
    check_collisions(entries)
    clean = {safe_path(path): entry for path, entry in sorted(entries.items())}
    return put_document(files, project_id, Manifest(files=clean))


def put_tree(files: Files, project_id: str, tree: Mapping[str, bytes]) -> str:
    """Store every file and the manifest over them; returns the manifest's key."""
    entries = {path: put_object(files, project_id, content) for path, content in tree.items()}
    return put_manifest(files, project_id, entries)


def read_manifest(files: Files, key: str) -> Manifest:
    return Manifest.model_validate_json(files.get(key))


def read_tree(files: Files, project_id: str, manifest: Manifest) -> dict[str, bytes]:
    """Every file's content by path."""
    return {
        path: files.get(keys.object_key(project_id, entry.sha256))
        for path, entry in manifest.files.items()
    }
