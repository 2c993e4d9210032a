"""The catalogue: every mistake of a script and every failure of one, with an explanation and an example.

What the linter finds is explained beside its rules, `anon.lint.rule.TABLE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anon.codes.entry import Code
from anon.codes.meaning import MEANING
from anon.codes.objects import OBJECTS
from anon.codes.profile import PROFILE
from anon.codes.writing import WRITING

#: By code, in the order of the alphabet.
CODES: Final[Mapping[str, Code]] = {
    each.code: each for each in sorted((*WRITING, *MEANING, *OBJECTS, *PROFILE), key=lambda each: each.code)
}
