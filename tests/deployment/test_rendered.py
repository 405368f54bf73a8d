"""What Copilot makes of copilot/: valid, whole, and what the code relies on."""

import pytest
from tests.deployment.rendered import ENVIRONMENTS, SERVICES, Rendered


@pytest.mark.parametrize("env", ENVIRONMENTS)
@pytest.mark.parametrize("service", SERVICES)
def test_every_service_renders_in_every_environment(
    rendered: Rendered, env: str, service: str
) -> None:
    resources = rendered.service(env, service)["Resources"]
    assert resources["TaskDefinition"]["Properties"]["RuntimePlatform"] == {
        "OperatingSystemFamily": "LINUX",
        "CpuArchitecture": "ARM64",
    }
