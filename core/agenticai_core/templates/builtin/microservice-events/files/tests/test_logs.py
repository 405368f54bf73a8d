import json
import logging

from service.logs import JsonLines


def test_a_line_is_one_object() -> None:
    record = logging.makeLogRecord({"name": "service", "msg": "took %d\nevents", "args": (2,)})

    line = json.loads(JsonLines().format(record))

    assert line["message"] == "took 2\nevents"
    assert line["logger"] == "service"


def test_an_exception_is_part_of_it() -> None:
    try:
        raise ValueError("no")
    except ValueError as error:
        told = (ValueError, error, error.__traceback__)
    record = logging.makeLogRecord({"name": "service", "msg": "failed", "exc_info": told})

    assert "ValueError: no" in json.loads(JsonLines().format(record))["exception"]
