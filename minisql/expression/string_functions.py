"""The functions on strings; positions count characters from 1."""

from __future__ import annotations

from typing import Final

from minisql.datatypes import BIGINT, BOOLEAN, VARCHAR, SqlType, TypeKind
from minisql.expression.function import Function, Types

OPTIONS_OF_REGULAR_EXPRESSIONS: Final = "`i` is without regard to case, `s` lets `.` match line ends"


def _hex_digits(types: Types) -> SqlType | None:
    return VARCHAR if types[0].is_integer or types[0].kind in (TypeKind.VARCHAR, TypeKind.NULL) else None


STRING_FUNCTIONS: Final[tuple[Function, ...]] = (
    Function("lower(string)", "s", VARCHAR, "In lower case.", "lower('ABC')", "abc", aliases="lcase", total=True),
    Function("upper(string)", "s", VARCHAR, "In upper case.", "upper('abc')", "ABC", aliases="ucase", total=True),
    Function("initcap(string)", "s", VARCHAR, "Every word with an upper-case letter first and lower-case ones after.",
             "initcap('hello WORLD')", "Hello World", total=True),
    Function("length(string)", "s", BIGINT, "The number of characters.", "length('äbc')", "3",
             aliases="char_length character_length len", total=True),
    Function("octet_length(string)", "s", BIGINT, "The number of bytes in UTF-8.", "octet_length('äbc')", "4",
             aliases="strlen", total=True),
    Function("bit_length(string)", "s", BIGINT, "The number of bits in UTF-8.", "bit_length('äbc')", "32", total=True),
    Function("substring(string, start [, count])", "sii", VARCHAR,
             "The characters from `start` on; the part of the window before the string counts. "
             "Also `substring(string FROM start FOR count)`.", "substring('hello', 2, 3)", "ell", aliases="substr mid"),
    Function("left(string, count)", "si", VARCHAR,
             "The first characters; with a negative count all but so many at the end.", "left('hello', 2)", "he",
             total=True),
    Function("right(string, count)", "si", VARCHAR,
             "The last characters; with a negative count all but so many at the start.", "right('hello', 2)", "lo",
             total=True),
    Function("trim(string [, characters])", "ss", VARCHAR,
             "Without any of the characters, spaces by default, at both ends. "
             "Also `trim(BOTH characters FROM string)`.", "trim('  abc ')", "abc", aliases="btrim", total=True),
    Function("ltrim(string [, characters])", "ss", VARCHAR, "The same at the start.", "ltrim('xxabc', 'x')", "abc",
             total=True),
    Function("rtrim(string [, characters])", "ss", VARCHAR, "The same at the end.", "rtrim('abcxx', 'x')", "abc",
             total=True),
    Function("lpad(string, length [, fill])", "sis", VARCHAR,
             "Filled at the start, with spaces by default, or cut at the end to the length.", "lpad('7', 3, '0')",
             "007"),
    Function("rpad(string, length [, fill])", "sis", VARCHAR, "The same, filled at the end.", "rpad('7', 3, '.')",
             "7.."),
    Function("repeat(string, count)", "si", VARCHAR, "So many times the string.", "repeat('ab', 3)", "ababab"),
    Function("reverse(string)", "s", VARCHAR, "The characters from the last to the first.", "reverse('abc')", "cba",
             total=True),
    Function("concat(value...)", "v", VARCHAR,
             "The values as strings, one after the other, NULLs left out; `a || b` is NULL where a side is.",
             "concat('a', NULL, 1)", "a1", strict=False, written_out=True),
    Function("concat_ws(separator, value...)", "sv", VARCHAR, "The same with a separator between them.",
             "concat_ws('-', 'a', NULL, 1)", "a-1", strict=False, total=True),
    Function("replace(string, from, to)", "sss", VARCHAR, "Every occurrence of `from` replaced by `to`.",
             "replace('abc', 'b', 'x')", "axc", total=True),
    Function("translate(string, from, to)", "sss", VARCHAR,
             "Every character of `from` replaced by the one of `to` at its place, or taken away where there is none.",
             "translate('abcb', 'bc', 'x')", "axx", total=True),
    Function("overlay(string, new, start [, count])", "ssii", VARCHAR,
             "The characters from `start` on, by default as many as `new` has, replaced by `new`. "
             "Also `overlay(string PLACING new FROM start FOR count)`.", "overlay('abcdef', 'XX', 2, 3)", "aXXef"),
    Function("strpos(string, substring)", "ss", BIGINT,
             "Where the substring first begins, 0 if nowhere. Also `position(substring IN string)`.",
             "strpos('abcb', 'b')", "2", aliases="instr", total=True),
    Function("locate(substring, string [, start])", "ssi", BIGINT, "The same, searched from a position on.",
             "locate('b', 'abcb', 3)", "4", total=True),
    Function("contains(string, substring)", "ss", BOOLEAN, "Whether the substring occurs.", "contains('abc', 'bc')",
             "true", total=True),
    Function("starts_with(string, prefix)", "ss", BOOLEAN, "Whether the string begins with the prefix.",
             "starts_with('abc', 'ab')", "true", aliases="prefix", total=True),
    Function("ends_with(string, suffix)", "ss", BOOLEAN, "Whether the string ends with the suffix.",
             "ends_with('abc', 'bc')", "true", aliases="suffix", total=True),
    Function("split_part(string, separator, number)", "ssi", VARCHAR,
             "Part number `number` of those between separators, counted from the end where it is negative; empty "
             "where there is no such part.", "split_part('a,b,c', ',', 2)", "b"),
    Function("ascii(string)", "s", BIGINT, "The code point of the first character, 0 of an empty string.",
             "ascii('A')", "65", aliases="ord unicode", total=True),
    Function("chr(code)", "i", VARCHAR, "The character with this code point.", "chr(65)", "A", aliases="char"),
    Function("hex(value)", "a", _hex_digits, "The bytes of a string, or an integer, in hexadecimal digits.",
             "hex(255)", "FF", aliases="to_hex", total=True),
    Function("md5(string)", "s", VARCHAR, "The MD5 hash of the bytes in hexadecimal digits.", "md5('abc')",
             "900150983cd24fb0d6963f7d28e17f72", total=True),
    Function("quote(value)", "a", VARCHAR, "The value as a literal of SQL, NULL as the word.", "quote('it''s')",
             "'it''s'", aliases="quote_nullable", strict=False, written_out=True),
    Function("printf(template [, value...])", "sa", VARCHAR,
             "The template, a literal, with the values in place of `%s`, `%d`, `%5d`, `%05d`, `%.2f`, `%x`.",
             "printf('%05d: %.2f', 42, 1.5)", "00042: 1.50", written_out=True),
    Function("format(template [, value...])", "sa", VARCHAR,
             "The template, a literal, with the values in place of `%s` (nothing for NULL), `%L` (as literals) and "
             "`%1$s` (by number).",
             "format('%s, %s!', 'Hello', 'World')", "Hello, World!", strict=False, written_out=True),
    # --- regular expressions ------------------------------------------------------------------------------------------
    Function("regexp_matches(string, pattern [, options])", "sss", BOOLEAN,
             "Whether the regular expression (RE2) matches anywhere. Also `string ~ pattern`. Options: "
             f"{OPTIONS_OF_REGULAR_EXPRESSIONS}.", "regexp_matches('abc', '^a.c$')", "true", aliases="regexp_like"),
    Function("regexp_full_match(string, pattern [, options])", "sss", BOOLEAN,
             "Whether the regular expression matches the whole string.", "regexp_full_match('abc', 'b')", "false"),
    Function("regexp_replace(string, pattern, replacement [, options])", "ssss", VARCHAR,
             "The first match replaced, all of them with the option `g`; `\\1` in the replacement is group 1.",
             "regexp_replace('abcb', '[bc]', 'x', 'g')", "axxx"),
    Function("regexp_extract(string, pattern [, group])", "ssi", VARCHAR,
             "The first match, or a group of it; empty where there is none.",
             "regexp_extract('abc123', '([a-z]+)([0-9]+)', 2)", "123", aliases="regexp_substr"),
    Function("similar_to(string, pattern)", "ss", BOOLEAN, "`string SIMILAR TO pattern`: the SQL standard's patterns.",
             "'abc' SIMILAR TO '(a|x)%'", "true"),
)  # fmt: skip
