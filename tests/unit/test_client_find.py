"""Where the client finds a system, and to whom it is ready to send a key."""

import json

import pytest

from agenticai_client.errors import NotConfigured
from agenticai_client.find import derive_websocket_url, find_target, find_websocket_url

LOCAL = {
    "api_url": "http://localhost:8000",
    "websocket_url": "ws://localhost:9999/ws",
    "api_key": "agk_file",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder some levels down, with a home that holds nothing."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    deep = tmp_path / "work" / "deep"
    deep.mkdir(parents=True)
    return deep


def write(place, content):
    (place / ".agenticai").mkdir(parents=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (place / ".agenticai" / "local.json").write_text(text)


def test_options_win_over_environment_and_file(folder):
    write(folder, LOCAL)
    env = {"AGENTICAI_API_URL": "https://env.example", "AGENTICAI_API_KEY": "agk_env"}
    given = find_target("https://given.example/", "agk_given", env=env, folder=folder)
    assert (given.api_url, given.api_key, given.source) == (
        "https://given.example",
        "agk_given",
        "--api-url",
    )
    assert find_target(env=env, folder=folder).api_url == "https://env.example"
    assert find_target(env={}, folder=folder).api_key == "agk_file"


def test_the_file_of_a_folder_above_is_found_and_home_last(folder, tmp_path):
    write(tmp_path / "home", LOCAL | {"api_key": "agk_home"})
    assert find_target(env={}, folder=folder).api_key == "agk_home"
    write(tmp_path / "work", LOCAL)
    assert find_target(env={}, folder=folder).api_key == "agk_file"


def test_nothing_found_says_how_to_begin(folder):
    with pytest.raises(NotConfigured) as caught:
        find_target(env={}, folder=folder)
    assert "make up" in (caught.value.hint or "")


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_broken_file_is_named(folder, content):
    write(folder, content)
    with pytest.raises(NotConfigured, match=r"local\.json"):
        find_target(env={}, folder=folder)


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://"])
def test_what_is_no_web_address_is_refused(folder, url):
    with pytest.raises(NotConfigured, match="not a web address"):
        find_target(url, "k", env={}, folder=folder)


def test_a_key_from_the_environment_does_not_follow_a_file_to_another_machine(folder):
    write(folder, {"api_url": "https://elsewhere.example"})
    env = {"AGENTICAI_API_KEY": "agk_secret"}
    with pytest.raises(NotConfigured, match="No API key"):
        find_target(env=env, folder=folder)
    assert find_target("https://elsewhere.example", env=env, folder=folder).api_key == "agk_secret"


def test_a_key_from_the_environment_is_used_on_this_machine(folder):
    write(folder, LOCAL)
    assert find_target(env={"AGENTICAI_API_KEY": "agk_env"}, folder=folder).api_key == "agk_env"


def test_the_file_s_key_goes_to_the_file_s_address_only(folder):
    write(folder, LOCAL)
    assert find_target("http://localhost:8000/", env={}, folder=folder).api_key == "agk_file"
    with pytest.raises(NotConfigured):
        find_target("https://other.example", env={}, folder=folder)


def test_the_gateway_is_taken_from_environment_file_or_address(folder):
    write(folder, LOCAL)
    env = {"AGENTICAI_WEBSOCKET_URL": "https://live.example"}
    api = "http://localhost:8000"
    assert find_websocket_url(api, env=env, folder=folder) == "wss://live.example/ws"
    assert find_websocket_url(api, env={}, folder=folder) == "ws://localhost:9999/ws"
    assert find_websocket_url("https://x.example", env={}, folder=folder) == "wss://x.example/ws"


@pytest.mark.parametrize(
    ("api", "gateway"),
    [
        ("http://localhost:8000", "ws://localhost:8080/ws"),
        ("http://127.0.0.1:8000/", "ws://127.0.0.1:8080/ws"),
        ("http://[::1]:8000", "ws://[::1]:8080/ws"),
        ("http://localhost:8001", "ws://localhost:8001/ws"),
        ("http://build.example:8000", "ws://build.example:8000/ws"),
        ("https://api.example", "wss://api.example/ws"),
        ("https://example/agentic/", "wss://example/agentic/ws"),
    ],
)
def test_the_gateway_s_address_derived(api, gateway):
    assert derive_websocket_url(api) == gateway
