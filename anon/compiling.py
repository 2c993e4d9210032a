"""From a script's text to a program, and all that was found on the way: what running and checking share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from anon.compile import Program
from anon.compile4 import Compiler4
from anon.compile6 import Compiler6
from anon.errors import Diagnostic
from anon.functions.registry import Builtin
from anon.host import Host
from anon.language import Language, choose_language, find_syntax_of_6
from anon.syntax import nodes
from anon.syntax.parse import diagnostic, parse4, parse6


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
        ScriptError: the version line does not tell the language.
    """
    language = choose_language(text.encode("utf-8", "replace").decode("utf-8"), name)
    if language.dialect == 4:
        return _compile4(language, host)
    compiler = Compiler6(language.source, host)
    statements, mistakes = parse6(language.source)
    program = compiler.compile(statements)
    return Compiled(language, host, statements, program, compiler.functions, mistakes + compiler.diagnostics)


def _compile4(language: Language, host: Host) -> Compiled:
    source = language.source
    compiler = Compiler4(source, host)
    statements, mistakes = parse4(source)
    program = compiler.compile(statements)
    found = mistakes + compiler.diagnostics
    is_wrong = any(each.severity == "error" for each in found)
    place = find_syntax_of_6(source) if is_wrong else None
    if place is not None:
        message = "this is DicomEdit 6, but the script has no version line"
        hint = 'put version "6.6" into the first line'
        found = [diagnostic(source, place, "no-version", message, hint)]
        statements = ()  # read in the wrong language
    return Compiled(language, host, statements, program, compiler.functions, found)
