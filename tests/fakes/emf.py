"""CloudWatch's reading of a line in its embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import time
from typing import Any

UNITS = {"Seconds", "Microseconds", "Milliseconds", "Bytes", "Percent", "Count", "None"}


def check_line(line: dict[str, Any]) -> list[tuple[str, dict[str, str], str]]:
    """The metrics that CloudWatch makes of it: namespace, dimensions, name. Fails on others."""
    found = []
    told = line["_aws"]
    assert set(told) == {"Timestamp", "CloudWatchMetrics"}
    assert abs(told["Timestamp"] - time.time() * 1000) < 3600_000, "milliseconds since 1970"
    for directive in told["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert 1 <= len(directive["Metrics"]) <= 100
        for names in directive["Dimensions"]:
            assert len(names) <= 30
            assert all(isinstance(line[name], str) and line[name] for name in names)
            dimensions = {name: line[name] for name in names}
            for metric in directive["Metrics"]:
                assert metric["Unit"] in UNITS
                values = line[metric["Name"]]
                values = values if isinstance(values, list) else [values]
                assert 1 <= len(values) <= 100
                assert all(type(value) in (int, float) for value in values)
                found.append((directive["Namespace"], dimensions, metric["Name"]))
    return found
