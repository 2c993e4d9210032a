"""What somebody did wrong in a statement: rules make repairs, reading the repaired statement tests them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from anon.syntax.draft import Draft, Edit, Fix, View, holds_several, look
from anon.syntax.fixes import (
    blocks,
    brackets,
    conditions,
    foreign,
    functions,
    letters,
    pasted,
    signs,
    statements,
    tags,
)
from anon.syntax.fixes.shapes import without
from anon.syntax.span import Span
from anon.syntax.words import start_of

_MOST_FIXES: Final = 8  # of a statement
_LONGEST: Final = 2000  # characters of a statement that is looked at closely
_LONGEST_MESSAGE: Final = 125
_LONGEST_HINT: Final = 300
_LONGEST_SHOWN: Final = 160  # characters of a repaired statement in a hint

#: Set by tests: a rule that fails is a failure of the test.
RULES_MUST_HOLD = False

Rule = Callable[[View], Iterable[Fix]]
#: The first whose repair makes the statement readable is believed; what is sure comes first.
_RULES: Final[tuple[Rule, ...]] = (
    pasted.marks,
    foreign.other_tools,
    signs.odd_signs,
    signs.lines_of_lists,
    signs.addresses,
    pasted.halves,
    pasted.headings,
    pasted.turned_round,
    pasted.names_beside,
    pasted.remarks_behind,
    functions.saying,
    functions.refusing,
    functions.numbers,
    functions.arithmetic,
    functions.formatted,
    functions.bare_calls,
    functions.called_behind,
    functions.side_by_side,
    functions.square_lists,
    functions.round_calls,
    functions.too_many_values,
    blocks.square_brackets,
    blocks.misspelled_if,
    conditions.presence,
    conditions.lone_conditions,
    conditions.chains,
    conditions.compared_arguments,
    blocks.loops,
    conditions.alternatives,
    conditions.parts_of_values,
    conditions.turned_round,
    conditions.second_choices,
    conditions.first_words,
    conditions.negated,
    conditions.conditional_values,
    conditions.methods,
    conditions.members,
    conditions.conditional_variables,
    signs.minus_in_brackets,
    signs.bad_names,
    signs.plus_signs,
    signs.targets,
    signs.several_values,
    signs.slashed_patterns,
    brackets.unclosed_heads,
    statements.declarations,
    statements.private_tags,
    tags.private_elements,
    brackets.unclosed_conditions,
    brackets.inner_quotes,
    signs.joined_texts,
    tags.paths,
    tags.damaged,
    tags.bad_tags,
    brackets.escapes_and_numbers,
    statements.new_uids,
    statements.reserved,
    statements.declared_variables,
    statements.verbs,
    statements.lone_verbs,
    conditions.half_conditions,
    blocks.keywords,
    signs.missing_value,
    signs.assignment,
    signs.comparison,
    tags.near_tags,
    tags.keywords,
    conditions.combined,
    statements.dialects,
    blocks.else_within,
    blocks.ternary_blocks,
    blocks.blocks,
    statements.misspelled,
    signs.lists,
    signs.two_statements,
    brackets.calls,
    brackets.strings,
    brackets.variables,
    statements.deleted_and_set,
    statements.lone_values,
    signs.commas,
    conditions.separators,
    brackets.unbalanced,
    signs.named_values,
    conditions.bare_conditions,
    brackets.unquoted,
    brackets.needless,
    statements.remarks,
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake of a script: what is wrong, where, and the likely repair."""

    code: str
    message: str
    hint: str
    span: Span


@dataclass(slots=True)
class Budget:
    """How many repairs may still be tried; a script of rubbish must not take minutes."""

    left: int = 4000

    def spend(self, view: View) -> None:
        """Count a try; a long line takes as much time as many short ones."""
        self.left -= 1 + len(view.words) // 50


@dataclass(frozen=True, slots=True)
class Explained:
    """The mistakes of a statement, and the statement without them when that is known."""

    mistakes: list[Mistake]
    repaired: Draft | None


def explain(draft: Draft, dialect: int, budget: Budget) -> Explained:
    """Find the mistakes of a statement that cannot be read."""
    found: list[tuple[Fix, Draft]] = []
    is_repaired = False
    while len(found) < _MOST_FIXES:
        view = look(draft, dialect)
        if view is None:
            is_repaired = True
            break
        fix = _choose(view, budget)
        if fix.code == "unexpected" and found:
            break  # what is known is told; the rest may follow from it
        found.append((fix, draft))
        if not fix.edits:
            break
        draft = draft.edited(fix.edits, keeps_places=True)
    whole = draft if is_repaired else None
    mistakes = [
        Mistake(
            fix.code,
            _one_line(fix.message, _LONGEST_MESSAGE),
            _one_line(_hint(fix, of, whole) or _FORMS[dialect], _LONGEST_HINT),
            of.place(fix.span),
        )
        for fix, of in found
    ]
    return Explained(_different(mistakes), draft if is_repaired else None)


def _different(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """Of what is wrong at one place in the same way, that which is about most of it."""
    different: dict[tuple[int, str], Mistake] = {}
    for each in mistakes:
        known = different.get((each.span.start, each.code))
        if known is None or known.span.end < each.span.end:
            different[each.span.start, each.code] = each
    return list(different.values())


def _one_line(text: str, most: int) -> str:
    """Without line ends, and not endless: a script may hold anything."""
    text = text.replace("\n", " ")
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _hint(fix: Fix, of: Draft, repaired: Draft | None) -> str:
    line = "" if repaired is None else repaired.shown()
    is_short = bool(line) and "\n" not in line and len(line) <= _LONGEST_SHOWN
    if fix.hint and "{line}" not in fix.hint:
        return fix.hint
    if is_short:
        return (fix.hint or "write {line}").replace("{line}", line)
    if len(fix.edits) == 1:
        start, end, text = fix.edits[0]
        old, new = of.text[start:end].strip(), text.strip()
        if not old:
            return f"put {new} here"
        return f"write {new} instead of {_shortened(old)}" if new else f"leave {_shortened(old)} out"
    if fix.edits:
        first, last = fix.edits[0].start, fix.edits[-1].end
        moved = tuple(Edit(start - first, end - first, text) for start, end, text in fix.edits)
        return f"write {_shortened(Draft.of(of.text[first:last], 0).edited(moved).text)}"
    return fix.hint


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]} ... {text[-12:]}"


def _choose(view: View, budget: Budget) -> Fix:
    for rule in (pasted.whole_lines, *letters.CERTAIN, blocks.else_if, brackets.surplus):
        for fix in rule(view):
            return fix
    if len(view.text) > _LONGEST or budget.left <= 0:
        return _last_resort(view)
    halfway: list[tuple[int, int, Fix]] = []
    several: Fix | None = None  # a repair that makes two statements of the line, which is rarely meant
    reached = _reached(view)
    for fix in _candidates(view):
        if not fix.edits:
            # A rule that names the mistake without a repair is believed, unless half a repair was found.
            return max(halfway, key=_progress)[2] if halfway and _is_far(halfway, reached) else fix
        budget.spend(view)
        draft = view.draft.edited(fix.edits)
        after = look(draft, view.dialect)
        if after is None and not holds_several(draft, view.dialect):
            return fix
        if after is None:
            several = several or fix
        elif _reached(after) > reached:
            halfway.append((_reached(after), -len(halfway), fix))
        if budget.left <= 0:
            break
    for _, _, fix in sorted(halfway, key=_progress, reverse=True)[:6]:
        after = look(view.draft.edited(fix.edits), view.dialect)
        if after is not None and _can_be_finished(after, budget):
            return fix
    simple = several or _simple_repair(view, budget)
    if simple is not None:
        return simple
    if halfway:
        return max(halfway, key=_progress)[2]
    return _last_resort(view)


def _progress(entry: tuple[int, int, Fix]) -> tuple[int, int]:
    return entry[0], entry[1]


def _is_far(halfway: list[tuple[int, int, Fix]], reached: int) -> bool:
    return max(entry[0] for entry in halfway) > reached


def _candidates(view: View) -> Iterator[Fix]:
    seen: set[tuple[Edit, ...]] = set()
    for rule in _RULES:
        for fix in _asked(rule, view):
            if fix.edits in seen and fix.edits:
                continue
            seen.add(fix.edits)
            if fix.edits and view.draft.edited(fix.edits).text == view.text:
                continue
            yield fix


def _asked(rule: Rule, view: View) -> Iterator[Fix]:
    """What a rule proposes. A rule that stumbles over a script nobody thought of only knows nothing."""
    try:
        yield from rule(view)
    except (IndexError, ValueError, KeyError, AssertionError):
        if RULES_MUST_HOLD:
            raise


def _reached(view: View) -> int:
    """How far reading came, in the script."""
    if view.mistake is not None:
        return view.draft.origin[view.mistake.span.start]
    if view.stop < len(view.words):
        return view.draft.origin[start_of(view.words[view.stop])]
    return view.draft.origin[-1] + 1


def _can_be_finished(view: View, budget: Budget) -> bool:
    """Whether one more repair makes the statement readable."""
    for rule in letters.CERTAIN:
        for fix in rule(view):
            after = look(view.draft.edited(fix.edits), view.dialect)
            return after is None or _can_be_finished(after, budget)
    for fix in _candidates(view):
        if not fix.edits:
            return False
        budget.spend(view)
        if budget.left <= 0:
            return False
        if look(view.draft.edited(fix.edits), view.dialect) is None:
            return True
    return False


_MISSING: Final = (",", ")", "]", "(", "[", ":=", "?", ":", "}", "{", "/", "=", '""')


def _simple_repair(view: View, budget: Budget) -> Fix | None:
    """A single sign that is missing or one too many."""
    place = view.stop_span()
    near = [at for at in (view.stop, view.stop - 1) if 0 <= at < len(view.words)]
    for at in sorted(near, key=lambda at: len(view.words[at])):
        if budget.left > 0:
            budget.spend(view)
            span = view.span(at)
            edit = without(view, at) if view.text[: span.start][-1:].isspace() else Edit(*span, "")
            if look(view.draft.edited((edit,)), view.dialect) is None:
                word = _shown(str(view.words[at]))
                what = "one too many" if len(word) < 3 else "too much"
                word = "point" if word == "." else word
                return Fix("unexpected", f"the {word} here is {what}", span, (edit,))
    for sign in _MISSING if view.stop > 0 else ():
        budget.spend(view)
        edit = Edit(place.start, place.start, sign)
        if sign in (":=", "?", ":", "="):
            edit = Edit(len(view.text[: place.start].rstrip()), place.start, f" {sign} ")
        if sign == "/" and "/" in view.text[max(place.start - 1, 0) : place.start + 1]:
            continue  # the rest of the line would be a comment
        if look(view.draft.edited((edit,)), view.dialect) is None:
            culprit = Span(place.start, min(place.start + 1, place.end))
            name = "a text" if sign == '""' else f"a {sign}"
            return Fix("unexpected", f"{name} is missing here", culprit, (edit,))
    return None


def _shown(word: str) -> str:
    return word if len(word) <= 30 else f"{word[:27]}..."


_FORMS: Final = {
    4: "a line is one of: (gggg,eeee) := value, - (gggg,eeee), value = value : one of these, name := value",
    6: "a line is one of: path := value, path ?= value, - path, condition ? one of these,"
    " name := value, function[...]",
}


def _last_resort(view: View) -> Fix:
    """What can be said without knowing what was meant."""
    if view.mistake is not None:
        found = view.mistake
        return Fix(found.code, found.message, found.span, (), found.hint or _FORMS[view.dialect])
    if view.stop >= len(view.words):
        message = "the line ends before the statement does"
        return Fix("unexpected", message, view.stop_span(), (), _FORMS[view.dialect])
    word = view.words[view.stop]
    if word.type == "UNCLOSED":
        message = "the text is not closed with a quotation mark"
        return Fix("unclosed-string", message, view.stop_span(), (), 'put a " behind the text')
    if word.type == "UNKNOWN":
        message = f"the sign {_shown(str(word))} means nothing here"
        return Fix("unexpected", message, view.stop_span(), (), _FORMS[view.dialect])
    message = f"{_shown(str(word))} cannot stand here"
    if not view.stop:
        message = f"no statement begins with {_shown(str(word))}"
    return Fix("unexpected", message, view.stop_span(), (), _FORMS[view.dialect])
