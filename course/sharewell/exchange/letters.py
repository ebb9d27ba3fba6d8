"""Letters between exchanges: who wrote them can be proved to everybody who knows one key, that of the exchange at the top.

An exchange that joins another gets a certificate: its name and keys, signed by the one above. The certificates from the top down are its
*chain*, and go with each letter. What a letter encloses is sealed (HPKE, RFC 9180, X25519) for the exchange that it is for: those on
the way can read who asks for what, not the data.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sharewell.exchange.packages import public
from sharewell.exchange.records import Refused

Certificate = dict[str, str]
"""``name`` of an exchange; ``key`` that signs, and ``box`` for which things are sealed, in hexadecimal; ``signature`` of the one above."""
_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class Forged(Refused):
    """A letter that is not from whom it says, or was changed."""


@dataclass(frozen=True)
class Letter:
    """Something that one exchange tells another.

    Attributes
    ----------
    origin, target : str
        Names of exchanges.
    text : str
        What was signed: JSON with origin, target, ``body``, ``chain``, and the SHA-256 of what is enclosed.
    signature : str
        Of the origin, in hexadecimal.
    enclosed : str
        The SHA-256 of what is enclosed, sealed; empty for nothing.
    state : str
        ``waiting`` to be carried on, ``gone``, or ``here``.
    """

    origin: str
    target: str
    text: str
    signature: str
    enclosed: str = ""
    state: str = "waiting"

    @property
    def number(self) -> str:
        """By which it is known: SHA-256 of its text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)["body"]
        return found

    @property
    def chain(self) -> list[Certificate]:
        found: list[Certificate] = json.loads(self.text)["chain"]
        return found


def write(
    key: Ed25519PrivateKey,
    chain: Sequence[Certificate],
    target: str,
    body: Mapping[str, Any],
    enclosed: str = "",
) -> Letter:
    """A signed letter of the exchange to which the chain leads."""
    origin = chain[-1]["name"]
    told = {"origin": origin, "target": target, "body": body, "chain": chain, "enclosed": enclosed}
    text = json.dumps(told, ensure_ascii=False)
    return Letter(origin, target, text, key.sign(text.encode()).hex(), enclosed)


def certificate(key: Ed25519PrivateKey, name: str, signs: str = "", opens: str = "") -> Certificate:
    """That the exchange of this name has these public keys, signed with ``key``; without keys, that of the top about itself."""
    told = {"name": name, "key": signs or public(key), "box": opens or public_box(key)}
    return {**told, "signature": key.sign(_plain(told)).hex()}


def check(letter: Letter, top: str) -> Certificate:
    """The certificate of who wrote a letter.

    Parameters
    ----------
    top : str
        The public key of the exchange at the top, in hexadecimal.

    Raises
    ------
    Forged
        It was not written by whom it says, or was changed, or there is no chain from the top to them.
    """
    try:
        told = json.loads(letter.text)
        same = (told["origin"], told["target"], told["enclosed"])
        json.dumps(told, ensure_ascii=False).encode()  # no half characters
        if not isinstance(told["body"], dict) or same != (
            letter.origin,
            letter.target,
            letter.enclosed,
        ):
            raise Forged("the letter is not the one that was signed")
        signer, above = top, ""
        for one in told["chain"]:
            content = {name: one[name] for name in ("name", "key", "box")}
            _signed(signer, one["signature"], _plain(content))
            if above and one["name"].rpartition("/")[0] != above:
                raise Forged(f"{above} cannot vouch for {one['name']}")
            signer, above = one["key"], one["name"]
        if above != letter.origin or told["chain"][0]["key"] != top:
            raise Forged(f"the letter does not prove that it is from {letter.origin}")
        _signed(signer, letter.signature, letter.text.encode())
    except Forged:
        raise
    except (InvalidSignature, KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise Forged(f"the letter does not prove that it is from {letter.origin}") from None
    found: Certificate = told["chain"][-1]
    return found


def seal(content: bytes, receiver: Certificate) -> bytes:
    """Something that the receiver alone can read. It is in memory as a whole."""
    return _SUITE.encrypt(
        content, X25519PublicKey.from_public_bytes(bytes.fromhex(receiver["box"]))
    )


def unseal(content: bytes, key: Ed25519PrivateKey) -> bytes:
    """What was sealed for who has this key.

    Raises
    ------
    Forged
        It was sealed for somebody else, or changed.
    """
    try:
        return _SUITE.decrypt(content, _box(key))
    except (InvalidTag, ValueError):
        raise Forged("what is enclosed was changed, or is for somebody else") from None


def public_box(key: Ed25519PrivateKey) -> str:
    """The key for which things are sealed that who has ``key`` is to read, in hexadecimal."""
    return _box(key).public_key().public_bytes_raw().hex()


def _box(key: Ed25519PrivateKey) -> X25519PrivateKey:
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    derived = HKDF(SHA256(), 32, salt=None, info=b"sealed letters").derive(raw)
    return X25519PrivateKey.from_private_bytes(derived)


def _signed(key: str, signature: str, content: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), content)


def _plain(content: Mapping[str, str]) -> bytes:
    return json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
