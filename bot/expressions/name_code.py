"""Code for the names of the environment."""

from bot.expressions.errors import Fault
from bot.expressions.frame import Code, Frame, located
from bot.expressions.values import adopt


def name_code(name: str, position: int) -> Code:
    """Code for one name: its value, or nil."""

    def load(frame: Frame) -> object:
        value = frame.environment.get(name)
        if value is None or type(value) is str:
            return value
        try:
            adopted = adopt(value, name)
            if adopted is not value:
                frame.budget.spend(30 + (len(adopted) if isinstance(adopted, (list, dict)) else 0))
        except Fault as fault:
            raise located(fault, position) from fault
        return adopted

    return load


def environment_code(frame: Frame) -> object:
    """Code for `$env`: all names and their values."""
    frame.budget.spend(len(frame.environment))
    return dict(frame.environment)
