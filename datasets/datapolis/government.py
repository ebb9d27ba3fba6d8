"""What a government holds about its own data: agencies, a catalogue, responsibilities, requests, decisions.

The catalogue keeps two attributes apart: sharing (between public bodies) and opening (to society). Some entries,
and some decisions, have defects that ``_faults`` names as ``field: kind``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from datapolis.country import Country

TODAY = np.datetime64("2026-01-01")
CYCLES = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "yearly": 366}

PARAMETERS = {
    "catalogue entries with a defect": 0.4,
    "entries without a provider": 2,
    "entries that two agencies claim": 2,
    "working days to answer a request": 10,
    "late decisions": 0.12,
    "refusals without a reason": 0.2,
    "conditions added to public items": 0.1,
}


class Agency(NamedTuple):
    key: str
    name: str
    chinese: str
    level: str  # macro: nation; meso: sector or city; micro: one body


AGENCIES = (
    Agency("A01", "Data Governance Committee", "数据治理委员会", "macro"),
    Agency("A02", "Statistics Office", "统计局", "macro"),
    Agency("A03", "Ministry of Health", "卫生部", "macro"),
    Agency("A04", "Ministry of Transport", "交通部", "macro"),
    Agency("A05", "Ministry of Trade", "贸易部", "macro"),
    Agency("A06", "Ministry of the Interior", "内政部", "macro"),
    Agency("A07", "City Data Platform", "城市数据平台", "meso"),
    Agency("A08", "Health Data Platform", "卫生数据平台", "meso"),
    Agency("A09", "Transport Data Platform", "交通数据平台", "meso"),
    Agency("A10", "Northern Province", "北省", "meso"),
    Agency("A11", "Delta Province", "三角洲省", "meso"),
    Agency("A12", "Highland Province", "高原省", "meso"),
    Agency("A13", "Population Register", "人口登记处", "micro"),
    Agency("A14", "Commerce Register", "工商登记处", "micro"),
    Agency("A15", "Disease Control Centre", "疾病控制中心", "micro"),
    Agency("A16", "Air Monitoring Service", "空气监测站", "micro"),
    Agency("A17", "Metro Company", "地铁公司", "micro"),
    Agency("A18", "Grid Company", "电网公司", "micro"),
)


class _Kind(NamedTuple):
    """A kind of entry: title, agency, fields, and the attributes that it ought to have."""

    title: str
    agency: str
    fields: str
    cycle: str
    sharing: str
    condition: str
    basis: str
    opening: str


_REGISTER = "Population Register Act, section 12"
_SECRECY = "State Secrets Law, article 36"
_STATISTICS = "Statistics Law, article 28"
_DUTY = "statutory duty of the recipient, minimum fields, access log"
_KINDS = (
    _Kind("Register of residents", "A13", "id_number;name;birth_date;address", "daily", "restricted", _DUTY, "", "non-sharing"),
    _Kind("Births and deaths by district", "A13", "district;month;births;deaths", "monthly", "public", "", "", "public"),
    _Kind("Register of firms", "A14", "firm_code;name;representative;district", "daily", "public", "", "", "public"),
    _Kind("Turnover of firms", "A14", "firm_code;turnover", "yearly", "restricted", _DUTY, "", "non-sharing"),
    _Kind("Cases of notifiable disease", "A15", "case_no;name;birth_date;onset", "daily", "restricted", _DUTY, "", "non-sharing"),
    _Kind("Cases by district and week", "A15", "district;week;cases", "weekly", "public", "", "", "public"),
    _Kind("Vaccination doses by centre", "A15", "centre;day;doses", "daily", "public", "", "", "public"),
    _Kind("Air quality, hourly", "A16", "station;hour;no2;pm25;ozone", "daily", "public", "", "", "public"),
    _Kind("Taps at metro barriers", "A17", "rider;station;time", "daily", "restricted", _DUTY, "", "non-sharing"),
    _Kind("Metro timetable", "A17", "line;station;time", "quarterly", "public", "", "", "public"),
    _Kind("Live positions of trains", "A17", "train;north;east;time", "daily", "restricted", "service agreement, rate limit", "", "restricted"),
    _Kind("Smart-meter readings", "A18", "meter;hour;kwh", "daily", "restricted", _DUTY, "", "non-sharing"),
    _Kind("Position of transformers", "A18", "transformer;north;east", "yearly", "non-sharing", "", _SECRECY, "non-sharing"),
    _Kind("Answers to the household survey", "A02", "household;income;rent", "yearly", "non-sharing", "", _STATISTICS, "non-sharing"),
    _Kind("Price index", "A02", "month;group;index", "monthly", "public", "", "", "public"),
    _Kind("Hospital beds by day", "A03", "hospital;day;beds;free", "daily", "public", "", "", "public"),
    _Kind("Hospital stays", "A08", "patient;admitted;diagnosis", "monthly", "restricted", _DUTY, "", "non-sharing"),
    _Kind("Road works", "A07", "street;from;to", "weekly", "public", "", "", "public"),
    _Kind("Trade permits", "A05", "firm_code;goods;until", "monthly", "restricted", _DUTY, "", "restricted"),
    _Kind("Land prices by street", "A07", "street;year;price", "yearly", "public", "", "", "public"),
)  # fmt: skip
_PLACES = ("", ", Northern Province", ", Delta Province")
_FORMATS = ("Parquet", "CSV", "API", "GeoJSON")
_LICENCE = "CC BY 4.0"

ENTRIES = len(_KINDS) * len(_PLACES)
REQUESTS = 400


def agencies(country: Country, part: int) -> pa.Table:
    above = {"macro": "", "meso": "A01", "micro": "A07"}
    return pa.table(
        {
            "agency_id": [a.key for a in AGENCIES],
            "name": [a.chinese if country.locale == "zh_CN" else a.name for a in AGENCIES],
            "level": [a.level for a in AGENCIES],
            "reports_to": pa.array([above[a.level] or None for a in AGENCIES], pa.string()),
            "contact": [f"data-steward.{a.key.lower()}@post.example.org" for a in AGENCIES],
        }
    )


def _entries(country: Country) -> list[dict[str, str | None]]:
    draw = country.draw("catalogue_entries", 0)
    age, form = draw("age").random(ENTRIES), draw("format").integers(0, len(_FORMATS), ENTRIES)
    entries = []
    for n in range(ENTRIES):
        kind, place = _KINDS[n % len(_KINDS)], n // len(_KINDS)
        days = int(age[n] * CYCLES[kind.cycle])
        shared = kind.sharing != "non-sharing"
        entries.append(
            {
                "entry_id": f"E{n + 1:03}",
                "title": kind.title + _PLACES[place],
                "agency_id": (kind.agency, "A10", "A11")[place],
                "fields": kind.fields,
                "format": _FORMATS[form[n]],
                "update_cycle": kind.cycle,
                "last_updated": str(TODAY - days),
                "sharing": kind.sharing,
                "sharing_condition": kind.condition or None,
                "legal_basis": kind.basis or (_REGISTER if kind.sharing == "restricted" else None),
                "opening": kind.opening,
                "opening_condition": "service agreement" if kind.opening == "restricted" else None,
                "licence": _LICENCE if kind.opening == "public" else None,
                "access_url": f"https://data.example.org/e{n + 1:03}" if shared else None,
                "_faults": "",
            }
        )
    return entries


class _Defect(NamedTuple):
    """A way to spoil an entry: which field, what to call it, on which attribute, and what to write."""

    field: str
    kind: str
    applies: tuple[str, str]  # field and value
    value: str | None


_DEFECTS = (
    _Defect("sharing_condition", "missing", ("sharing", "restricted"), None),
    _Defect("sharing_condition", "blank", ("sharing", "restricted"), " "),
    _Defect("legal_basis", "missing", ("sharing", "non-sharing"), None),
    _Defect("legal_basis", "no law", ("sharing", "non-sharing"), "internal policy"),
    _Defect("legal_basis", "blank", ("sharing", "non-sharing"), "none"),
    _Defect("opening", "looser than sharing", ("sharing", "restricted"), "public"),
    _Defect("opening", "looser than sharing", ("sharing", "non-sharing"), "restricted"),
    _Defect("licence", "missing", ("opening", "public"), None),
    _Defect(
        "access_url", "not shared", ("sharing", "non-sharing"), "https://data.example.org/files"
    ),
    _Defect("sharing_condition", "public with a condition", ("sharing", "public"), "ask first"),
    _Defect("last_updated", "older than the update cycle", ("sharing", "public"), "2023-02-01"),
    _Defect("last_updated", "in the future", ("sharing", "restricted"), "2027-05-01"),
    _Defect("title", "missing", ("opening", "public"), " "),
)


def catalogue(country: Country, part: int) -> pa.Table:
    """The catalogue of the whole country, with planted defects."""
    entries, draw = _entries(country), country.draw("catalogue_entries", 0)
    spoiled = draw("spoiled").random(ENTRIES) < PARAMETERS["catalogue entries with a defect"]
    chosen = draw("defect").random((ENTRIES, 2))
    for n in np.flatnonzero(spoiled).tolist():
        entry = entries[n]
        fitting = [d for d in _DEFECTS if entry[d.applies[0]] == d.applies[1]]
        picked = {fitting[int(u * len(fitting))] for u in chosen[n]}
        fields = set()
        for defect in sorted(picked):
            if defect.field not in fields:
                fields.add(defect.field)
                entry[defect.field] = defect.value
                if defect.field == "opening":  # the rest of the entry fits the wrong attribute
                    entry["licence"] = _LICENCE if defect.value == "public" else None
                    entry["opening_condition"] = (
                        "service agreement" if entry["licence"] is None else None
                    )
        told = [f"{d.field}: {d.kind}" for d in sorted(picked) if entry[d.field] == d.value]
        entry["_faults"] = "\n".join(told)
    return pa.Table.from_pylist(entries, schema=_strings(entries[0]))


def _strings(row: dict[str, str | None]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in row])


def responsibilities(country: Country, part: int) -> pa.Table:
    """Who must do what about each entry: one row an entry, but for those that two agencies claim.

    For some entries nobody has signed as provider.
    """
    draw = country.draw("responsibilities", 0)
    by_level = {
        level: [a.key for a in AGENCIES if a.level == level] for level in ("macro", "meso", "micro")
    }
    few = PARAMETERS["entries without a provider"]
    odd = draw("odd").permutation(ENTRIES)[: few + PARAMETERS["entries that two agencies claim"]]
    nobody, claimed = set(odd[:few].tolist()), set(odd[few:].tolist())
    rows: list[dict[str, str | None]] = []
    for n, (entry, platform) in enumerate(
        zip(_entries(country), draw("steward").integers(0, 3, ENTRIES).tolist(), strict=True)
    ):
        row = {
            "entry_id": entry["entry_id"],
            "provider": entry["agency_id"],
            "steward": by_level["meso"][platform],
            "answers_to": "A01",
            "single_source": "yes" if n < len(_KINDS) else "no",
            "duty": f"keep {entry['fields']} up to date, {entry['update_cycle']}",
            "_faults": "",
        }
        if n in nobody:
            row |= {"provider": None, "_faults": "provider: missing"}
        rows.append(row)
        if n in claimed:
            other = next(key for key in by_level["micro"] if key != entry["agency_id"])
            rows.append({**row, "provider": other, "_faults": "provider: second provider"})
    return pa.Table.from_pylist(rows, schema=_strings(rows[0]))


_PURPOSES = (
    ("plan school places", "statutory duty"), ("trace contacts in the epidemic", "emergency"),
    ("check permits", "statutory duty"), ("train a price model", "contract"),
    ("might be useful", "none"), ("study commuting", "consent"), ("draw a map", "none"),
)  # fmt: skip
_OUTSIDE = ("university", "retailer", "journalist", "foreign parent company")


def _requests(country: Country) -> list[dict[str, str | None]]:
    draw = country.draw("sharing_requests", 0)
    entries = _entries(country)
    day = np.sort(draw("day").integers(0, 340, REQUESTS))
    entry = draw("entry").integers(0, ENTRIES, REQUESTS)
    outside = draw("outside").random(REQUESTS) < 0.3
    who = draw("who").integers(0, len(AGENCIES), REQUESTS)
    why = draw("why").integers(0, len(_PURPOSES), REQUESTS)
    fewer = draw("fields").random(REQUESTS)
    rows = []
    for n in range(REQUESTS):
        fields = str(entries[entry[n]]["fields"]).split(";")
        rows.append(
            {
                "request_id": f"Q{n + 1:04}",
                "entry_id": entries[entry[n]]["entry_id"],
                "requester": _OUTSIDE[who[n] % 4] if outside[n] else AGENCIES[who[n]].key,
                "audience": "society" if outside[n] else "gov",
                "purpose": _PURPOSES[why[n]][0],
                "basis": _PURPOSES[why[n]][1],
                "fields": ";".join(fields[: max(1, round(fewer[n] * len(fields)))]),
                "submitted_on": str(np.datetime64("2025-01-02") + day[n]),
            }
        )
    return rows


def requests(country: Country, part: int) -> pa.Table:
    """Who asked for what, why, and on which legal basis, in 2025."""
    rows = _requests(country)
    return pa.Table.from_pylist(rows, schema=_strings(rows[0]))


def decisions(country: Country, part: int) -> pa.Table:
    """What was answered. Requests for public items are granted at once and are not decided."""
    draw = country.draw("sharing_decisions", 0)
    entries = {entry["entry_id"]: entry for entry in _entries(country)}
    late = draw("late").random(REQUESTS) < PARAMETERS["late decisions"]
    mute = draw("mute").random(REQUESTS) < PARAMETERS["refusals without a reason"]
    extra = draw("extra").random(REQUESTS) < PARAMETERS["conditions added to public items"]
    waited = draw("waited").integers(1, 11, REQUESTS)
    rows = []
    for n, request in enumerate(_requests(country)):
        entry, faults = entries[request["entry_id"]], []
        label = entry["sharing" if request["audience"] == "gov" else "opening"]
        if label == "public" and not extra[n]:
            continue
        granted = label == "public" or (label == "restricted" and request["basis"] != "none")
        reason = (
            None
            if granted
            else "no legal basis"
            if label == "restricted"
            else str(entry["legal_basis"] or _REGISTER)
        )
        condition = entry["sharing_condition"] or "service agreement" if granted else None
        days = int(waited[n]) + (11 if late[n] else 0)
        if days > PARAMETERS["working days to answer a request"]:
            faults.append("decided_on: late")
        if label == "public":
            condition = "ask first"
            faults.append("condition: added to a public item")
        if not granted and mute[n]:
            reason = None
            faults.append("reason: missing")
        rows.append(
            {
                "request_id": request["request_id"],
                "decided_by": entry["agency_id"],
                "decision": "approved" if granted else "refused",
                "reason": reason,
                "condition": condition,
                "decided_on": str(
                    np.busday_offset(str(request["submitted_on"]), days, roll="forward")
                ),
                "_faults": "\n".join(faults),
            }
        )
    return pa.Table.from_pylist(rows, schema=_strings(rows[0]))
