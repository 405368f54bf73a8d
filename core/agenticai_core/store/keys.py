"""Every key string of the table, and nothing else (see docs/access-patterns.md)."""

import zlib

from agenticai_core.store.base import Key

STATUS_SHARDS = 10
DUE_SHARDS = 4


def project_pk(project_id: str) -> str:
    return f"PROJECT#{project_id}"


def project(project_id: str) -> Key:
    return Key(project_pk(project_id), "METADATA")


def head(project_id: str) -> Key:
    return Key(project_pk(project_id), "HEAD")


def task(project_id: str, task_id: str) -> Key:
    return Key(project_pk(project_id), f"TASK#{task_id}")


def modification(project_id: str, modification_id: str) -> Key:
    return Key(project_pk(project_id), f"MOD#{modification_id}")


def revision(project_id: str, number: int) -> Key:
    return Key(project_pk(project_id), f"REV#{number:06d}")


def file(project_id: str, path: str) -> Key:
    return Key(project_pk(project_id), f"FILE#{path}")


def event_sk(seq: int) -> str:
    return f"EVENT#{seq:012d}"


def event(project_id: str, seq: int) -> Key:
    return Key(project_pk(project_id), event_sk(seq))


def api_key(sha256: str) -> Key:
    return Key(f"APIKEY#{sha256}", "METADATA")


def idempotency(owner_id: str, route: str, key_sha256: str) -> Key:
    return Key(f"IDEMPOTENCY#{owner_id}#{route}#{key_sha256}", "METADATA")


def ticket(sha256: str) -> Key:
    return Key(f"TICKET#{sha256}", "METADATA")


def cursor(owner_id: str, client_id: str, project_id: str) -> Key:
    return Key(f"CLIENT#{owner_id}#{client_id}", f"CURSOR#{project_id}")


def template_pk(template_id: str) -> str:
    return f"TEMPLATE#{template_id}"


def template(template_id: str) -> Key:
    return Key(template_pk(template_id), "METADATA")


def template_file(template_id: str, path: str) -> Key:
    return Key(template_pk(template_id), f"FILE#{path}")


def builtin_templates() -> Key:
    """Which built-in templates the table holds."""
    return Key("BUILTIN#templates", "METADATA")


def lease(name: str) -> Key:
    return Key(f"LEASE#{name}", "METADATA")


def owner_pk(owner_id: str) -> str:
    return f"OWNER#{owner_id}"


def usage(owner_id: str, month: str) -> Key:
    """What an owner has used in a month (``yyyy-mm``)."""
    return Key(owner_pk(owner_id), f"USAGE#{month}")


def project_usage(owner_id: str, month: str, project_id: str) -> Key:
    """What an owner's project has used in a month; its key begins with the month's own."""
    return Key(owner_pk(owner_id), f"USAGE#{month}#{project_id}")


def holding(owner_id: str, kind: str) -> Key:
    """How many things of a kind an owner has."""
    return Key(owner_pk(owner_id), f"HOLDING#{kind}")


def audit(owner_id: str, at: str, entry_id: str) -> Key:
    """One deed of an owner, by time."""
    return Key(owner_pk(owner_id), f"AUDIT#{at}#{entry_id}")


def instances_pk(service: str) -> str:
    return f"INSTANCE#{service}"


def instance(service: str, instance_id: str) -> Key:
    return Key(instances_pk(service), instance_id)


def by_owner(owner_id: str, created_at: str, project_id: str) -> dict[str, str]:
    """GSI1 of a project: an owner's projects by time of creation."""
    return {"GSI1PK": owner_pk(owner_id), "GSI1SK": f"PROJECT#{created_at}#{project_id}"}


def templates_of(owner_id: str, created_at: str, template_id: str) -> dict[str, str]:
    """GSI1 of a template: an owner's templates by time of creation."""
    return {"GSI1PK": owner_pk(owner_id), "GSI1SK": f"TEMPLATE#{created_at}#{template_id}"}


def _shard(text: str, shards: int) -> int:
    return zlib.crc32(text.encode()) % shards


def by_status(status: str, project_id: str) -> dict[str, str]:
    """GSI2 of a project: sharded, because one hot status would throttle the base table."""
    shard = _shard(project_id, STATUS_SHARDS)
    return {"GSI2PK": f"STATUS#{status}#{shard}", "GSI2SK": f"PROJECT#{project_id}"}


def due_pk(shard: int) -> str:
    return f"DUE#{shard}"


def by_due(due_at: str, project_id: str, task_id: str) -> dict[str, str]:
    """GSI2 of an unfinished task: what the sweeper looks at, oldest first."""
    shard = _shard(task_id, DUE_SHARDS)
    return {"GSI2PK": due_pk(shard), "GSI2SK": f"{due_at}#{project_id}#{task_id}"}


# ---- the bucket ---------------------------------------------------------------------------------


def object_key(project_id: str, sha256: str) -> str:
    return f"objects/{project_id}/{sha256}"


def mirror_key(project_id: str, path: str) -> str:
    return f"projects/{project_id}/{path}"


def plan_key(project_id: str, sha256: str) -> str:
    return f"plans/{project_id}/{sha256}.json"


def unit_key(project_id: str, task_id: str, unit: str, sha256: str) -> str:
    return f"tmp/{project_id}/{task_id}/{unit}/{sha256}"


def archive_key(project_id: str, sha256: str) -> str:
    """The zip of the tree whose manifest has this hash."""
    return f"archives/{project_id}/{sha256}.zip"
