"""The closed loop as two state machines: what may happen to a resource, and to a grant."""

from __future__ import annotations

from typing import Literal

Role = Literal["owner", "steward", "committee", "consumer", "auditor"]
Label = Literal["public", "restricted", "non-sharing"]

ROLES: tuple[str, ...] = ("owner", "steward", "committee", "consumer", "auditor")
LABELS: tuple[str, ...] = ("public", "restricted", "non-sharing")
PLATFORM = "platform"
"""Who acts where nobody does: the clock, and what follows by itself."""
BY_ITSELF = frozenset({"escalate", "suspend", "expire"})
"""Events that nobody attempts."""
WORKING_DAYS = 10
"""How long an owner may take to answer, the day of the request not counted (2016 Measures, art. 12)."""

RESOURCE: dict[tuple[str, str], str] = {
    ("draft", "catalogue"): "catalogued",
    ("catalogued", "deposit"): "catalogued",
    ("catalogued", "classify"): "classified",
    ("classified", "deposit"): "classified",
    ("classified", "classify"): "classified",
    ("classified", "confirm"): "listed",
    ("listed", "deposit"): "listed",
    ("listed", "classify"): "classified",
    ("listed", "withdraw"): "withdrawn",
}
"""From a resource's state and an event to its next state. A resource that nobody has catalogued is a draft."""

GRANT: dict[tuple[str, str], str] = {
    ("", "request"): "requested",
    ("requested", "approve"): "approved",
    ("requested", "reject"): "rejected",
    ("requested", "escalate"): "escalated",
    ("escalated", "approve"): "approved",
    ("escalated", "reject"): "rejected",
    ("rejected", "appeal"): "escalated",
    ("rejected", "feedback"): "closed",
    ("approved", "release"): "released",
    ("approved", "suspend"): "suspended",
    ("approved", "revoke"): "revoked",
    ("released", "use"): "released",
    ("released", "query"): "released",
    ("released", "suspend"): "suspended",
    ("released", "expire"): "expired",
    ("released", "revoke"): "revoked",
    ("suspended", "approve"): "approved",
    ("suspended", "expire"): "expired",
    ("suspended", "revoke"): "revoked",
    ("revoked", "dispose"): "disposed",
    ("expired", "dispose"): "disposed",
    ("disposed", "audit"): "audited",
    ("audited", "feedback"): "closed",
}
"""From a grant's state and an event to its next state."""


def machine_of(event: str) -> dict[tuple[str, str], str]:
    """The state machine that an event is of."""
    return RESOURCE if any(event == known for _, known in RESOURCE) else GRANT
