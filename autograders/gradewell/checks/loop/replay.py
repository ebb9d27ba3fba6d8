"""An exchange put through stories: what each attempt came to, and the log that the exchange kept.

With the judge this runs in the student's process, where the exchange is: a whole batch of stories is one question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from sharewell.exchange import Refused

Attempt = tuple[str, str, dict[str, Any]]
"""An event, who attempts it, and what with. Grants go by the names that the story gives them (``as`` of a request)."""
Record = Mapping[str, Any]


def replay(
    make: Callable[..., Any], people: Any, today: date, stories: Sequence[Sequence[Attempt]]
) -> list[tuple[list[str], list[Any]]]:
    """The outcomes and the log of each story, on an exchange of its own. It runs where ``make`` does."""
    found = []
    for story in stories:
        exchange = make({name: list(roles) for name, roles in people.items()}, today)
        names: dict[str, str] = {}
        outcomes = [attempt(exchange, names, one) for one in story]
        found.append((outcomes, [dict(record) for record in exchange.log]))
    return found


def attempt(exchange: Any, names: dict[str, str], one: Attempt) -> str:
    """Attempt something, and say what came of it. ``names`` leads from the story's names of grants to the exchange's own."""
    event, actor, given = one
    given = dict(given)
    label = given.pop("as", "")
    if "grant" in given:  # own: of the story
        given["grant"] = names.get(given["grant"], "a grant that nobody knows")
    who = () if event == "clock" else (actor,)
    try:
        returned = getattr(exchange, event)(*who, **given)
    except Refused:
        return "refused"
    except Exception as error:  # of the student's code: it is what came of it
        return f"{type(error).__name__}: {error}"
    if event == "request":
        names[label] = returned
    return "allowed"
