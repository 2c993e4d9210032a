"""Random scripts of both dialects: by their grammars, with every function, and broken ones."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import anon
from anon.functions.manual import all_functions
from anon.functions.registry import Argument, Builtin

assert anon  # importing the engine fills the table of functions

FUNCTIONS = {dialect: [found for found in all_functions() if found.dialect == dialect] for dialect in (4, 6)}
TAGS = (
    "0008,0005", "0008,0008", "0008,0016", "0008,0018", "0008,0020", "0008,0060", "0008,1030", "0008,1140",
    "0008,1155", "0008,1110", "0010,0010", "0010,0020", "0010,0030", "0010,1010", "0010,4000", "0018,0050",
    "0020,000D", "0020,0013", "0028,0010", "0028,0106", "0028,0301", "0040,0275", "0040,A730", "0040,A160",
    "0040,4023", "0002,0002", "0002,0010", "0002,0016", "7FE0,0010", "6000,3000", "0004,1130", "FFFE,E000",
    "FFFC,FFFC", "0000,0000", "0010,0000", "0088,0200", "5400,0100", "0072,0026", "0040,08EA",
)  # fmt: skip
SEQUENCES = (
    "0008,1140", "0008,1110", "0040,0275", "0040,A730", "5400,0100", "0012,0064", "0088,0200", "0010,0010",
)  # fmt: skip
CREATORS = ("ACME", "ACME 1.1", "NULL", "NEW", "SIEMENS CSA HEADER", "GEMS_IDEN_01", "B", "PHILIPS MR")
TEXTS = (
    "", "a", "DOE^JANE", "Müller", "日本", "😀", "1.2.840.99", "2.25.1", "20200229", "20200230", "2020",
    "20200229101112.123456+0100", "0", "-1", "5", "70000", "1.5", "NaN", "1e999", "a\\\\b", "\\\\", "089Y",
    "100Y", "ISO_IR 100", "ISO_IR 192", "\\\\ISO 2022 IR 87", "bogus", "true", "FALSE", "days", "years",
    "hours", "{0}", "{0} and {1}", "it''s {0}", "(a+)+b", ".*", "[a-z]+", "(?i)m.*", "\\\\d{3}", "x{3", "$1",
    "rectangle", "solid", "l=0,t=0,r=2,b=2", "l=1,t=1,r=99999,b=99999", "v=0", "r=1,g=2,b=3", "pid", "PID-1",
    "(0010,0010)", "(0008,1140)[0]/(0008,1155)", "(0009,1001)", "*/(0008,1155)", "x" * 70, "9" * 40,
    "1.2.840.10008.1.2.4.50", "http://127.0.0.1:9/", "MR", "\\n", "\\101", " padded ",
)  # fmt: skip
NUMBERS = (
    "0", "1", "-1", "2", "5", "86400", "-40000", "2147483647", "2147483648", "-2147483648", "0.5", "1.50",
    "9" * 30,
)  # fmt: skip
OF_PATHS = frozenset({"paths", "tags", "tag", "source", "path list", "private paths"})
OF_TEXTS = frozenset({"plain", "parsed", "pattern", "format", "new value"})
GOOD = {"prefix": ['"1.2.99"'], "type": ['"pid"'], "flag": ['"true"', '"false"', "a"]}
BY_NUMBER = ("(0010,0010)", "(0009,1001)", "(0008,1140)[1]/(0008,1155)")
NAMES = ("subject", "project", "session", "a", "b", "list", "x", "face", "label")
OPERATORS = ("=", "!=", "~", "!~")
VARIABLES = {
    "subject": "S1", "project": "P\\Q", "session": "Sess é", "a": "", "b": "20200101", "list": "x", "x": "1",
    "face": "MR",
}  # fmt: skip


class ScriptWriter:
    """Writes scripts; the same random numbers give the same ones."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def chance(self, part: float) -> bool:
        return self.random.random() < part

    # -- paths

    def tag(self, dialect: int, tags: Sequence[str] = TAGS) -> str:
        """A tag, some of its digits wild."""
        group, element = self.random.choice(tags).split(",")
        if self.chance(0.2):
            letters = list(element)
            for _ in range(self.random.randint(1, 4)):
                letters[self.random.randrange(4)] = self.random.choice("XX@#")
            element = "".join(letters)
        if self.chance(0.06):
            last = "X" if dialect == 4 else "@"
            group = self.random.choice(["XXX", group[:2] + "X", group[:3]]) + last
        return f"({group},{element})"

    def private(self) -> str:
        group = self.random.choice(["0009", "0019", "0029", "XXX#", "00X9"])
        element = self.random.choice(["01", "08", "10", "XX", "0X", "X@", "FF"])
        return f"({group},{{{self.random.choice(CREATORS)}}}{element})"

    def item(self) -> str:
        return self.random.choice(["[0]", "[0]", "[1]", "[%]", "[7]", ""])

    def single_path(self) -> str:
        """A path that means a single element, most of the time."""
        if self.chance(0.05):
            return self.path()
        steps = [f"({self.random.choice(SEQUENCES)})[{self.random.choice([0, 0, 1, 3])}]" for _ in range(3)]
        last = f"({self.random.choice(TAGS)})" if self.chance(0.8) else self.private().replace("X", "0")
        return "/".join([*steps[: self.random.choice([0, 0, 0, 1, 2])], last])

    def path(self) -> str:
        """A tag path of DicomEdit 6."""
        steps: list[str] = []
        while self.chance(0.35) and len(steps) < 4:
            kind = self.random.random()
            if kind < 0.3:
                steps.append(self.random.choice("**+."))
            elif kind < 0.45:
                steps.append(self.private() + self.item())
            else:
                steps.append(self.tag(6, SEQUENCES) + self.item())
        last = self.random.random()
        if last < 0.7:
            steps.append(self.tag(6))
        elif last < 0.9:
            steps.append(self.private())
        elif last < 0.95:
            steps.append(self.tag(6, SEQUENCES) + self.item())
        else:
            steps.append("*")
        return "/".join(steps)

    # -- values

    def text(self) -> str:
        return f'"{self.random.choice(TEXTS)}"'

    def value(self, dialect: int, depth: int = 0) -> str:
        kind = self.random.random()
        if kind < 0.35:
            return self.text()
        if kind < 0.45:
            return self.random.choice(NUMBERS if dialect == 6 else NUMBERS[:8])
        if kind < 0.6:
            return self.random.choice(NAMES)
        if kind < 0.8 or depth > 3:
            return self.single_path() if dialect == 6 else f"({self.random.choice(TAGS)})"
        if kind < 0.95 or dialect == 4 or (depth == 0 and self.chance(0.95)):
            return self.call(dialect, depth)
        entries = [self.value(6, depth + 1) for _ in range(self.random.randint(0, 3))]
        return "{" + ", ".join(entries) + "}"

    def call(self, dialect: int, depth: int = 0, *, as_value: bool = True) -> str:
        """A call, mostly with arguments of the kinds that the function wants."""
        found = self.random.choice(FUNCTIONS[dialect])
        while as_value and found.returns in ("nothing", "list") and not self.chance(0.05):
            found = self.random.choice(FUNCTIONS[dialect])
        arguments = [self.argument(wanted, found, depth) for wanted in self.wanted(found)]
        return f"{found.name}[{', '.join(arguments)}]"

    def wanted(self, found: Builtin) -> list[Argument]:
        """The arguments to write: now and then one is left out, added or given several times."""
        wanted: list[Argument] = []
        for argument in found.arguments:
            times = int(not argument.is_optional or self.chance(0.6))
            wanted += [argument] * (self.random.randint(0, 3) if argument.is_rest else times)
        if wanted and self.chance(0.04):
            wanted.pop()
        if wanted and self.chance(0.04):
            wanted.append(wanted[-1])
        return wanted

    def argument(self, wanted: Argument, found: Builtin, depth: int) -> str:
        dialect = found.dialect
        if self.chance(0.03):
            return self.value(dialect, depth + 1)
        if wanted.kind in OF_TEXTS and wanted.name != "path":
            if wanted.name in GOOD:
                return self.random.choice(GOOD[wanted.name])
            if found.name != "alterPixels" and wanted.name != "unit" and self.chance(0.8):
                return self.text()
        if found.name == "alterPixels":
            return {
                "shape": '"rectangle"',
                "area": f'"l={self.random.randint(-9, 99)},t=0,r={self.random.choice([5, 9999])},b=7"',
                "fill": '"solid"',
                "value": self.random.choice(['"v=7"', '""', '"r=1,g=2,b=3"', '"v=255"']),
            }[wanted.name]
        if wanted.name == "unit":
            return self.random.choice(['"seconds"', '"days"', '"Years"', '"hours"', '"minutes"'])
        if wanted.kind == "integer":
            return self.random.choice(NUMBERS if self.chance(0.1) else NUMBERS[:8])
        if wanted.kind in OF_PATHS or wanted.name == "path":
            path = self.private() if wanted.kind == "private paths" else self.path()
            if wanted.kind in ("tags", "tag", "source"):
                path = self.single_path()
            form = self.random.choice(["%s", "%s", '"%s"', "{%s, %s}"])
            if wanted.kind in ("path list", "tags", "source"):
                form = "{%s}" if wanted.kind == "path list" else "%s"
            elif found.name in ("set", "delete"):
                form, path = '"%s"', self.random.choice(BY_NUMBER)
            return form.replace("%s", path)
        return self.value(dialect, depth + 1)

    # -- statements

    def condition(self, dialect: int) -> str:
        if dialect == 6 and self.chance(0.3):
            return self.call(6)
        operator = self.random.choice(OPERATORS if dialect == 6 else ("=", "~"))
        return f"{self.value(dialect)} {operator} {self.value(dialect)}"

    def action6(self) -> str:
        kind = self.random.random()
        if kind < 0.3:
            return f"{self.single_path()} := {self.value(6)}"
        if kind < 0.4:
            return f"{self.path()} ?= {self.value(6)}"
        if kind < 0.5:
            return f"{self.random.choice(NAMES)} := {self.value(6, depth=self.random.randint(0, 1))}"
        if kind < 0.7:
            return f"-{self.path()}"
        if kind < 0.97:
            return self.call(6, as_value=False)
        return f"echo {self.value(6)}"

    def statement6(self, depth: int = 0) -> str:
        kind = self.random.random()
        if kind < 0.75:
            return self.action6()
        if kind < 0.85:
            rest = f" : {self.action6()}" if self.chance(0.5) else ""
            return f"{self.condition(6)} ? {self.action6()}{rest}"
        if kind < 0.93 and depth < 3:
            return self.if_block(depth)
        name = self.random.choice(NAMES)
        return self.random.choice(
            [
                "removeAllPrivateTags",
                'version "6.3"',
                f'describe {name} "Who"',
                f"describe {name} hidden",
                f"describe {name} const",
                f'export {name} "xnat:a/b"',
            ]
        )

    def if_block(self, depth: int) -> str:
        def block() -> str:
            body = [self.statement6(depth + 1) for _ in range(self.random.randint(0, 3))]
            return "\n".join(["{", *body, "}"])

        text = f"if ({self.condition(6)}) {block()}"
        while self.chance(0.3):
            text += f" elseif ({self.condition(6)}) {block()}"
        return text + (f"\nelse {block()}" if self.chance(0.4) else "")

    def statement4(self) -> str:
        kind = self.random.random()
        tag = self.tag(4) if self.chance(0.3) else f"({self.random.choice(TAGS)})"
        if kind < 0.3:
            action = f"{tag} := {self.value(4)}"
        elif kind < 0.4:
            pattern = self.random.choice(["{0}", "{0} {1}", "x"])
            action = f'{tag} := "{pattern}" {self.value(4)}, {self.value(4)}'
        elif kind < 0.48:
            action = f"{tag} := new UID"
        elif kind < 0.7:
            action = f"- {tag}"
        elif kind < 0.8:
            return f"{self.random.choice(NAMES)} := {self.value(4)}"
        elif kind < 0.85:
            how = self.random.choice(["hidden", '"Who"'])
            return f"describe {self.random.choice(NAMES)} {how}"
        else:
            action = f"echo {self.value(4)}"
        conditions = "".join(f"{self.condition(4)} : " for _ in range(self.random.choice([0, 0, 0, 1, 2])))
        return conditions + action

    def script(self, dialect: int, most: int = 6) -> str:
        """A script by the grammar: most of them compile."""
        count = self.random.randint(0, most)
        if dialect == 4:
            return "".join(f"{self.statement4()}\n" for _ in range(count))
        return 'version "6.6"\n' + "".join(f"{self.statement6()}\n" for _ in range(count))

    # -- mistakes

    def mutated(self, text: str, others: tuple[str, ...]) -> str:
        """A script with parts left out, doubled, swapped or taken from another one."""
        for _ in range(self.random.randint(1, 4)):
            start = self.random.randint(0, len(text))
            end = min(len(text), start + self.random.choice([1, 1, 2, 5, 20, 80]))
            kind = self.random.random()
            if kind < 0.3:
                text = text[:start] + text[end:]
            elif kind < 0.5:
                text = text[:end] + text[start:end] + text[end:]
            elif kind < 0.75:
                other = self.random.choice(others)
                cut = self.random.randint(0, len(other))
                text = text[:start] + other[cut : cut + self.random.choice([3, 10, 40, 200])] + text[end:]
            else:
                letter = self.random.choice("\"\\[](){}:=?~!,/*+.%XxA0\n\r\t 9-é\0\u2028\ud800'")
                text = text[:start] + letter + text[end:]
        return text
