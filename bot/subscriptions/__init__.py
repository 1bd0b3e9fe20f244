"""The kinds of places that artifacts come from. To add one, add its module here."""

from collections.abc import Mapping

from bot.contracts import Subscription
from bot.subscriptions import chart, git, image

SUBSCRIPTIONS: tuple[Subscription, ...] = (image, git, chart)
BY_NAME: Mapping[str, Subscription] = {subscription.NAME: subscription for subscription in SUBSCRIPTIONS}
