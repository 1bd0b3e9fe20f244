"""Comment commands. To add one: its module, its test, its name in this tuple."""

from bot.commands import help, promote, rollback, status
from bot.contracts.commands import Command

COMMANDS: tuple[Command, ...] = (promote, rollback, status, help)
BY_NAME = {command.NAME: command for command in COMMANDS}
