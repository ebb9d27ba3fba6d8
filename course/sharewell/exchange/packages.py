"""What leaves an exchange: a file that carries its data, its conditions and a signature.

A ZIP file with ``data.parquet``, ``datapackage.json`` (Frictionless Data Package 2.0, with the conditions and the SHA-256 of the data)
and ``signature.json`` (Ed25519, RFC 8032, over the bytes of ``datapackage.json``). Who has the exchange's public key can tell that neither
was changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sharewell.database import in_memory
from sharewell.errors import SharewellError

if TYPE_CHECKING:
    import pyarrow as pa

    from sharewell.exchange.holdings import Holdings
    from sharewell.exchange.loop import Exchange

DATA, ABOUT, SIGNATURE = "data.parquet", "datapackage.json", "signature.json"
_ABOUT_SIZE = 1 << 20
"""Bytes that a description may have; what claims more is no package of ours."""
_CHUNK = 1 << 20
_TYPES = {
    "BOOLEAN": "boolean",
    "VARCHAR": "string",
    "DATE": "date",
    "TIME": "time",
    "FLOAT": "number",
    "DOUBLE": "number",
    "DECIMAL": "number",
}


@dataclass(frozen=True)
class Conditions:
    """What a release may be used for: by whom, for what, which fields, up to and including which day."""

    grant: str
    resource: str
    label: str
    consumer: str
    purpose: str
    fields: tuple[str, ...]
    until: date
    released_on: date
    released_by: str

    def in_words(self, today: date) -> list[str]:
        """The conditions as sentences."""
        what = f"{', '.join(self.fields)} of {self.resource} ({self.label})"
        over = f"Its last day, {self.until}, has passed: it must be deleted, and the deletion certified."
        return [
            f"Released to {self.consumer} on {self.released_on} by {self.released_by} under {self.grant}.",
            over
            if today > self.until
            else f"May be used up to and including {self.until}: {what}.",
            f"Only for this purpose: {self.purpose}.",
            "Not to be passed on. At the end of its use it is deleted, and the deletion certified.",
        ]


@dataclass(frozen=True)
class Release:
    """A package that is as it was signed, its conditions, and the public key of who signed, in hexadecimal."""

    conditions: Conditions
    signed_by: str


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file (PEM, readable by its owner only), which is made when there is none.

    Raises
    ------
    SharewellError
        What is in the file is no such key.
    """
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise SharewellError(f"{path} holds no signing key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SharewellError(f"{path} holds a key of another kind; an Ed25519 key is needed")
    return key


def key_of(exchange: Path) -> Ed25519PrivateKey:
    """The key of the exchange in a file, which is made when there is none."""
    return signing_key(key_path(exchange))


def key_path(exchange: Path) -> Path:
    """Where the key of the exchange in a file is: beside it, or, so that whoever copies its folder has no key, in the folder that
    SHAREWELL_EXCHANGE_KEYS names."""
    elsewhere = os.environ.get("SHAREWELL_EXCHANGE_KEYS")
    beside = exchange.with_suffix(".key")
    return Path(elsewhere) / beside.name if elsewhere else beside


def public(key: Ed25519PrivateKey) -> str:
    """The public half of a key, in hexadecimal: what others need to check a package."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def release(
    exchange: Exchange, actor: str, grant: str, holdings: Holdings, path: Path
) -> Conditions:
    """Release a grant: write the approved fields of the data that the exchange holds as a signed package.

    Parameters
    ----------
    holdings : Holdings
        Of the exchange. Only the approved fields are read.
    path : path
        Of the package; it must not exist.

    Raises
    ------
    Refused
        The exchange does not allow it; it has a record of that, and there is no file.
    SharewellError
        Only answers to queries are granted, or there are no data, or the package cannot be written. In an exchange that is kept in a
        file nothing has happened then.
    """
    if path.exists():
        raise SharewellError(f"{path} is there already: a release is not written over another")
    if grant in exchange.grants and exchange.grants[grant].epsilon:
        raise SharewellError(f"only answers to queries are granted by {grant}: no data leave")
    with exchange.store.transaction():
        exchange.release(actor, grant)
        found = exchange.grants[grant]
        conditions = Conditions(
            grant=grant,
            resource=found.resource,
            label=exchange.resources[found.resource].label,
            consumer=found.consumer,
            purpose=found.purpose,
            fields=tuple(sorted(found.fields)),
            until=found.until,
            released_on=exchange.today,
            released_by=actor,
        )
        with holdings.read(exchange, found.resource, found.fields) as data:
            _write(conditions, data, path, holdings.key)
    return conditions


def hand_out(exchange: Exchange, actor: str, grant: str, holdings: Holdings, folder: Path) -> None:
    """Release a grant as it was granted: as a package in the folder, or, where only answers leave, without one.

    The policies are asked before anything is touched that lies there.
    """
    known = exchange.grants.get(grant)
    if not known or known.epsilon or not exchange.may(actor, "release", grant):
        return exchange.release(actor, grant)
    target = folder / f"{grant}.zip"
    target.unlink(missing_ok=True)  # of an approval under an earlier label
    release(exchange, actor, grant, holdings, target)
    return None


def check(path: Path, key: str = "") -> Release:
    """What a package is, and that it is as it was signed.

    Parameters
    ----------
    key : str
        The public key of the exchange that it should come from, in hexadecimal. Without it, the package proves only that it was not
        changed since somebody signed it: who, is ``Release.signed_by``.

    Raises
    ------
    SharewellError
        It is no package, was changed, or was signed by somebody else.
    """
    try:
        with zipfile.ZipFile(path) as package:
            about = _member(package, ABOUT).read(_ABOUT_SIZE)
            signed = json.loads(_member(package, SIGNATURE).read(_ABOUT_SIZE))
            signer, signature = str(signed["key"]), bytes.fromhex(signed["signature"])
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(signer)).verify(signature, about)
            described = json.loads(about)
            with _member(package, DATA) as data:
                found = _digest(data)
        told = described["conditions"]
        days = {name: date.fromisoformat(told[name]) for name in ("until", "released_on")}
        conditions = Conditions(**{**told, **days, "fields": tuple(told["fields"])})
        promised = described["resources"][0]["hash"]
    except InvalidSignature:
        raise SharewellError(f"{path}: its conditions are not those that were signed") from None
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        NotImplementedError,
    ) as error:
        raise SharewellError(f"{path} is no release of an exchange: {error}") from error
    except OSError as error:
        raise SharewellError(f"{path} cannot be read: {error.strerror}") from error
    if found != promised:
        raise SharewellError(f"{path}: its data are not those that were signed")
    if key and key.lower() != signer:
        raise SharewellError(
            f"{path} was signed by somebody else: by {signer}, not by {key.lower()}"
        )
    return Release(conditions, signer)


def _write(
    conditions: Conditions, data: pa.RecordBatchReader, path: Path, key: Ed25519PrivateKey
) -> None:
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".release-") as scratch:
        table, package = Path(scratch) / DATA, Path(scratch) / "package.zip"
        schema = _copy(data, table)
        with table.open("rb") as written:
            digest = _digest(written)
        about = _described(conditions, schema, digest)
        signature = {"key": public(key), "signature": key.sign(about).hex()}
        with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as archive:
            archive.write(table, DATA)
            archive.writestr(ABOUT, about)
            archive.writestr(SIGNATURE, json.dumps(signature, indent=2))
        package.replace(path)


def _copy(data: pa.RecordBatchReader, table: Path) -> list[dict[str, str]]:
    """Write the data as Parquet. Returns what their fields are."""
    import duckdb

    try:
        with in_memory() as database:
            found = database.from_arrow(data)
            found.write_parquet(str(table))
            pairs = zip(found.columns, map(str, found.types), strict=True)
            return [{"name": name, "type": _frictionless(kind)} for name, kind in pairs]
    except duckdb.Error as error:
        raise SharewellError(f"the package cannot be written: {error}") from error


def _frictionless(kind: str) -> str:
    plain = kind.partition("(")[0]
    if plain.endswith("INT") or plain in ("INTEGER", "UINTEGER"):
        return "integer"
    return "datetime" if plain.startswith("TIMESTAMP") else _TYPES.get(plain, "any")


def _described(conditions: Conditions, schema: list[dict[str, str]], digest: str) -> bytes:
    described: dict[str, Any] = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": "release",
        "title": f"{conditions.resource}, released to {conditions.consumer}",
        "conditions": {
            **vars(conditions),
            "until": conditions.until.isoformat(),
            "released_on": conditions.released_on.isoformat(),
        },
        "resources": [
            {
                "name": "data",
                "path": DATA,
                "format": "parquet",
                "mediatype": "application/vnd.apache.parquet",
                "hash": digest,
                "schema": {"fields": schema},
            }
        ],
    }
    return json.dumps(described, indent=2, ensure_ascii=False).encode()


def _member(package: zipfile.ZipFile, name: str) -> IO[bytes]:
    known = package.getinfo(name)
    if known.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed, which ours are not")
    return package.open(known)


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"
