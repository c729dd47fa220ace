"""The callbacks of EXPLAIN and of the trees that WHY NOT asks about: see `transform`."""

from __future__ import annotations

from typing import TypeAlias

from lark import Token, v_args

from minisql.errors import Span
from minisql.parser import statement_tree as st
from minisql.parser.parse_tree import Identifier, JoinTree, JoinTreePair, JoinTreeTable, QueryExpression
from minisql.parser.transform_expression import ExpressionTransform

_Format: TypeAlias = tuple[str, Span, bool]


@v_args(inline=True)
class ExplainTransform(ExpressionTransform):
    """The callbacks of EXPLAIN."""

    def explain(
        self, explain: Token, analyze: Token | None, format_: _Format | None, statement: st.Explained
    ) -> st.Explain:
        word, format_span, is_subject = format_ or ("TREE", None, False)
        return st.Explain(
            span=self._span(explain),
            statement=statement,
            # HTML without FORMAT is for looking at what happened.
            analyze=analyze is not None or (is_subject and word == "HTML"),
            format=word,
            format_span=format_span,
        )

    def explain_with_options(self, explain: Token, *parts: bool | _Format | st.Explained) -> st.Explain:
        *options, statement = parts
        assert not isinstance(statement, (bool, tuple))
        analyze, format_ = False, None
        for option in options:
            if isinstance(option, bool):
                analyze = option
            else:
                assert isinstance(option, tuple)
                format_ = option
        word, format_span, _ = format_ or ("TREE", None, False)
        return st.Explain(
            span=self._span(explain), statement=statement, analyze=analyze, format=word, format_span=format_span
        )

    def explain_format(self, word: Identifier) -> _Format:
        return word.name.upper(), word.span, False

    def explain_subject(self, word: Token) -> _Format:
        return str(word).upper(), self._span(word), True

    def analyze_option(self, _: Token, value: Token | None) -> bool:
        return value is None or value.type == "TRUE"

    def explain_why_not(self, explain: Token, why: Token, order: JoinTree, statement: QueryExpression) -> st.Explain:
        return st.Explain(
            span=self._span(explain),
            statement=statement,
            format="WHY NOT",
            format_span=self._token_span(why),
            order=order,
        )

    def explain_alternatives(
        self, explain: Token, word: Token, count: Token | None, statement: QueryExpression
    ) -> st.Explain:
        return st.Explain(
            span=self._span(explain),
            statement=statement,
            format="ALTERNATIVES",
            format_span=self._token_span(word),
            count=None if count is None else int(count),
        )

    def join_tree_pair(self, opening: Token, left: JoinTree, right: JoinTree) -> JoinTreePair:
        return JoinTreePair(span=self._span(opening), left=left, right=right)

    def join_tree_table(self, *path: Identifier) -> JoinTreeTable:
        return JoinTreeTable(span=path[0].span.to(path[-1].span), path=path)
