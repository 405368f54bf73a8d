"""With a domain Copilot renders other listener rules, and the patches have to follow."""

import re
import subprocess
from pathlib import Path

import pytest
from tests.deployment.rendered import copy_workspace, render_apart
from tests.deployment.test_services import when

SED = re.compile(r"^sed -i\S* .*HTTPListenerRule.*$", re.MULTILINE)


def test_the_documented_change_makes_https_rules_forward(repo_root: Path, tmp_path: Path) -> None:
    source = copy_workspace(tmp_path / "source")
    (command,) = SED.findall((repo_root / "docs" / "deployment.md").read_text())
    subprocess.run(["bash", "-c", command], cwd=source, check=True)
    rendered = render_apart(tmp_path / "rendered", str(source), "example.com", "prod")
    for service in ("api", "websocket"):
        resources = rendered.service("prod", service)["Resources"]
        rule = resources["HTTPSListenerRule"]["Properties"]
        assert rule["ListenerArn"] == {"Fn::GetAtt": ["EnvControllerAction", "HTTPSListenerArn"]}
        (forward,) = rule["Actions"]
        assert len(forward["ForwardConfig"]["TargetGroups"]) == 2
        (balancer,) = resources["Service"]["Properties"]["LoadBalancers"]
        advanced = when(balancer["AdvancedConfiguration"], "prod")
        assert advanced["ProductionListenerRule"] == {"Ref": "HTTPSListenerRule"}
        (redirect,) = resources["HTTPListenerRuleWithDomain"]["Properties"]["Actions"]
        assert redirect["RedirectConfig"]["Protocol"] == "HTTPS"
    listener = rendered.environment("prod")["Resources"]["HTTPSListener"]["Properties"]
    assert listener["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"


def test_without_the_change_copilot_refuses(repo_root: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="HTTPListenerRule"):
        render_apart(tmp_path / "rendered", str(repo_root), "example.com", "prod")
