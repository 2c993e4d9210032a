"""Functions on elements as a whole (DicomEdit 6)."""

from __future__ import annotations

from anon.encoding.elements import DataSet
from anon.errors import StatementError
from anon.functions.registry import builtin, new_value, parsed, paths, private_paths
from anon.operations.assign import write
from anon.operations.delete import delete_path, remove_place
from anon.operations.private_tags import retain_private
from anon.operations.run import Run
from anon.places import find_place, make_place
from anon.tagpath import (
    TRANSFER_SYNTAX_UID,
    TagError,
    TagPath,
    TagStep,
    creator_of,
    is_private_creator,
    parse_numbered_path6,
)


@builtin("removeTags", versions="6.0+", arguments=[paths()], returns="nothing")
def remove_tags(run: Run, *paths: TagPath) -> None:
    """Remove all elements that these paths match, as `-` does. A text must hold one whole path."""
    for path in paths:
        delete_path(run, path)


@builtin("retainPrivateTags", versions="6.0+", arguments=[private_paths()], returns="nothing")
def retain_private_tags(run: Run, *paths: TagPath) -> None:
    """Remove all private elements but those that these paths match, and what lies below them.

    Each path needs a private step, `(gggg,{CREATOR}ee)`. What is kept stays byte for byte where it is, with
    the creator of its block; a private sequence that is kept for some of its elements loses the others, and
    items that are left without any. Without paths it is `removeAllPrivateTags`. A second call can only keep
    what the first one kept, so name all paths in one.
    """
    retain_private(run.instance.dataset, paths)


# -- elements by their number


def _numbered_path(text: str) -> TagPath:
    try:
        path = parse_numbered_path6(text)
    except TagError as error:
        raise StatementError("bad-tag", error.message, error.hint) from None
    if path.tag == TRANSFER_SYNTAX_UID:
        raise StatementError("transfer-syntax", "a script cannot change the transfer syntax")
    return path


def _refuse_orphans(top: DataSet, path: TagPath) -> None:
    """Private elements that are made need a creator, or nobody could tell what they are."""
    here: DataSet | None = top
    for step in path.steps:
        assert isinstance(step, TagStep)
        tag = step.bits
        element = None if here is None else here.get(tag)
        if element is None and tag >> 16 & 1 and not is_private_creator(tag):
            has_block = tag & 0xFFFF >= 0x1000
            if not has_block or here is None or creator_of(here, tag) is None:
                raise StatementError(
                    "no-creator",
                    "a private element is to be made in a block without creator",
                    "assign to (gggg,{CREATOR}ee), which makes the creator too",
                )
        items = [] if element is None else element.items
        here = items[step.item] if step.item is not None and step.item < len(items) else None


@builtin(
    "set", versions="6.0+", arguments=[parsed("path", _numbered_path), new_value("value")], returns="nothing",
    exact=True,
)  # fmt: skip
def set_element(run: Run, path: TagPath, value: str | None) -> None:
    """Assign a value to an element that a text names by numbers: `set["(0040,0275)[0]/(0040,0007)", "x"]`.

    All digits are given, private elements have their real number, every sequence on the way its item number.
    Sequences and items are made, private elements only in a block that has a creator. The value is not read
    from a tag. Otherwise it is `:=`.
    """
    if value is None:
        run.warn("there is no value to assign, the element stays as it is")
        return
    top = run.top(path)
    _refuse_orphans(top, path)
    write(run, make_place(top, path), value)


@builtin("delete", versions="6.0+", arguments=[parsed("path", _numbered_path)], returns="nothing")
def delete_element(run: Run, path: TagPath) -> None:
    """Remove one element that a text names by numbers, with all below it: `delete["(0009,1001)"]`.

    The path is written as for `set`. An absent element is no mistake. Unlike `-` it removes private creators
    as well.
    """
    place = find_place(run.top(path), path)
    if place is not None:
        remove_place(place)
