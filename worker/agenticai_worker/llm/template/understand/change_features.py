"""Commands on features: switch authentication, logging and the like on or off."""

import re

from agenticai_core.plans import Plan
from agenticai_worker.llm.template.understand import gaps
from agenticai_worker.llm.template.understand.commands import COMMAND_VERBS
from agenticai_worker.llm.template.understand.drafts import spoken
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.targets import NotUnderstood

_EXTERNAL_LOGIN = re.compile(
    r"\b(?:google|facebook|github|sso|saml|ldap|two[- ]factor|2fa|mfa|magic link|openid|microsoft|apple|captcha|biometric)\b",
    re.I,
)


# ---- commands: each returns the changed plan, None when the words are not its own, or raises ---------------


def switch_feature(plan: Plan, part: str) -> Plan | None:
    removal = re.match(r"^(?:remove|drop|delete|disable|turn off)\b", part, re.I)
    facts = Facts()
    if re.search(r"\b(?:field|column|attribute)\b", part, re.I) or not gaps.read_feature(
        part, facts
    ):
        return None
    if not re.match(
        rf"^(?:{COMMAND_VERBS}|require|protect|secure|users?|only|i|we|put|all|every|the|authentication|login|request|implement|disable|turn)\b",
        part,
        re.I,
    ):
        return None
    if _EXTERNAL_LOGIN.search(part):
        raise NotUnderstood(
            "the engine builds its own login with a password and a token, not this way of logging in."
        )
    if gaps.find_gap(part):
        raise NotUnderstood(
            f"this asks for {gaps.find_gap(part)}, which the built-in engine does not build."
        )
    features = list(plan.features)
    for name in facts.features:
        if (removal and name not in features) or (not removal and name in features):
            state = "has no" if removal else "already has"
            raise NotUnderstood(f"the project {state} {spoken(name)}.")
        features = [f for f in features if f != name] if removal else [*features, name]
    return plan.model_copy(update={"features": tuple(features)})
