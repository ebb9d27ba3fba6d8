"""An exchange with five steps left to write: what the capstone begins with."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date
from typing import Any

from sharewell.exchange.loop import Exchange
from sharewell.exchange.policies import LOOP, SCHEMA, Policies
from sharewell.exchange.states import GRANT, PLATFORM

STEPS = ("approve", "release", "use", "revoke", "dispose")
"""The methods that are left to write."""
_NOT_HERE = """
@because("this step decides by rules of its own")
forbid (principal, action in [{}], resource);
""".format(", ".join(f'Action::"{step}"' for step in STEPS))


class Unfinished(Exchange):
    """An ``Exchange`` without the steps from approval to disposal, and with what is needed to write them.

    Everything else works: the catalogue, requests, rejections, appeals, queries, audits, feedback, the clock. The policies of the
    loop say nothing of the five steps: who may take them is part of what is to be written.

    >>> from datetime import date
    >>> class Careless(Unfinished):
    ...     def revoke(self, actor, grant):
    ...         with self.attempt("revoke", actor, grant):
    ...             self.change(grant, state=self.next(grant, "revoke"))  # whoever asks
    """

    policies = Policies(
        LOOP.read_text(encoding="utf-8") + _NOT_HERE, SCHEMA.read_text(encoding="utf-8")
    )

    def attempt(
        self, event: str, actor: str, grant: str, **details: Any
    ) -> AbstractContextManager[None]:
        """Write down, when the block ends, what was attempted and what came of it; what ``Refused`` says, too."""
        return self._attempt(event, actor, grant, **details)

    def next(self, grant: str, event: str) -> str:
        """The state to which the event leads.

        Raises
        ------
        Refused
            The loop has no such step from where the grant is.
        """
        return self._next(GRANT, grant, event)

    def change(self, grant: str, **values: Any) -> None:
        """Give attributes of a grant (``state``, ``fields``, ``until``, ``epsilon``, ``version``) other values."""
        self.grants[grant] = replace(self.grants[grant], **values)

    def approve(
        self,
        actor: str,
        grant: str,
        fields: Collection[str] | None = None,
        until: date | None = None,
        epsilon: float | None = None,
    ) -> None:
        """Grant what was asked for, or less of it. Of public data the exchange itself (``platform``) attempts it, at once."""
        raise NotImplementedError

    def release(self, actor: str, grant: str) -> None:
        """Hand out what was approved."""
        raise NotImplementedError

    def use(self, actor: str, grant: str, purpose: str, fields: Collection[str]) -> None:
        """Use fields of what was released."""
        raise NotImplementedError

    def revoke(self, actor: str, grant: str) -> None:
        """Take a grant back."""
        raise NotImplementedError

    def dispose(self, actor: str, grant: str, certificate: str) -> None:
        """Certify that no copy is left."""
        raise NotImplementedError

    def _decide(
        self, actor: str, grant: str, fields: Collection[str], until: date, epsilon: float
    ) -> None:
        assert actor == PLATFORM  # of public data, when they are requested
        self.approve(actor, grant, fields, until, epsilon)
