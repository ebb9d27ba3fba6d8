"""Decisions by policies written in Cedar (https://www.cedarpolicy.com): what may be done, and why not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import cedarpy

from sharewell.errors import SharewellError

LOOP = Path(__file__).with_name("loop.cedar")
SCHEMA = Path(__file__).with_name("loop.cedarschema")
MILLION = 1_000_000
"""An epsilon is counted in millionths."""


class Policies:
    """A set of policies, and a schema that they keep to.

    Parameters
    ----------
    text, schema : str
        In Cedar's language. A permit's ``@otherwise`` and a forbid's ``@because`` say why something is refused.

    Raises
    ------
    SharewellError
        The text is not Cedar, or speaks of what the schema does not have.
    """

    def __init__(self, text: str, schema: str) -> None:
        try:
            self._policies = cedarpy.PolicySet.from_str(text)
            checked = cedarpy.validate_policies(text, schema)
        except ValueError as error:
            raise SharewellError(f"these are no policies: {error}") from error
        if not checked.validation_passed:
            raise SharewellError(f"the policies do not fit their schema: {checked.errors[0].error}")
        found = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
        self._because: dict[str, str] = {}
        self._otherwise: dict[str, str] = {}
        for name, policy in found.items():
            said = policy.get("annotations", {})
            self._because[name] = said.get("because", "a policy without a reason forbids it")
            for action in _actions(policy["action"]) if "otherwise" in said else ():
                self._otherwise.setdefault(action, said["otherwise"])

    def refusal(
        self, principal: Entity, action: str, resource: Entity, context: Mapping[str, Any]
    ) -> str:
        """Why something is not allowed; empty when it is.

        Parameters
        ----------
        principal, resource : Entity
        context : mapping of str to value
            What else the policies may look at: texts, whole numbers, floats (which they see in millionths), booleans, days, entities, or
            collections of texts.

        Raises
        ------
        SharewellError
            A policy could not be applied: it asked for an attribute that there is not.
        """
        entities: dict[tuple[str, str], dict[str, Any]] = {}
        request = {
            "principal": _written(principal, entities)["__entity"],
            "action": {"type": "Action", "id": action},
            "resource": _written(resource, entities)["__entity"],
            "context": {name: _written(value, entities) for name, value in context.items()},
        }
        found = cedarpy.is_authorized(request, self._policies, list(entities.values()))
        if found.diagnostics.errors:
            raise SharewellError(f"a policy cannot be applied: {found.diagnostics.errors[0]}")
        if found.allowed:
            return ""
        reasons = {self._because[name] for name in found.diagnostics.reasons}
        return "; ".join(sorted(reasons)) or self._otherwise.get(action, f"nobody may {action}")


@dataclass(frozen=True)
class Entity:
    """Something that policies speak of."""

    kind: str
    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


def _written(value: Any, entities: dict[tuple[str, str], dict[str, Any]]) -> Any:
    """A value as Cedar reads it: a day is a number; an entity is referred to, and added to ``entities``."""
    if isinstance(value, Entity):
        uid = {"type": value.kind, "id": value.name}
        attributes = {key: _written(one, entities) for key, one in value.attributes.items()}
        entities[value.kind, value.name] = {"uid": uid, "attrs": attributes, "parents": []}
        return {"__entity": uid}
    if isinstance(value, date):
        return value.toordinal()
    if isinstance(value, float):  # Cedar counts in whole numbers
        return round(value * MILLION)
    return sorted(value) if isinstance(value, set | frozenset | list | tuple) else value


def _actions(scope: Mapping[str, Any]) -> list[str]:
    named = scope.get("entities") or [scope.get("entity", {})]
    return [one["id"] for one in named if one]
