"""Reading what came out of a sandbox, and the filter's instructions, without any process."""

import struct

import pytest

from agenticai_worker.sandbox import seccomp, selftest
from agenticai_worker.sandbox.junit import BadReport, parse_junit


def suite(cases: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><testsuite>{cases}</testsuite>'.encode()


def test_reads_every_kind_of_result() -> None:
    cases = parse_junit(
        suite(
            '<testcase classname="tests.test_a" name="test_1" file="tests/test_a.py" time="0.5"/>'
            '<testcase classname="tests.test_a.TestB" name="test_2[x.y]" file="tests/test_a.py">'
            '<failure message="short">long</failure><error message="teardown"/></testcase>'
            '<testcase classname="a" name="b" file="a.py"><skipped message="why"/></testcase>'
            '<testcase classname="" name="tests.test_c"><error message="bad"/></testcase>'
        )
    )
    assert [(case.test, case.result, case.message) for case in cases] == [
        ("tests/test_a.py::test_1", "passed", ""),
        ("tests/test_a.py::TestB::test_2[x.y]", "failed", "long"),
        ("a.py::b", "skipped", "why"),
        ("tests.test_c", "error", "bad"),
    ]
    assert cases[0].seconds == 0.5


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<testsuite>",
        b"\xff\xfe<\x00",
        suite('<testcase time="nan"/>'),
        suite('<testcase time="-1"/>'),
        suite('<testcase time="soon"/>'),
        b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite>&a;</testsuite>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x><testsuite/>'.encode("utf-16"),
        '<?xml version="1.0" encoding="cp037"?><!DOCTYPE x><testsuite/>'.encode("cp037"),
    ],
)
def test_refuses_what_pytest_would_not_write(content: bytes) -> None:
    with pytest.raises(BadReport):
        parse_junit(content)


def evaluate(machine: str, number: int, *arguments: int, arch: int | None = None) -> int:
    """A classic BPF machine, as far as the filter needs one; returns the filter's answer."""
    code = list(struct.iter_unpack("<HBBI", seccomp.build(machine)))
    native = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[machine]
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, native if arch is None else arch, 0, *padded)
    accumulator = position = 0
    while True:
        operation, when_true, when_false, value = code[position]
        position += 1
        if operation == 0x06:
            return int(value)
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, value)
            continue
        holds = {
            0x15: accumulator == value,
            0x35: accumulator >= value,
            0x45: bool(accumulator & value),
        }[operation]
        position += when_true if holds else when_false


ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (("read", 0, 63), ALLOW),
        (("socket", 41, 198, 2), EPERM),
        (("socketpair unix", 53, 199, 1), ALLOW),
        (("socketpair inet", 53, 199, 2), EPERM),
        (("clone thread", 56, 220, 0x3D0F00), ALLOW),
        (("clone user namespace", 56, 220, 0x10000011), EPERM),
        (("clone3", 435, 435), ENOSYS),
        (("kill child", 62, 129, 1234, 9), ALLOW),
        (("kill all", 62, 129, 0xFFFFFFFFFFFFFFFF, 9), EPERM),
        (("prlimit own", 302, 261, 0), ALLOW),
        (("prlimit other", 302, 261, 99), EPERM),
        (("ioctl TCGETS", 16, 29, 0, 0x5401), ALLOW),
        (("ioctl TIOCSTI", 16, 29, 0, 0x5412), EPERM),
        (("setsid", 112, 157), EPERM),
        (("io_uring_setup", 425, 425), EPERM),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_filter_decides(
    machine: str, call: tuple[str, int, int, *tuple[int, ...]], answer: int
) -> None:
    number = call[1] if machine == "x86_64" else call[2]
    assert evaluate(machine, number, *call[3:]) == answer


def test_filter_kills_calls_of_another_architecture() -> None:
    assert evaluate("x86_64", 41, arch=0x40000003) == KILL
    assert evaluate("x86_64", 0x40000000 | 41) == EPERM


def test_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert selftest.judge(["landlock"], set()) == selftest.Verdict("strong", ())
    assert selftest.judge(["landlock"], {"read_outside"}) == selftest.Verdict(
        "basic", ("landlock", "it can read this user's files")
    )
    assert selftest.judge([], {"open_sockets"}).level == "none"
    assert selftest.judge([], {"write_outside"}).level == "basic"
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert selftest.judge([], {"write_outside"}).level == "none"
