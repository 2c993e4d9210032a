"""Compiled scripts: compile once, apply to any number of objects from any number of threads."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from anon.compiling import Compiled, compile_text
from anon.encoding.elements import DataSet, DataSetError
from anon.encoding.instance import (
    MEDIA_STORAGE_SOP_CLASS_UID,
    MEDIA_STORAGE_SOP_INSTANCE_UID,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    EncodedInstance,
)
from anon.errors import Diagnostic, Rejected, ScriptError, StatementError
from anon.host import Host
from anon.label_rule import make_label
from anon.lookup import LookupTable, parse_table
from anon.operations.run import Observer, Run
from anon.recording import add_record
from anon.syntax.parse import diagnostic
from anon.syntax.span import Position, Span

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

_IDENTITY: Final = (
    (SOP_CLASS_UID, MEDIA_STORAGE_SOP_CLASS_UID, "SOP Class UID"),
    (SOP_INSTANCE_UID, MEDIA_STORAGE_SOP_INSTANCE_UID, "SOP Instance UID"),
)


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What became of one object.

    Attributes:
        status: "ok", or "rejected" when the script's `reject` was reached.
        messages: warnings, each with its line; never with a value of the object.
    """

    status: Literal["ok", "rejected"]
    messages: list[str] = field(default_factory=list)


class Script:
    """A script that compiled. Safe to use from several threads.

    Attributes:
        name: for messages.
        text: as it was given.
        sha256: of the text in UTF-8, in hexadecimal.
        language: "4.x" or "6.x".
        variables: names the caller has to supply, spelled as the script does; case does not count.
    """

    def __init__(self, text: str, name: str, compiled: Compiled) -> None:
        self.name = name
        self.text = text
        self.sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        self.language: Literal["4.x", "6.x"] = "4.x" if compiled.language.dialect == 4 else "6.x"
        self.variables = [spelled for spelled, _ in compiled.program.required.values()]
        self._compiled = compiled
        self._source = compiled.language.source
        self._program = compiled.program
        self._host = compiled.host

    @cached_property
    def warnings(self) -> list[Diagnostic]:
        """What is allowed and hardly meant; `anon.check_script` finds more."""
        from anon.lint.check import warnings_of

        return warnings_of(self._compiled)

    def __repr__(self) -> str:
        return f"<Script {self.name!r} DicomEdit {self.language} {self.sha256[:12]}>"

    def apply(
        self,
        dataset: Dataset,
        variables: Mapping[str, str] | None = None,
        *,
        record_id: str | int | None = None,
    ) -> ApplyReport:
        """Apply the script to a pydicom data set and its `file_meta`, in place.

        Args:
            dataset: left as it was when the script rejects it or fails.
            variables: values by name; case does not count.
            record_id: note in (0012,0064) that this script was applied.

        Raises:
            ScriptError: a variable is missing, or a statement failed.
        """
        from anon.encoding.pydicom_view import PydicomInstance

        view = PydicomInstance.of(dataset)
        report = self.apply_encoded(view.instance, variables or {}, record_id=record_id)
        if report.status == "ok":
            view.write_back()
        return report

    def apply_encoded(
        self,
        instance: EncodedInstance,
        variables: Mapping[str, str],
        *,
        record_id: str | int | None = None,
        observer: Observer | None = None,
    ) -> ApplyReport:
        """Apply the script to an encoded object, in place.

        Args:
            instance: to be thrown away when the script rejects it or fails.
            variables: values by name; case does not count.
            record_id: note in (0012,0064) that this script was applied.
            observer: is told of each statement and condition.

        Raises:
            ScriptError: a variable is missing, or a statement failed.
        """
        program = self._program
        run = Run(
            instance, program.values, program.bind(self._supplied(variables, program.required)), self._host
        )
        run.observer = observer
        try:
            present = [tag for tag, _, _ in _IDENTITY if _has_value(instance.dataset, tag)]
            program.run(run)
            run.span = None
            _check_identity(instance, present)
            if record_id is not None:
                add_record(run, str(record_id))
            _align_meta(instance)
        except Rejected:
            return ApplyReport("rejected", self._messages(run))
        except StatementError as failure:
            raise self._error(failure) from None
        except RecursionError:
            raise self._error(_too_deep(run.span)) from None
        except DataSetError as error:
            raise self._error(
                StatementError("bad-data-set", f"the data set cannot be read: {error.code}")
            ) from None
        return ApplyReport("ok", self._messages(run))

    def require(self, variables: Mapping[str, str]) -> None:
        """See to it that no variable is missing.

        Raises:
            ScriptError: one is.
        """
        self._supplied(variables, self._program.required)

    def position(self, span: Span) -> Position:
        """Lines and columns of a place in the script."""
        return self._source.position(span)

    def source_text(self, span: Span) -> str:
        """The text at a place in the script."""
        return self._source.text[span.start : span.end]

    def propose_session_label(
        self,
        variables: Mapping[str, str],
        taken_labels: Collection[str],
        present_label: str | None = None,
    ) -> str | None:
        """The label that the script's `session := makeSessionLabel[...]` makes. No object is needed.

        Applying the script does not use it: without `makeSessionLabel` the variable takes the caller's value.
        A label that differs from a taken one by case only counts as taken.

        Args:
            variables: values by name; only those that the label needs have to be there.
            taken_labels: labels of other sessions.
            present_label: the session's own; it keeps its number if the script can make it and it is free.

        Returns:
            The label; None when the script makes none.

        Raises:
            ScriptError: a variable is missing, or the label depends on data elements.
        """
        host = replace(
            self._host, taken_labels=taken_labels, labels_ignore_case=True, present_label=present_label
        )
        program = _compile(self.text, self.name, host).program
        rule = program.label_rule
        if rule is None:
            return None
        supplied = self._supplied(variables, rule.required)
        bound = program.bind({name: supplied.get(name, "") for name in program.required})
        try:
            return make_label(rule, program.values, bound, host)
        except StatementError as failure:
            raise self._error(failure) from None
        except RecursionError:
            raise self._error(_too_deep(rule.span)) from None

    def _supplied(
        self, variables: Mapping[str, str], required: Mapping[str, tuple[str, Span]]
    ) -> dict[str, str]:
        # Lone halves of characters cannot be written anywhere; Java writes ? for them, too.
        supplied = {
            name.lower(): str(value).encode("utf-8", "replace").decode("utf-8")
            for name, value in variables.items()
        }
        missing = [
            diagnostic(
                self._source, span, "missing-variable", f"the variable {spelled!r} has no value",
                "the caller must supply it",
            )
            for name, (spelled, span) in required.items()
            if name not in supplied
        ]  # fmt: skip
        # A backslash would make two values of one, as in the Java engine. DicomEdit 4 does that here, too.
        several = [
            diagnostic(
                self._source, span, "backslash", f"the value of the variable {spelled!r} holds a backslash",
                "a backslash separates values of an element; take it out",
            )
            for name, (spelled, span) in required.items()
            if self.language == "6.x" and "\\" in supplied.get(name, "")
        ]  # fmt: skip
        if missing or several:
            raise ScriptError([*missing, *several], self.name)
        return supplied

    def _error(self, failure: StatementError) -> ScriptError:
        span = failure.span or Span(0, 1)
        return ScriptError(
            [diagnostic(self._source, span, failure.code, failure.message, failure.hint)], self.name
        )

    def _messages(self, run: Run) -> list[str]:
        return [
            f"{self.name}:{self._source.position(span).line}: {text}" if span else f"{self.name}: {text}"
            for span, text in run.messages
        ]


def compile_script(
    text: str,
    name: str = "script",
    *,
    taken_labels: Collection[str] | None = None,
    allowed_hosts: Collection[str] = (),
    lookup: str | LookupTable | None = None,
    key: bytes | None = None,
) -> Script:
    """Compile a script of DicomEdit 4 or 6.

    Args:
        text: the script; its version line tells the language.
        name: for messages, such as the name of its file.
        taken_labels: session labels that exist; given, the script may use `makeSessionLabel`.
        allowed_hosts: names of web servers, or `name:port`, that `getURL` may ask.
        lookup: the table that `lookup` finds its values in, or its text.
        key: what `mapUID`, `mapReferencedUIDs` and `new UID` derive UIDs with: the same key gives the same
            UIDs in any process. Left out, they agree as long as the script lives.

    Raises:
        ScriptError: with all mistakes of the script, or all of the lookup table.
    """
    host = Host(
        taken_labels,
        allowed_hosts=frozenset(allowed_hosts),
        lookup=parse_table(lookup) if isinstance(lookup, str) else lookup,
        key=key or secrets.token_bytes(32),
    )
    return Script(text, name, _compile(text, name, host))


def _compile(text: str, name: str, host: Host) -> Compiled:
    """A script without mistakes.

    Raises:
        ScriptError: with all mistakes of the script.
    """
    compiled = compile_text(text, name, host)
    if compiled.errors:
        raise ScriptError(compiled.errors, name)
    return compiled


def _too_deep(span: Span | None) -> StatementError:
    return StatementError("too-deep", "values are nested too deep", span=span)


def _has_value(dataset: DataSet, tag: int) -> bool:
    element = dataset.get(tag)
    # Readers take the first of several values, which these elements must not have.
    return element is not None and bool(bytes(element.value).partition(b"\\")[0].strip(b" \0"))


def _check_identity(instance: EncodedInstance, present: list[int]) -> None:
    """An object must keep its SOP UIDs: without them no archive can take it (PS3.3 section C.12.1)."""
    for tag, _, name in _IDENTITY:
        if tag in present and not _has_value(instance.dataset, tag):
            raise StatementError(
                "identity-removed", f"the script takes the object its {name}", "replace it instead"
            )


def _align_meta(instance: EncodedInstance) -> None:
    """The media storage UIDs follow the data set, whatever the script did to them (PS3.10 section 7.1)."""
    for tag, media_tag, _ in _IDENTITY:
        element = instance.dataset.get(tag)
        named = instance.meta.get(media_tag)
        value = b"" if element is None else element.value
        if (named is None and value) or (named is not None and named.value != value):
            instance.meta.put(media_tag, "UI", value)
