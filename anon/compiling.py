"""From a script's text to a program, and all that was found on the way: what running and checking share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from anon.compile import Program
from anon.compile4 import Compiler4
from anon.compile6 import Compiler6
from anon.errors import Diagnostic, ScriptError
from anon.functions.registry import Builtin
from anon.host import Host
from anon.keyword_variables import keyword_variables
from anon.language import Language, choose_language, find_syntax_of_6, guess_language
from anon.syntax import nodes
from anon.syntax.parse import diagnostic, parse4, parse6
from anon.syntax.span import Source
from anon.tag_names import format_tag

# Mistakes of DicomEdit 4 that are none in DicomEdit 6.
_ONLY_IN_6: Final = ("dicomedit6-only", "if-in-dicomedit4")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A script that was read, with mistakes or without.

    Attributes:
        language: what it is written in.
        host: what the program around the engine gives.
        statements: those that could be read; of one dialect.
        program: to be run when there are no mistakes.
        functions: those that the script may call, by name.
        diagnostics: mistakes, and what only fails on some objects.
    """

    language: Language
    host: Host
    statements: tuple[nodes.Statement4 | nodes.Statement6, ...]
    program: Program
    functions: Mapping[str, Builtin]
    diagnostics: list[Diagnostic]

    @property
    def errors(self) -> list[Diagnostic]:
        """The mistakes: with one of them the program cannot be run."""
        return [found for found in self.diagnostics if found.severity == "error"]


def compile_text(text: str, name: str, host: Host) -> Compiled:
    """Read and compile a script, mistakes or not.

    Raises:
        ScriptError: the version line does not tell the language; the other mistakes are told with it.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    try:
        language = choose_language(text, name)
    except ScriptError as error:
        rest = _compile(guess_language(text), host)
        raise ScriptError([*error.diagnostics, *rest.errors], name) from None
    compiled = _compile(language, host)
    if language.dialect == 4 and compiled.errors:
        return _as_dicomedit6(text, compiled)
    return compiled


def _compile(language: Language, host: Host) -> Compiled:
    source = language.source
    statements: tuple[nodes.Statement4 | nodes.Statement6, ...]
    compiler: Compiler4 | Compiler6
    program: Program
    if language.dialect == 4:
        compiler = Compiler4(source, host)
        statements, mistakes = parse4(source)
        program = compiler.compile(statements)
    else:
        compiler = Compiler6(source, host)
        statements, mistakes = parse6(source)
        program = compiler.compile(statements)
    found = mistakes + compiler.diagnostics
    for statement, tag in keyword_variables(statements):
        name = statement.name.name
        message = f"{name} is made a variable that nothing reads, an element is named by its tag"
        value = source.text[statement.value.span.start : statement.value.span.end]
        hint = f"write {format_tag(tag)} := {value}"
        found.append(diagnostic(source, statement.name.span, "keyword-not-tag", message, hint))
    return Compiled(language, host, statements, program, compiler.functions, found)


def _as_dicomedit6(text: str, compiled: Compiled) -> Compiled:
    """A script that reads better as DicomEdit 6 lacks its version line; told with what else is wrong."""
    if any(found.code in ("no-script", "too-long", "too-deep") for found in compiled.errors):
        return compiled
    stated = compiled.language.version
    source = Source(text.removeprefix("\ufeff") if not stated else compiled.language.source.text, joined=True)
    other = _compile(Language(6, source), compiled.host)
    if len(other.errors) >= len(compiled.errors):
        return compiled
    place = find_syntax_of_6(compiled.language.source)
    if place is None and not any(found.code in _ONLY_IN_6 for found in compiled.errors):
        return compiled
    first = min(compiled.errors, key=lambda found: (found.line, found.column))
    hint = 'put version "6.6" into the first line'
    message = "this is DicomEdit 6, but the script has no version line"
    if stated:
        message = f"this is DicomEdit 6, but the version line says {stated}"
        hint = 'write version "6.6" in the version line'
    if place is None:
        told = replace(first, code="no-version", message=message, hint=hint)
    else:
        told = diagnostic(compiled.language.source, place, "no-version", message, hint)
    # The statements were read in the wrong language: nobody should judge them.
    return replace(compiled, statements=(), diagnostics=[told, *other.errors])
