"""The functions on numbers."""

from __future__ import annotations

from typing import Final

from minisql.datatypes import (
    BIGINT,
    BOOLEAN,
    DOUBLE,
    INTEGER,
    MAX_DECIMAL_PRECISION,
    SqlType,
    TypeKind,
    decimal,
)
from minisql.expression.function import Function, Types


def _same(types: Types) -> SqlType | None:
    return INTEGER if types[0].kind is TypeKind.NULL else types[0]


def _rounded(types: Types) -> SqlType | None:
    """A DECIMAL keeps its scale where digits are given; rounding may take one digit more in front of the point."""
    operand = types[0]
    if operand.kind is TypeKind.DECIMAL:
        digits = operand.precision - operand.scale + 1
        return decimal(digits, 0) if len(types) == 1 else decimal(digits + operand.scale, operand.scale)
    return DOUBLE if operand.kind is TypeKind.NULL else operand


def _double(name: str, meaning: str, example: str, value: str, *, total: bool = False) -> Function:
    """A function from DOUBLE to DOUBLE."""
    return Function(f"{name}(number)", "d", DOUBLE, meaning, example, value, total=total)


NUMBER_FUNCTIONS: Final[tuple[Function, ...]] = (
    Function("abs(number)", "n", _same, "The number without its sign.", "abs(-3)", "3"),
    Function("sign(number)", "n", INTEGER, "-1, 0 or 1.", "sign(-2.5)", "-1"),
    Function("round(number [, digits])", "ni", _rounded, "Rounded to so many digits, halves away from zero.",
             "round(2.345, 2)", "2.350"),
    Function("trunc(number [, digits])", "ni", _rounded, "Cut to so many digits.", "trunc(-2.7)", "-2",
             aliases="truncate"),
    Function("ceil(number)", "n", _rounded, "The next whole number up.", "ceil(2.1)", "3", aliases="ceiling"),
    Function("floor(number)", "n", _rounded, "The next whole number down.", "floor(-2.1)", "-3"),
    Function("mod(number, divisor)", "nn", _same, "The rest of a division, with the sign of the number; also `%`.",
             "mod(-7, 3)", "-1", written_out=True),
    Function("div(number, divisor)", "nn", _same, "The quotient cut to a whole number; also `DIV` and `//`.",
             "div(-7, 2)", "-3", written_out=True),
    _double("sqrt", "The square root.", "sqrt(16)", "4.0"),
    _double("cbrt", "The cube root.", "cbrt(27)", "3.0", total=True),
    _double("exp", "e to the power of the number.", "exp(0)", "1.0", total=True),
    Function("power(number, exponent)", "dd", DOUBLE, "The number to the power of the exponent.", "power(2, 10)",
             "1024.0", aliases="pow"),
    _double("ln", "The natural logarithm.", "ln(1)", "0.0"),
    Function("log(number or base [, number])", "dd", DOUBLE, "The logarithm to a base, 10 by default.", "log(2, 8)",
             "3.0"),
    _double("log10", "The logarithm to the base 10.", "log10(100)", "2.0"),
    _double("log2", "The logarithm to the base 2.", "log2(8)", "3.0"),
    _double("sin", "The sine of an angle in radians.", "sin(0)", "0.0", total=True),
    _double("cos", "The cosine of an angle in radians.", "cos(0)", "1.0", total=True),
    _double("tan", "The tangent of an angle in radians.", "tan(0)", "0.0", total=True),
    _double("cot", "The cotangent of an angle in radians.", "round(cot(1), 4)", "0.6421"),
    _double("asin", "The angle with this sine.", "asin(0)", "0.0"),
    _double("acos", "The angle with this cosine.", "acos(1)", "0.0"),
    _double("atan", "The angle with this tangent.", "atan(0)", "0.0", total=True),
    Function("atan2(y, x)", "dd", DOUBLE, "The angle of the point (x, y).", "atan2(0, 1)", "0.0", total=True),
    _double("sinh", "The hyperbolic sine.", "sinh(0)", "0.0", total=True),
    _double("cosh", "The hyperbolic cosine.", "cosh(0)", "1.0", total=True),
    _double("tanh", "The hyperbolic tangent.", "tanh(0)", "0.0", total=True),
    _double("degrees", "Radians as degrees.", "degrees(pi())", "180.0", total=True),
    _double("radians", "Degrees as radians.", "radians(180) = pi()", "true", total=True),
    Function("pi()", "", DOUBLE, "The circle's constant.", "round(pi(), 4)", "3.1416", written_out=True),
    Function("random()", "", DOUBLE, "A random number from 0 up to 1, another one for each row.", "random() < 1",
             "true", aliases="rand", volatile=True),
    Function("gcd(left, right)", "ii", BIGINT, "The greatest common divisor.", "gcd(12, 18)", "6"),
    Function("lcm(left, right)", "ii", BIGINT, "The least common multiple.", "lcm(4, 6)", "12"),
    Function("factorial(number)", "i", decimal(MAX_DECIMAL_PRECISION, 0), "1 * 2 * ... * number, up to 33.",
             "factorial(5)", "120"),
    Function("bitwise_and(left, right)", "ii", BIGINT, "The bits set in both; `left & right`.", "5 & 3", "1",
             total=True),
    Function("bitwise_or(left, right)", "ii", BIGINT, "The bits set in either; `left | right`.", "5 | 3", "7",
             total=True),
    Function("xor(left, right)", "ii", BIGINT, "The bits set in one of them alone.", "xor(5, 3)", "6", total=True),
    Function("bitwise_not(number)", "i", BIGINT, "The bits that are not set; `~number`.", "~5", "-6", total=True),
    Function("shift_left(number, bits)", "ii", BIGINT, "`number << bits`; an error where bits that count get lost.",
             "1 << 4", "16"),
    Function("shift_right(number, bits)", "ii", BIGINT, "`number >> bits`; the sign stays.", "-16 >> 2", "-4"),
    Function("bit_count(number)", "i", BIGINT, "The number of bits that are set.", "bit_count(7)", "3", total=True),
    Function("isnan(number)", "d", BOOLEAN, "Whether the number is no number.", "isnan(CAST('NaN' AS DOUBLE))", "true",
             total=True),
    Function("isinf(number)", "d", BOOLEAN, "Whether the number is infinite.", "isinf(1e0)", "false", total=True),
    Function("isfinite(number)", "d", BOOLEAN, "Whether the number is neither infinite nor no number.",
             "isfinite(1e0)", "true", total=True),
)  # fmt: skip
