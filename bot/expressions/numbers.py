"""Numbers as Go has them: 64 bits that wrap round, and floats that never fail."""

import math
import re

from bot.expressions.errors import shortened

LEAST, MOST = -(2**63), 2**63 - 1
_BITS = 2**64

_DECIMAL = re.compile(r"[+-]?[0-9]{1,400}", re.ASCII)
# https://go.dev/ref/spec#Floating-point_literals, and the names of what is no number
_FLOAT = re.compile(r"[+-]?(?:[0-9_]+\.?[0-9_]*|\.[0-9_]+)(?:e[+-]?[0-9_]+)?|[+-]?inf(?:inity)?|nan", re.I | re.ASCII)
_HEX_FLOAT = re.compile(r"[+-]?0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)p[+-]?[0-9]{1,9}", re.I | re.ASCII)


def wrap(number: int) -> int:
    """The number as 64 bits hold it."""
    if LEAST <= number <= MOST:
        return number
    return (number - LEAST) % _BITS + LEAST


def to_int(number: float) -> int:
    """Cut off what follows the point; what does not fit becomes the least number, as on amd64."""
    if math.isfinite(number) and LEAST <= (whole := int(number)) <= MOST:
        return whole
    return LEAST


def parse_int(text: str) -> int:
    """A decimal number of 64 bits without spaces or underscores (strconv.Atoi). Raises `ValueError`."""
    if _DECIMAL.fullmatch(text) is None or not LEAST <= (number := int(text)) <= MOST:
        raise ValueError(f"{shortened(text)} is not a whole number of 64 bits")
    return number


def parse_float(text: str) -> float:
    """A float as https://pkg.go.dev/strconv#ParseFloat reads it. Raises `ValueError`."""
    try:
        if _HEX_FLOAT.fullmatch(text):
            return float.fromhex(text)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if not math.isinf(number) or "n" in text.lower():
                return number
    except (ValueError, OverflowError):  # misplaced underscores, or too large
        pass
    raise ValueError(f"{shortened(text)} is not a number")


def integer_literal(written: str) -> int:
    """A whole number as it is written in an expression, without underscores, in lower case."""
    base = {"0x": 16, "0o": 8, "0b": 2}.get(written[:2], 10)
    digits = written if base == 10 else written[2:]
    if not digits.isalnum():
        raise ValueError("it has no digits" if not digits else "it has a point")
    # Measured first: converting a very long decimal number is slow.
    if len(digits.lstrip("0")) > 64 or (number := int(digits, base)) > MOST:
        raise ValueError("it does not fit in 64 bits")
    return number


def float_literal(written: str) -> float:
    """A number with a point or an exponent as it is written in an expression."""
    number = parse_float(written)
    if math.isinf(number):
        raise ValueError("it is too large")
    return number


def power(base: float, exponent: float) -> float:
    """`base ** exponent`, to the last digit as Go computes it (https://pkg.go.dev/math#Pow), and without errors.

    Go multiplies by repeated squaring, where the C library that Python uses takes logarithms.
    """
    if base in {0.0, 1.0} or exponent in {0.0, 1.0} or not (math.isfinite(base) and math.isfinite(exponent)):
        return _special_power(base, exponent)
    if abs(exponent) == 0.5:
        root = math.sqrt(base) if base > 0 else math.nan
        return root if exponent > 0 else 1 / root
    fraction, whole = math.modf(abs(exponent))
    if fraction and base < 0:
        return math.nan
    if whole >= 2**63:  # then it is even, and the result out of range unless the base is -1
        if base == -1:
            return 1.0
        return 0.0 if (abs(base) < 1) == (exponent > 0) else math.inf
    if fraction > 0.5:
        fraction, whole = fraction - 1, whole + 1
    result, twos = math.exp(fraction * math.log(base)) if fraction else 1.0, 0
    mantissa, mantissa_twos = math.frexp(base)
    left = int(whole)
    while left:
        if abs(mantissa_twos) > 4096:  # far out of range already
            twos += mantissa_twos
            break
        if left & 1:
            result, twos = result * mantissa, twos + mantissa_twos
        mantissa, mantissa_twos = mantissa * mantissa, mantissa_twos * 2
        if mantissa < 0.5:
            mantissa, mantissa_twos = mantissa * 2, mantissa_twos - 1
        left >>= 1
    if exponent < 0:
        result, twos = 1 / result, -twos
    try:
        return math.ldexp(result, twos)
    except OverflowError:
        return math.copysign(math.inf, result)


def _special_power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except ValueError:  # zero to a negative power
        odd = math.isfinite(exponent) and math.fmod(exponent, 2) in {1.0, -1.0}
        return math.copysign(math.inf, base) if odd else math.inf


def divide(dividend: float, divisor: float) -> float:
    """Division that gives infinity or NaN for a divisor of 0."""
    if divisor:
        return dividend / divisor
    if dividend == 0 or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def round_half_away(number: float) -> float:
    """The nearest whole number; halves away from zero (https://pkg.go.dev/math#Round)."""
    if not math.isfinite(number):
        return number
    whole = math.trunc(number)
    if abs(number - whole) >= 0.5:
        whole += 1 if number > 0 else -1
    return math.copysign(float(whole), number)
