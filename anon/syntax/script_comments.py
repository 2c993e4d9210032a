"""Comments over several lines, as other languages have them: one mistake, however many lines it takes."""

from __future__ import annotations

import re
from typing import Final

from anon.syntax.explain import Mistake
from anon.syntax.span import Span

# Only what spans several lines; within a line it is a matter of that line. In a path `*/` and `/*` are steps.
_COMMENT: Final = re.compile(
    r"^[ \t]*(/\*+|<!--|\"\"\"|'''|=begin)((?:[^\n]*\n){1,400}?[^\n]*?)"
    r"(?:(?<!/)\*/(?![ \t]*\()|-->|\"\"\"|'''|=end)[ \t]*$",
    re.MULTILINE,
)


def find_block_comments(text: str) -> tuple[str, list[Mistake]]:
    """The text with blanks in place of such comments, and the mistakes."""
    mistakes: list[Mistake] = []

    def blanked(found: re.Match[str]) -> str:
        sign = found[1]
        message = f"a comment begins with // on each of its lines, not with {sign}"
        first = found[2].strip("* \t").split("\n")[0].strip() or "the remark"
        hint = f"write // {first}, and // before every other line of the remark"
        mistakes.append(Mistake("comment-sign", message, hint, Span(found.start(1), found.end(1))))
        return re.sub(r"[^\n]", " ", found[0])

    if not any(sign in text for sign in ("/*", "<!--", '"""', "'''", "=begin")):
        return text, []
    return _COMMENT.sub(blanked, text), mistakes
