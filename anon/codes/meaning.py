"""Mistakes in what a script says, found before any object, and mistakes of files beside it."""

from __future__ import annotations

from typing import Final

from anon.codes.entry import Code, entry

MEANING: Final[tuple[Code, ...]] = (
    entry(
        "argument-count",
        "a function gets too few or too many values",
        "`prearc anon functions NAME` shows what it takes. Values in (round brackets) there may be left out.",
        wrong='(0010,0020) := lowercase["a", "b"]',
        right='(0010,0020) := lowercase["a"]',
        six=True,
    ),
    entry(
        "argument-kind",
        "a function gets a value of the wrong kind",
        "Some values must be numbers without quotes, tags without quotes, lists, or texts that are no tags.",
        wrong='(0010,0020) := substring["abc", "0", 2]',
        right='(0010,0020) := substring["abc", 0, 2]',
    ),
    entry(
        "bad-fill",
        "the fill of alterPixels cannot be used",
        'The third value is "solid", the fourth `v=0` or `r=0, g=0, b=0`, from 0 to 255.',
        wrong='alterPixels["rectangle", "l=0, t=0, r=9, b=9", "solid", "black"]',
        right='alterPixels["rectangle", "l=0, t=0, r=9, b=9", "solid", "v=0"]',
        six=True,
    ),
    entry(
        "bad-format",
        "the pattern of format cannot be used",
        "Braces hold the number of a value, {0} is the first. A single apostrophe quotes "
        "what follows, two mean one.",
        wrong='(0010,0020) := format["{subject}", subject]',
        right='(0010,0020) := format["{0}", subject]',
        six=True,
    ),
    entry(
        "bad-rectangle",
        "the rectangle of alterPixels cannot be used",
        "Its sides are pixels from the top left corner; right and bottom are the first that stay.",
        wrong='alterPixels["rectangle", "l=0, t=0", "solid", "v=0"]',
        right='alterPixels["rectangle", "l=0, t=0, r=9, b=9", "solid", "v=0"]',
        six=True,
    ),
    entry(
        "bad-regex",
        "a pattern cannot be used",
        "Patterns are regular expressions of Java. The signs \\ . [ ] ( ) { } * + ? ^ $ | "
        "mean something, a backslash (written twice) before them makes them plain.",
        wrong='(0010,0020) ~ "MRN-(.*" : - (0010,0020)',
        right='(0010,0020) ~ "MRN-(.*)" : - (0010,0020)',
    ),
    entry(
        "bad-shape",
        "alterPixels knows no such shape",
        'The only shape is "rectangle".',
        wrong='alterPixels["circle", "l=0, t=0, r=9, b=9", "solid", "v=0"]',
        right='alterPixels["rectangle", "l=0, t=0, r=9, b=9", "solid", "v=0"]',
        six=True,
    ),
    entry(
        "bad-uid-prefix",
        "the beginning of new UIDs is none",
        "Numbers without leading zeros, with points between them, at most 33 characters.",
        wrong='(0020,000D) := mapUID[(0020,000D), "abc"]',
        right='(0020,000D) := mapUID[(0020,000D), "1.2.840.99999"]',
        six=True,
    ),
    entry(
        "bad-unit",
        "there is no such unit of time",
        "Units are days, hours, minutes and seconds, see the manual of the function.",
        wrong='(0008,0020) := shiftDateByIncrement[(0008,0020), 3, "moons"]',
        right='(0008,0020) := shiftDateByIncrement[(0008,0020), 3, "days"]',
        six=True,
    ),
    entry(
        "bad-table-line",
        "a line of a lookup table holds no entry",
        "Lines are `keytype/key = value`, empty, or begin with //.",
        when="table",
    ),
    entry(
        "bad-tests",
        "a file of tests is not written as it must be",
        "See the page about tests of scripts.",
        when="tests",
    ),
    entry(
        "initialised-twice",
        "a variable gets two initial values",
        "In DicomEdit 4 a variable has one value from the beginning; lines are no steps.",
        wrong='who := "a"\nwho := "b"',
        right='who := "a"',
    ),
    entry(
        "list-assigned",
        "an element is given a list",
        "An element gets one text; `format` or `concatenate` make one of several.",
        wrong='(0010,0020) := {"a", "b"}',
        right='(0010,0020) := concatenate["a", "b"]',
        six=True,
    ),
    entry(
        "list-compared",
        "a list is compared",
        'Compare single values, or with a pattern: `~ "a|b"`.',
        wrong='(0008,0060) = {"MR", "CT"} ? -(0010,0010)',
        right='(0008,0060) ~ "MR|CT" ? -(0010,0010)',
        six=True,
    ),
    entry(
        "no-label-function",
        "makeSessionLabel is unknown here",
        "Whoever runs the script supplies the variable instead.",
        wrong='label := makeSessionLabel["a##"]\n(0010,0020) := label',
    ),
    entry(
        "no-lookup-table",
        "there is no lookup table",
        "`lookup` finds values in lookup.txt of the site's folder, or in --lookup FILE.",
        wrong='(0010,0020) := lookup["pid", (0010,0020)]',
        six=True,
    ),
    entry(
        "no-such-key-type",
        "the lookup table has no such type of keys",
        "The first value of `lookup` is what stands before the / in the table.",
    ),
    entry(
        "no-text-possible",
        "an element that cannot hold text is given one",
        "Sequences and binary elements such as pixel data can be removed, not assigned.",
        wrong='(7FE0,0010) := ""',
        right="- (7FE0,0010)",
    ),
    entry(
        "no-value",
        "something without a value is used as one",
        "Statements such as `removeTags` give no value. On an object: an element that a "
        "function needs is absent.",
        wrong="x := removeTags[(0010,0010)]",
        right="removeTags[(0010,0010)]",
        six=True,
    ),
    entry(
        "not-allowed",
        "getURL is switched off, or the host is not allowed",
        "A script could send anything anywhere. Whoever runs the site can allow single hosts.",
        wrong='(0010,0020) := getURL["https://example.org/"]',
    ),
    entry(
        "not-readable",
        "an element whose value cannot be read as text",
        "Sequences have no text; DicomEdit 4 cannot read groups from 8000 on.",
        wrong="(0010,0020) := (8001,0010)",
        right="(0010,0020) := (0008,0060)",
    ),
    entry(
        "not-singular",
        "many elements where one is needed",
        "Wild digits, `*/` and sequences without an item number mean many elements. `?=` and "
        "`-` take them, `:=` and values do not.",
        wrong='(0010,10XX) := ""',
        right='(0010,10XX) ?= ""',
        six=True,
    ),
    entry(
        "transfer-syntax",
        "a script changes the transfer syntax",
        "(0002,0010) says how the file is encoded; another value would make it unreadable.",
        wrong="- (0002,0010)",
        right="- (0002,0016)",
    ),
    entry(
        "unknown-function",
        "there is no such function",
        "Names are spelled exactly, case counts. `prearc anon functions` lists them all.",
        wrong="(0020,000D) := hashUDI[(0020,000D)]",
        right="(0020,000D) := hashUID[(0020,000D)]",
    ),
    entry(
        "unknown-generator",
        "new makes UIDs only",
        "The only form is `new UID`.",
        wrong="(0020,000D) := new uid",
        right="(0020,000D) := new UID",
    ),
    entry(
        "variable-cycle",
        "variables need each other",
        "One of them needs a value of its own.",
        wrong="a := b\nb := a\n(0010,0010) := a",
        right='a := b\nb := "x"\n(0010,0010) := a',
    ),
)
