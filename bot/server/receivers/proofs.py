"""How senders prove that a delivery is theirs: a signature over the body, a word they share with us, or the address."""

import hashlib
import hmac

from bot.contracts import Message


def signed(message: Message, secret: str, header: str, prefix: str = "") -> bool:
    """Whether the header holds the body's HMAC-SHA256 in hexadecimal, after `prefix`."""
    wanted = prefix + hmac.digest(secret.encode(), message.body, hashlib.sha256).hex()
    return _same(message.headers.get(header, ""), wanted)


def told(message: Message, secret: str, header: str) -> bool:
    """Whether the header is the secret itself."""
    return _same(message.headers.get(header, ""), secret)


def by_address(message: Message, secret: str) -> bool:
    """The sender signs nothing: whoever knows the address, which holds a digest of the secret, is believed."""
    return True


def _same(given: str, wanted: str) -> bool:
    # As bytes: compare_digest refuses text beyond ASCII.
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), wanted.encode("utf-8", "surrogateescape"))
