"""GitLab's refusals, told to whoever can mend them."""

from bot.errors import UserError
from bot.gitlab.address import Address
from bot.gitlab.client import Refused

_PLACE = "the key `.git-credentials` of the repository's secret `git`"
_ASKED_TOO_MUCH = frozenset({400, 409, 413, 422})  # what GitLab says of what is in a request


def told(refusal: Refused, address: Address, doing: str, role: str) -> Exception:
    """What to raise for a refusal to let us do something, as "open a merge request", for which that role is wanted.

    The refusal itself where nobody but us can be wrong.
    https://docs.gitlab.com/user/permissions/ and https://docs.gitlab.com/user/profile/personal_access_tokens/
    """
    at = address.url
    if refusal.error == "insufficient_scope":
        return UserError(
            f"the token for {at} may not {doing}: it lacks the scope `api`; put one that has it into {_PLACE}"
        )
    if refusal.status == 401:
        return UserError(
            f"{address.origin} refuses the token for {at} ({refusal.message}): it may have expired, or been revoked; "
            f"put a new one into {_PLACE}"
        )
    if refusal.status == 403:
        return UserError(
            f"the token for {at} may not {doing} ({refusal.message}); whose it is needs the role {role} there"
        )
    if refusal.status == 404:
        return UserError(
            f"{address.origin} knows no project {address.path}, or the token may not see it ({refusal.message}); "
            f"correct repoURL, or give whose token it is the role {role} there"
        )
    if refusal.status in _ASKED_TOO_MUCH:
        return UserError(f"{at} would not {doing}: {refusal.message}")
    return refusal
