"""`prearc anon explain [CODE]`: what a code of `check` means, with a wrong and a right example."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.context import examples, get_invocation
from cli.output import print_document, print_table, say
from prearchive.errors import NotFoundError


def register(app: typer.Typer) -> None:
    """Add the command to `prearc anon`."""
    app.command("explain", epilog=examples("prearc anon explain assign-sign", "prearc anon explain"))(explain)


def explain(
    context: typer.Context,
    code: Annotated[
        str | None, typer.Argument(metavar="CODE", help="What stands in [brackets] behind error or warning.")
    ] = None,
) -> None:
    """Explain a code of `check`. Without CODE: list them all."""
    from anon.codes.manual import find_page, page, pages, similar_codes

    invocation = get_invocation(context)
    if code is None:
        found = list(pages())
    else:
        single = find_page(code.strip("[] "))
        if single is None:
            close = similar_codes(code)
            offer = (
                f", did you mean {' or '.join(close)}?" if close else ", `prearc anon explain` lists them all"
            )
            raise NotFoundError(f"there is no code {code!r}{offer}")
        found = [single]
    if invocation.as_json:
        print_document([each._asdict() for each in found] if code is None else found[0]._asdict())
    elif code is None:
        rows = [(each.code, each.kind, each.title) for each in found]
        print_table(("CODE", "FOUND IN", "MEANING"), rows, wrap=True)
    else:
        say(page(found[0].code))
