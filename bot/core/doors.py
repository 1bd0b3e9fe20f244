"""Where a sender's webhooks go: an address that only whoever has the receiver's secret can tell."""

import hashlib
import hmac


def token(repository: str, kind: str, name: str, secret: str) -> str:
    """The last part of the address: a digest of all that tells one receiver from another, keyed by its secret.

    As Kargo's, it changes with the secret, and not otherwise.
    """
    about = "\n".join((repository.lower(), kind, name))
    return hmac.digest(secret.encode("utf-8", "surrogatepass"), about.encode(), hashlib.sha256).hex()


def path(repository: str, kind: str, name: str, secret: str) -> str:
    """The address below the server's own. It is a secret by itself."""
    return f"/webhook/{kind}/{repository}/{name}/{token(repository, kind, name, secret)}"
