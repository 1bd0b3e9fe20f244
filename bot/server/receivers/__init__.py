"""Senders of webhooks that have a door of their own. To add one, add its module here."""

from collections.abc import Mapping

from bot.contracts import Sender
from bot.server.receivers import (
    artifactory,
    azure,
    bitbucket,
    dockerhub,
    generic,
    gitea,
    github,
    gitlab,
    harbor,
    quay,
)

SENDERS: tuple[Sender, ...] = (
    artifactory,
    azure,
    bitbucket,
    dockerhub,
    generic,
    gitea,
    github,
    gitlab,
    harbor,
    quay,
)
BY_NAME: Mapping[str, Sender] = {sender.NAME: sender for sender in SENDERS}
