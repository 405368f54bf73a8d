"""What projects are made from without a plan."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from agenticai_client.calls import Calls, Json, if_match


class Templates(Calls):
    def create_from_template(
        self,
        template_id: str,
        project_name: str,
        variables: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Json:
        """Start a project from a template; ``options`` as in `create_project`."""
        body = {
            "template_id": template_id,
            "project_name": project_name,
            "variables": dict(variables or {}),
            **options,
        }
        return self._create("/api/projects/from-template", "project", body)

    def list_templates(
        self, *, category: str | None = None, tag: str | None = None, limit: int | None = None
    ) -> Iterator[Json]:
        """Your templates, newest first, then the built-in ones."""
        return self._pages("/api/templates", "templates", limit, category=category, tag=tag)

    def get_template(self, template_id: str) -> Json:
        """The template and its ``files``."""
        return self._object("GET", _template(template_id), "template")

    def create_template(self, **fields: Any) -> Json:
        """``name``, ``description``, ``category``, ``type``, ``variables``, ``files``, …"""
        return self._create("/api/templates", "template", fields)

    def update_template(
        self, template_id: str, *, version: int | None = None, **fields: Any
    ) -> Json:
        """Replace one of yours; ``version``: only if it is still this one."""
        path, headers = _template(template_id), if_match(version)
        return self._object("PUT", path, "template", body=fields, headers=headers)

    def delete_template(self, template_id: str) -> Json:
        return self._rest.json("DELETE", _template(template_id))


def _template(template_id: str) -> str:
    return f"/api/templates/{quote(template_id, safe='')}"
