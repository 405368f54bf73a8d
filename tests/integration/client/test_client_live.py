"""Live events over real sockets that break in every way: each event once, in order, none lost."""

import itertools
import threading

import pytest

from agenticai_client.errors import ApiError, ConnectionFailed
from agenticai_client.sdk import Client


def watch(system, project, count, after=0, notices=None, **pace):
    """The numbers of the next ``count`` events."""
    with system.client(**pace) as client:
        notice = (lambda *change: notices.append(change)) if notices is not None else None
        stream = client.watch(project["id"], after, notice=notice)
        numbers = [event["seq"] for event in itertools.islice(stream, count)]
        stream.close()
    return numbers


def pages_read(system):
    return [request for request in system.seen if request.path.endswith("/events")]


def send(*numbers, close=None):
    """A script: these events of the log, and then the end (or silence)."""

    async def script(socket, system):
        log = system.logs[socket.query_params["project_id"]]
        for number in numbers:
            await socket.send_json(log[number - 1])
        if close:
            await socket.close(close)
        else:
            await socket.receive_json()

    return script


def test_replay_and_live_come_over_one_socket(system):
    project = system.add_log(3)
    threading.Timer(0.05, system.append, (project["id"], "project_active")).start()
    assert watch(system, project, 4) == [1, 2, 3, 4]
    (socket,) = system.sockets
    assert (socket["project_id"], socket["after"]) == (project["id"], "0")
    assert socket["headers"]["x-api-key"] == "agk_test"
    assert socket["headers"]["sec-websocket-protocol"] == "agenticai.v1"
    assert not pages_read(system)


def test_resume_from_where_the_caller_was(system):
    assert watch(system, system.add_log(5), 2, after=3) == [4, 5]


def test_until_ends_the_watch(system):
    project = system.add_log(5)
    with system.client() as client:
        events = list(client.watch(project["id"], until=lambda event: event["seq"] == 3))
    assert [event["seq"] for event in events] == [1, 2, 3]


@pytest.mark.parametrize("code", [1000, 1011, 1012, 4008, 4029, 4408])
def test_a_closed_socket_is_opened_again_from_the_last_event(system, code):
    project = system.add_log(3)
    system.scripts = [send(1, 2, close=code)]
    assert watch(system, project, 3) == [1, 2, 3]


def test_a_torn_connection_is_made_again(system):
    project = system.add_log(3)
    system.scripts = [send(1)]
    numbers = []
    with system.client() as client:
        for event in client.watch(project["id"]):
            numbers.append(event["seq"])
            if event["seq"] == 1:
                system.cut_all()
            if event["seq"] == 3:
                break
    assert numbers == [1, 2, 3]


def test_the_socket_comes_back_after_a_loss(system):
    project = system.add_log(2)
    system.scripts = [send(1, 2, close=1012)]
    threading.Timer(0.3, system.append, (project["id"], "project_active")).start()
    notices = []
    assert watch(system, project, 3, notices=notices, poll=60) == [1, 2, 3]
    assert [state for state, _ in notices] == ["live", "polling", "live"]
    assert system.sockets[-1]["after"] == "2"


def test_repeats_are_dropped(system):
    project = system.add_log(4)
    system.scripts = [send(1, 2, 1, 2, 2, 3, 1, 4)]
    assert watch(system, project, 4) == [1, 2, 3, 4]


def test_a_gap_is_read_from_the_log(system):
    project = system.add_log(250)
    system.scripts = [send(1, 249, 250)]
    assert watch(system, project, 250) == list(range(1, 251))
    pages = pages_read(system)
    assert [page.query["after"] for page in pages] == ["1", "101", "201"]


def test_a_gap_that_the_log_cannot_fill_is_waited_for(system):
    project = system.add_log(1)

    async def skip(socket, system):
        await socket.send_json(system.logs[project["id"]][0] | {"seq": 3})

    system.scripts = [skip]
    threading.Timer(0.2, system.append, (project["id"], "late")).start()
    assert watch(system, project, 2) == [1, 2]


def test_frames_without_a_number_are_no_events(system):
    project = system.add_log(1)

    async def chat(socket, system):
        for kind in ("welcome", "subscribed", "ping", "error", "something_new"):
            await socket.send_json({"type": kind})
        system.received.append(await socket.receive_json())
        await send(1)(socket, system)

    system.scripts = [chat]
    assert watch(system, project, 1) == [1]
    assert system.received[0] == {"type": "pong"}


@pytest.mark.parametrize("text", ["no json", "[1]"])
def test_a_frame_that_cannot_be_read_ends_the_socket_not_the_watch(system, text):
    project = system.add_log(1)

    async def mumble(socket, system):
        await socket.send_text(text)
        await socket.receive_json()

    system.scripts = [mumble]
    assert watch(system, project, 1) == [1]


def test_a_silent_socket_counts_as_lost(system):
    project = system.add_log(1)
    system.scripts = [send()]
    assert watch(system, project, 1, idle=0.1) == [1]


@pytest.mark.parametrize("status", [403, 404, 502])
def test_without_a_socket_the_log_is_polled_and_the_socket_tried_again(system, status):
    project = system.add_log(120)
    system.socket_refused = status
    threading.Timer(0.2, system.append, (project["id"], "project_active")).start()
    notices = []
    assert watch(system, project, 121, notices=notices) == list(range(1, 122))
    assert notices == [("polling", f"the gateway answered {status}")]
    assert len(system.sockets) > 1


def test_an_idle_log_is_waited_for_instead_of_asked_again_and_again(system):
    project = system.add_log(1)
    system.socket_refused = 503
    threading.Timer(0.3, system.append, (project["id"], "project_active")).start()
    assert watch(system, project, 2, backoff=8, max_backoff=8) == [1, 2]
    first, second = pages_read(system)
    assert int(first.query["wait"]) >= 1
    assert int(second.query["wait"]) >= 1


def test_a_wait_ends_before_the_request_times_out(system):
    project = system.add_log(1)
    system.socket_refused = 503
    watch(system, project, 1, backoff=60, max_backoff=60, hold=20)
    (page,) = pages_read(system)
    assert page.query["wait"] == "2"  # of a time-out of 5 s


def test_an_api_that_does_not_wait_is_not_asked_all_the_time(system):
    project = system.add_log(1)
    system.socket_refused, system.holds = 503, False
    threading.Timer(0.7, system.append, (project["id"], "project_active")).start()
    assert watch(system, project, 2, backoff=8, max_backoff=8, poll=0.2) == [1, 2]
    assert len(pages_read(system)) <= 6


def test_reconnects_slow_down(system):
    project = system.add_log(1)
    system.socket_refused = 503
    threading.Timer(1.5, system.append, (project["id"], "project_active")).start()
    assert watch(system, project, 2, backoff=0.1, max_backoff=10) == [1, 2]
    # 0.1, 0.2, 0.4, 0.8 s, each less up to half of it as jitter: never one every 0.1 s.
    assert 3 <= len(system.sockets) <= 7


def test_another_kind_of_gateway_is_not_listened_to(system):
    project = system.add_log(1)
    system.subprotocol = None
    notices = []
    assert watch(system, project, 1, notices=notices) == [1]
    assert "does not speak agenticai.v1" in notices[0][1]


@pytest.mark.parametrize(
    ("close", "status", "code"), [(4401, 401, "NOT_AUTHENTICATED"), (4403, 403, "NOT_ALLOWED")]
)
def test_a_refused_key_ends_the_watch(system, close, status, code):
    project = system.add_log(2)
    system.scripts = [send(1, close=close)]
    with pytest.raises(ApiError) as caught:
        watch(system, project, 2)
    assert (caught.value.status, caught.value.code) == (status, code)
    assert len(system.sockets) == 1


def test_the_error_frame_before_a_refusal_tells_why(system):
    project = system.add_log(1)

    async def refuse(socket, system):
        problem = {"code": "NOT_FOUND", "message": "No such project", "hint": "Look again"}
        await socket.send_json({"type": "error", **problem})
        await socket.close(4403)

    system.scripts = [refuse]
    with pytest.raises(ApiError) as caught:
        watch(system, project, 1)
    error = caught.value
    assert (error.code, error.status, error.hint) == ("NOT_FOUND", 404, "Look again")


def test_a_deleted_project_ends_the_watch_though_the_socket_stays_open(system):
    project = system.add_log(1)

    async def deleted(socket, system):
        await socket.send_json({"type": "error", "code": "PROJECT_DELETED", "message": "Gone"})
        await socket.receive_json()

    system.scripts = [deleted]
    with pytest.raises(ApiError) as caught:
        watch(system, project, 1)
    assert (caught.value.code, caught.value.status) == ("PROJECT_DELETED", 404)


def test_an_unknown_project_ends_the_watch(system):
    system.socket_refused = 403
    with pytest.raises(ApiError) as caught:
        watch(system, {"id": "proj_unknown"}, 1)
    assert caught.value.code == "NOT_FOUND"


def test_polling_outlasts_passing_faults(system):
    project = system.add_log(1)
    system.socket_refused = 503
    notices = []
    with system.client() as client:
        stream = client.watch(project["id"], notice=lambda *change: notices.append(change))
        assert next(stream)["seq"] == 1
        system.refuse(503)
        system.refuse(429, "RATE_LIMITED", headers={"Retry-After": "0"})
        system.append(project["id"], "project_active")
        assert next(stream)["seq"] == 2
        stream.close()
    assert [state for state, _ in notices] == ["polling", "offline", "polling"]


def test_polling_gives_up_when_nothing_answers_for_too_long(system):
    project = system.add_log(1)
    system.socket_refused = 503
    with system.client(patience=0.2) as client:
        stream = client.watch(project["id"])
        assert next(stream)["seq"] == 1
        for _ in range(1000):
            system.refuse(503)
        with pytest.raises(ApiError) as caught:
            next(stream)
    assert caught.value.status == 503


def test_nobody_there_from_the_start_is_an_error_at_once(unused_port):
    with (
        Client(f"http://127.0.0.1:{unused_port}", "k") as client,
        pytest.raises(ConnectionFailed),
    ):
        next(client.watch("proj_x"))
