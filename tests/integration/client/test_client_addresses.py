"""Names that would lead a request to another address than the one that it is meant for."""

import pytest

from agenticai_client.errors import ApiError, ClientError

ELSEWHERE = ["..", ".", "../..", "../../proj_1", "x/../../../proj_2", "./main.py", "app/.."]


@pytest.mark.parametrize("path", ELSEWHERE)
@pytest.mark.parametrize(
    "call",
    [
        lambda client, path: client.delete_file("proj_1", path),
        lambda client, path: client.write_file("proj_1", path, b"{}"),
        lambda client, path: client.read_file("proj_1", path),
        lambda client, path: client.read_file("proj_1", path, 1),
    ],
    ids=["delete_file", "write_file", "read_file", "read_file of a revision"],
)
def test_a_files_path_does_not_leave_its_project(system, call, path):
    with system.client() as client, pytest.raises(ClientError, match="another address"):
        call(client, path)
    assert system.seen == []


@pytest.mark.parametrize("name", ["..", "."])
@pytest.mark.parametrize(
    "call",
    [
        lambda client, name: client.delete_project(name),
        lambda client, name: client.cancel_modification("proj_1", name),
        lambda client, name: client.delete_template(name),
        lambda client, name: client.revoke_key(name),
    ],
    ids=["delete_project", "cancel_modification", "delete_template", "revoke_key"],
)
def test_an_id_of_dots_is_none(system, call, name):
    with system.client() as client, pytest.raises(ClientError, match="another address"):
        call(client, name)
    assert system.seen == []


def test_names_with_dots_in_them_are_names(system):
    names = [".env", "..env", "app/.hidden/a..b", "...", "%2e%2e/x"]
    project_id = system.add_project()["id"]
    with system.client() as client:
        for name in names:
            with pytest.raises(ApiError):  # it was asked for, and there is no such file
                client.read_file(project_id, name)
    assert [request.path.split("/files/")[1] for request in system.seen] == names
