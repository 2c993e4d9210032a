"""What stays in objects although the script removes what identifies the patient."""

from __future__ import annotations

from collections.abc import Iterator

from anon.lint.checked import Checked
from anon.lint.rule import Finding, lint
from anon.tagpath import TagStep, is_private_creator


@lint(
    "orphans",
    title="a private creator is removed, the data it explains stay",
    fires="- (0029,0010)\n",
    silent="- (0029,0010)\n- (0029,10XX)\n",
    dialects=(4,),
    is_told=True,
)
def orphans(checked: Checked) -> Iterator[Finding]:
    """(gggg,0010) to (gggg,00FF) of an odd group name the maker of the data in (gggg,1000) to (gggg,FFFF).

    Removed alone, it leaves data that nobody can read any more, and that DicomEdit 6 cannot find by their
    creator. Remove the block as well, `- (0029,10XX)`, or all private elements, `- (XXX#,XXXX)`.
    """
    deleted = [
        (step.span, effect.path.steps[0])
        for step, effect in checked.effects
        if effect.kind == "delete" and effect.path is not None
    ]
    for span, target in deleted:
        if not isinstance(target, TagStep) or target.is_wild or not is_private_creator(target.bits):
            continue
        data = target.bits & 0xFFFF0000 | (target.bits & 0xFF) << 8
        if any(isinstance(other, TagStep) and _includes_block(other, data) for _, other in deleted):
            continue
        pattern = f"({data >> 16:04X},{data >> 8 & 0xFF:02X}XX)"
        message = "private data elements stay and lose their creator"
        yield Finding(span, message, f"delete the whole block, {pattern}, too")


def _includes_block(step: TagStep, data: int) -> bool:
    return not step.mask & 0xFF and data & step.mask == step.bits
