"""The worked examples of the decision rules: what was asked for, by whom, and the label it gets."""

from __future__ import annotations

from typing import NamedTuple

from sharewell.classify import Item, Label


class Example(NamedTuple):
    code: str
    text: str
    item: Item
    label: Label
    hold: bool = False


def _baskets(k: int, audience: str = "society") -> Item:
    return Item(audience=audience, personal="deidentified", k=k)  # type: ignore[arg-type]


def _register(audience: str, basis: str = "none") -> Item:
    return Item(audience=audience, personal="identified", basis=basis)  # type: ignore[arg-type]


def _sales(dominance_ok: bool | None) -> Item:
    return Item(audience="society", unit="aggregate", k=12, dominance_ok=dominance_ok)


EXAMPLES: tuple[Example, ...] = (
    Example("E01", "bus timetable and stops, to everybody", Item(audience="society", unit="object"), "public"),
    Example(
        "E02",
        "live feed of bus positions, to everybody",
        Item(audience="society", unit="object", demanding=True),
        "restricted",
    ),
    Example("E03", "daily air quality by station, to everybody", Item(audience="society", unit="object"), "public"),
    Example(
        "E04",
        "population register with names and identity numbers, to an office with a statutory duty",
        _register("gov", "duty"),
        "restricted",
    ),
    Example("E05", "the same, to an office that says it might be useful", _register("gov"), "non-sharing"),
    Example("E06", "the same, to everybody", _register("society"), "non-sharing"),
    Example(
        "E07",
        "company register with legal representatives, published by law, to everybody",
        _register("society", "by_law"),
        "public",
    ),
    Example(
        "E08",
        "hospital records with names, to disease control in an emergency",
        Item(personal="identified", sensitive=True, basis="emergency"),
        "restricted",
    ),
    Example(
        "E10",
        "cases by district, smallest cell 25, several outcomes in each, to everybody",
        Item(audience="society", unit="aggregate", personal="anonymous", sensitive=True, k=25, l=2),
        "public",
    ),
    Example(
        "E11",
        "cases by street, age and sex, smallest cell 3, to everybody",
        Item(audience="society", unit="aggregate", personal="anonymous", sensitive=True, k=3),
        "restricted",
        hold=True,
    ),
    Example(
        "E12",
        "itineraries of patients without names, each one different, to everybody",
        Item(audience="society", personal="deidentified", sensitive=True, k=1),
        "non-sharing",
        hold=True,
    ),
    Example(
        "E14",
        "shopping baskets with hashed card numbers, smallest class 5, to a partner under contract",
        _baskets(5, "partner"),
        "restricted",
    ),
    Example("E15", "the same baskets, smallest class 19, to everybody", _baskets(19), "non-sharing", hold=True),
    Example("E16", "the same baskets, smallest class 20, to everybody", _baskets(20), "public"),
    Example("E20", "sales by category and city, 12 firms, one has 85 %, to everybody", _sales(False), "restricted", hold=True),
    Example("E21", "the same, and no firm dominates a cell", _sales(True), "public"),
    Example(
        "E24",
        "draft memorandum that is a work secret, to another office",
        Item(secret="work", unit="object"),
        "non-sharing",
    ),
    Example(
        "E25",
        "answers to a statistical survey, one row a person, to an office that has a duty",
        Item(
            personal="identified",
            basis="duty",
            prohibited_by="Statistics Law art. 28",
        ),
        "non-sharing",
    ),
    Example("E30", "number of road works by street, to another office", Item(unit="object"), "public"),
    Example("E31", "sales by category and city, dominance never computed, to everybody", _sales(None), "restricted", hold=True),
    Example(
        "E32",
        "a genome that its owner publishes by consent, to everybody",
        Item(audience="society", personal="identified", sensitive=True, basis="consent"),
        "non-sharing",
    ),
)  # fmt: skip
"""From the course's curriculum; numbers that are missing are questions on which experts disagree."""
