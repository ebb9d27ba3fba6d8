"""May this be shared? The decision rules of the course, with reasons.

An :class:`Item` says what is known of one thing that somebody wants, and who wants it. :func:`classify`
answers with a :class:`Decision`: public, restricted or non-sharing, under which conditions, for which
reasons, on which legal basis. Every rule is applied and the strictest wins.

For ``audience="gov"`` the label is the *sharing* attribute (between public bodies), for
``audience="society"`` the *opening* attribute. Opening is never looser than sharing.

>>> from sharewell.classify import Item, classify
>>> classify(Item()).label
'public'
>>> decision = classify(Item(audience="society", personal="identified"))
>>> decision.label, decision.remedy
('non-sharing', 'aggregate or anonymise, then reclassify')

The rules follow the Chinese laws and standards that their reasons name; R2's ban on core data and the
ten contributors of R7 are the course's own simplifications. This is engineering, not legal advice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Literal, get_args

from sharewell.errors import SharewellError

Audience = Literal["gov", "partner", "society"]
Secret = Literal["none", "work", "state"]
Grade = Literal["general", "important", "core"]
Unit = Literal["record", "aggregate", "object"]
Personal = Literal["none", "anonymous", "deidentified", "identified"]
Basis = Literal["none", "consent", "duty", "emergency", "by_law"]
Label = Literal["public", "restricted", "non-sharing"]

LABELS: tuple[Label, ...] = get_args(Label)
"""From the loosest to the strictest."""

SMALLEST_CLASS = {"society": 20, "controlled": 5, "enclave": 3}
"""k that de-identified records need (GB/T 42460-2023: 1/20, 1/5, 1/3). We accept k = 20 exactly."""
CONTRIBUTORS = 10
"""People or firms that every cell of an aggregate needs (a value of this course)."""

_VALUES = {
    "audience": get_args(Audience),
    "secret": get_args(Secret),
    "grade": get_args(Grade),
    "unit": get_args(Unit),
    "personal": get_args(Personal),
    "basis": get_args(Basis),
}
_FLAGS = ("sensitive", "trade_secret", "owner_consent", "demanding", "enclave")


@dataclass(frozen=True)
class Item:
    """What is known of a thing that may be shared, and who would get it.

    Raises
    ------
    SharewellError
        When a value is none of those listed; the message names the field and its values.
    """

    audience: Audience = "gov"
    """gov (another public body), partner (under contract), society (everybody)."""
    secret: Secret = "none"
    """State secret, work secret, or none."""
    grade: Grade = "general"
    """General, important or core data (Data Security Law art. 21, GB/T 43697-2024)."""
    prohibited_by: str = ""
    """Citation of the law, regulation or State Council decision that forbids it, or empty."""
    unit: Unit = "record"
    """A row about one person or firm, an aggregate over several, or an object (no person, no firm)."""
    personal: Personal = "none"
    """Personal information: none, anonymous (cannot be restored), deidentified, identified."""
    sensitive: bool = False
    """Sensitive personal information (PIPL art. 28): health, finance, whereabouts, under 14, ..."""
    basis: Basis = "none"
    """Legal ground for providing identified personal information."""
    trade_secret: bool = False
    owner_consent: bool = False
    """Whether the firm whose secret it is agrees."""
    k: int | None = None
    """Smallest equivalence class, or fewest contributors to a cell; None when not measured."""
    l: int | None = None
    """Fewest different sensitive values in a class or cell; None when not measured."""
    dominance_ok: bool | None = None
    """Whether no contributor dominates a cell; None when not measured."""
    demanding: bool = False
    """Real-time, continuous, or needing strong handling capabilities."""
    enclave: bool = False
    """Whether the data stay where they are and only results leave."""

    def __post_init__(self) -> None:
        for name, values in _VALUES.items():
            if getattr(self, name) not in values:
                raise SharewellError(
                    f"Item.{name} must be one of {', '.join(values)}; got {getattr(self, name)!r}"
                )
        for name in ("k", "l"):
            value = getattr(self, name)
            whole = hasattr(value, "__index__") and not isinstance(value, bool)
            if value is not None and not (whole and value >= 0):
                raise SharewellError(
                    f"Item.{name} must be a whole number, or None when not measured; got {value!r}"
                )
        if not isinstance(self.prohibited_by, str):
            raise SharewellError(
                f"Item.prohibited_by must be a citation or an empty text; got {self.prohibited_by!r}"
            )
        for name in _FLAGS:
            if getattr(self, name) not in (True, False):
                raise SharewellError(
                    f"Item.{name} must be True or False; got {getattr(self, name)!r}"
                )
        if self.dominance_ok not in (True, False, None):
            raise SharewellError(
                f"Item.dominance_ok must be True, False, or None when not measured; got {self.dominance_ok!r}"
            )

    def __repr__(self) -> str:
        """Only what differs from the defaults, as it would be typed."""
        said = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if getattr(self, f.name) != f.default
        ]
        return f"Item({', '.join(said)})"


@dataclass(frozen=True)
class Decision:
    """What may be done with an item, and why."""

    label: Label
    conditions: frozenset[str] = frozenset()
    """What a recipient must accept; only restricted items have conditions."""
    reasons: tuple[str, ...] = ()
    """One sentence a rule that had something to say, each beginning with the rule's number."""
    basis: str = ""
    """The legal sources of the label; never empty when it is non-sharing."""
    hold: bool = False
    """True: do not release yet, something is missing or too small."""
    remedy: str = ""
    """What would make a looser label possible."""

    def _repr_html_(self) -> str:
        from html import escape

        colour = {"public": "#095c42", "restricted": "#754b00", "non-sharing": "#9b1c1c"}[
            self.label
        ]
        rows = [
            ("conditions", ", ".join(sorted(self.conditions))),
            ("reasons", "; ".join(self.reasons)),
            ("basis", self.basis),
            ("remedy", self.remedy),
        ]
        table = "".join(
            f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in rows
            if text
        )
        hold = " (hold: do not release yet)" if self.hold else ""
        return f"<b style='color:{colour}'>{self.label}{hold}</b><table>{table}</table>"


@dataclass(frozen=True)
class _Finding:
    """What one rule says of one item."""

    rule: int
    label: Label
    reason: str
    basis: str = ""
    conditions: frozenset[str] = frozenset()
    hold: bool = False
    remedy: str = ""


def classify(item: Item) -> Decision:
    """Decide one item for its audience. All rules apply; the strictest wins.

    Parameters
    ----------
    item : Item

    Returns
    -------
    Decision
        Non-sharing always has a ``basis``, restricted always has ``conditions``, and public has neither
        conditions nor ``hold``. ``hold`` and ``remedy`` gather what any rule found missing.
    """
    return _decide(_findings(item))


def classify_table(columns: Iterable[Item], joint: Item) -> Decision:
    """Decide a table: at least as strict as each column, and as the row that they form together.

    Parameters
    ----------
    columns : iterable of Item
        Each column taken alone. Their order does not matter.
    joint : Item
        The joint row: what the columns say together (two harmless columns can single a person out).

    Raises
    ------
    SharewellError
        When something other than an Item is given.
    """
    items = [*columns, joint]
    for item in items:
        if not isinstance(item, Item):
            raise SharewellError(
                f"classify_table takes Items, of each column and of the joint row; got {item!r}"
            )
    return _decide(finding for item in items for finding in _findings(item))


def strictness(label: Label) -> int:
    """0 public, 1 restricted, 2 non-sharing."""
    return LABELS.index(label)


def _decide(findings: Iterable[_Finding]) -> Decision:
    found = sorted(set(findings), key=lambda f: (f.rule, f.reason, f.basis, sorted(f.conditions)))
    label = max((f.label for f in found), key=strictness, default=LABELS[0])
    if label == "public":
        return Decision("public", reasons=("R0: sharing is the principle, and no rule objects",))
    decisive = [f for f in found if f.label == label]
    shared = label == "restricted"
    return Decision(
        label,
        conditions=frozenset().union(*(f.conditions for f in found)) if shared else frozenset(),
        reasons=tuple(dict.fromkeys(f"R{f.rule}: {f.reason}" for f in found)),
        basis="; ".join(dict.fromkeys(f.basis for f in decisive if f.basis)),
        hold=any(f.hold for f in found),
        remedy="; ".join(dict.fromkeys(f.remedy for f in found if f.remedy)),
    )


def _findings(item: Item) -> Iterator[_Finding]:
    for rule in _RULES:
        finding = rule(item)
        if finding is not None:
            yield finding


def _secrets(item: Item) -> _Finding | None:
    if item.secret == "none":
        return None
    return _Finding(
        1, "non-sharing", f"it is a {item.secret} secret", "State Secrets Law; Decree 809 art. 3"
    )


def _core_data(item: Item) -> _Finding | None:
    if item.grade != "core":
        return None
    return _Finding(
        2,
        "non-sharing",
        "it is national core data (a simplification: the law asks for stricter management)",
        "Data Security Law art. 21",
    )


def _cited_prohibition(item: Item) -> _Finding | None:
    if not item.prohibited_by.strip():
        return None
    if is_citation(item.prohibited_by):
        return _Finding(3, "non-sharing", "a cited rule forbids it", item.prohibited_by.strip())
    return _Finding(
        3,
        "restricted",
        "somebody says that it is forbidden, but cites no law, regulation or State Council decision",
        "Decree 809",
        frozenset({"citation pending"}),
        hold=True,
        remedy="cite the rule that forbids it, or share it",
    )


def _important_data(item: Item) -> _Finding | None:
    if item.grade != "important":
        return None
    if item.audience == "society":
        return _Finding(
            4, "non-sharing", "important data are not opened", "Data Security Law arts 21, 30"
        )
    return _Finding(
        4,
        "restricted",
        "important data are provided after a risk assessment",
        "Network Data Security Management Regulation arts 12, 31",
        frozenset({"risk assessment", "contract", "audit log"}),
    )


_FITTING_BASIS: dict[tuple[str, bool], frozenset[str]] = {
    # (audience, sensitive): the legal grounds that allow identified personal information to be provided
    ("gov", False): frozenset({"duty", "emergency", "consent", "by_law"}),
    ("gov", True): frozenset({"duty", "emergency", "consent", "by_law"}),
    ("partner", False): frozenset({"consent", "emergency", "by_law"}),
    ("partner", True): frozenset({"consent", "emergency", "by_law"}),
    ("society", False): frozenset({"by_law", "consent"}),
    ("society", True): frozenset({"by_law"}),
}


def _identified_people(item: Item) -> _Finding | None:
    if item.personal != "identified":
        return None
    if item.basis not in _FITTING_BASIS[item.audience, item.sensitive]:
        return _Finding(
            5,
            "non-sharing",
            f"identified people, and {item.basis.replace('_', ' ')} is no ground to tell {item.audience}"
            if item.basis != "none"
            else "identified people, and no legal ground is given",
            "PIPL "
            + {"gov": "art. 34", "partner": "arts 13, 23", "society": "art. 25"}[item.audience],
            remedy="aggregate or anonymise, then reclassify",
        )
    if item.basis == "by_law" and not item.sensitive:
        return None
    conditions = {"purpose", "minimum fields", "no onward", "retention", "log"}
    if item.sensitive:
        conditions |= {"impact assessment", "enhanced protection"}
    if item.audience == "partner":
        conditions |= {"contract", "impact assessment"}
    return _Finding(
        5,
        "restricted",
        f"identified people, on the ground of {item.basis.replace('_', ' ')}",
        "PIPL arts 6, 13, 55"
        if item.sensitive or item.audience == "partner"
        else "PIPL arts 6, 13",
        frozenset(conditions),
    )


def _deidentified_records(item: Item) -> _Finding | None:
    if item.personal != "deidentified" or item.unit == "aggregate":
        return None
    model = "enclave" if item.enclave else "society" if item.audience == "society" else "controlled"
    needed = SMALLEST_CLASS[model]
    missing = []
    if item.k is None or item.k < needed:
        missing.append(f"classes of at least {needed} are not shown")
    if item.sensitive and (item.l is None or item.l < 2):
        missing.append("two different sensitive values in every class are not shown")
    if missing:
        society = item.audience == "society"
        return _Finding(
            6,
            "non-sharing" if society else "restricted",
            f"de-identified records: {', and '.join(missing)}",
            "PIPL arts 25, 73; GB/T 42460-2023" if society else "PIPL art. 73; GB/T 42460-2023",
            frozenset() if society else _RECORD_CONDITIONS,
            hold=True,
            remedy="measure, generalise or suppress until every class is large and varied enough",
        )
    if item.k is not None and item.k >= SMALLEST_CLASS["society"] and not item.sensitive:
        return None
    return _Finding(
        6,
        "restricted",
        "de-identified records are still personal information",
        "PIPL art. 73; GB/T 37964-2019",
        _RECORD_CONDITIONS,
    )


_RECORD_CONDITIONS = frozenset({"no re-identification", "log", "contract or enclave"})


def _aggregates(item: Item) -> _Finding | None:
    if item.unit != "aggregate":
        return None
    missing = []
    if item.k is None or item.k < CONTRIBUTORS:
        missing.append(f"{CONTRIBUTORS} contributors to every cell are not shown")
    about_firms = item.personal == "none" or item.trade_secret
    if about_firms and item.dominance_ok is not True:
        missing.append("it is not shown that no firm dominates a cell")
    if item.sensitive and (item.l is None or item.l < 2):
        missing.append("two different sensitive values in every cell are not shown")
    if not missing:
        return None
    return _Finding(
        7,
        "restricted",
        f"aggregate: {', and '.join(missing)}",
        "Statistics Law art. 28",
        frozenset({"disclosure control"}),
        hold=True,
        remedy="suppress, coarsen or add noise",
    )


def _trade_secrets(item: Item) -> _Finding | None:
    if not item.trade_secret:
        return None
    if item.audience != "gov" and not item.owner_consent:
        return _Finding(
            8,
            "non-sharing",
            "a trade secret, and its owner has not agreed",
            "Regulation on Government Information Disclosure art. 15",
            remedy="ask the owner; if the public interest weighs more, escalate to the committee",
        )
    return _Finding(
        8,
        "restricted",
        "a trade secret",
        "Regulation on Government Information Disclosure art. 15",
        frozenset({"confidentiality", "purpose", "no onward"}),
    )


def _demanding(item: Item) -> _Finding | None:
    if not item.demanding:
        return None
    return _Finding(
        9,
        "restricted",
        "real-time, continuous, or needing strong handling",
        "Shanghai Data Regulation art. 41",
        frozenset({"capability check", "service agreement"}),
    )


_RULES: tuple[Callable[[Item], _Finding | None], ...] = (
    _secrets,
    _core_data,
    _cited_prohibition,
    _important_data,
    _identified_people,
    _deidentified_records,
    _aggregates,
    _trade_secrets,
    _demanding,
)

_LEGAL_SOURCE = re.compile(
    r"\b(law|act|code|constitution|regulations?|decree|order|decision|measures|provisions|statute|"
    r"directive|arts?|article|section)\b|[法条令定]|办法|\d",
    re.IGNORECASE,
)
_INTERNAL = re.compile(r"\binternal\b(?! security)|内部", re.IGNORECASE)


def is_citation(text: str) -> bool:
    """Whether a text names a legal source: not empty, not "internal policy", but a law or an article.

    >>> is_citation("Statistics Law art. 28"), is_citation("internal policy"), is_citation("because")
    (True, False, False)
    """
    return bool(_LEGAL_SOURCE.search(text)) and not _INTERNAL.search(text)
