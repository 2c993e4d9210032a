"""Mistakes in how a script is written."""

from __future__ import annotations

from typing import Final

from anon.codes.entry import Code, entry

WRITING: Final[tuple[Code, ...]] = (
    entry(
        "assign-sign",
        "a value is not assigned with :=",
        "A value is given to an element or a variable with `:=`. DicomEdit 6 also has `?=`, "
        "for elements that are there. The sign `=` alone compares.",
        wrong='(0010,0010) = "Anonymous"',
        right='(0010,0010) := "Anonymous"',
    ),
    entry(
        "arithmetic",
        "computing with a sign",
        "DicomEdit adds and subtracts nothing. Dates are shifted with the function shiftDateByIncrement.",
        wrong="(0008,0020) := (0008,0020) - 17",
        right='(0008,0020) := shiftDateByIncrement[(0008,0020), "-17"]',
        six=True,
    ),
    entry(
        "bad-escape",
        "a backslash stands before a letter for which it means nothing",
        "Within quotes a backslash begins a special letter. To mean the backslash itself, as "
        "patterns need it, write it twice.",
        wrong='(0010,0020) ~ "\\d+" : - (0010,0020)',
        right='(0010,0020) ~ "\\\\d+" : - (0010,0020)',
    ),
    entry(
        "bad-name",
        "a name that no variable can have",
        "Names of variables have the letters A to Z and a to z, digits and _; they do not "
        "begin with a digit.",
        wrong='my-name := "x"',
        right='my_name := "x"',
    ),
    entry(
        "bad-number",
        "a number is not written as the language wants it",
        "Numbers have no leading zeros and fit 32 bits, in DicomEdit 4 they are whole. "
        "Anything else, UIDs for example, is a text and stands in quotes.",
        wrong="(0020,000D) := 1.2.840",
        right='(0020,000D) := "1.2.840"',
    ),
    entry(
        "bad-path",
        "a path into sequences is not written as it must be",
        "A path names a sequence, an item, an element in it: `(0008,1140)[0]/(0008,1155)`. "
        "Items are counted from 0, `[%]` means every item, `*/` any number of levels.",
        wrong='(0008,1140)[*]/(0008,1155) ?= ""',
        right='(0008,1140)[%]/(0008,1155) ?= ""',
        six=True,
    ),
    entry(
        "bad-tag",
        "a tag is not written as it must be",
        "A tag is `(gggg,eeee)`: round brackets, four digits from 0-9 and A-F, a comma, four "
        "more. The digits may be wild: X any, @ an even one, # an odd one. DicomEdit 6 names "
        "private elements by their creator, `(0029,{ACME 1.1}08)`.",
        wrong="- (10,10)",
        right="- (0010,0010)",
    ),
    entry(
        "bad-version",
        "the version line is not written as it must be",
        'A script of DicomEdit 6 has a line `version "6.6"` at the very left, 6.0 to 6.7. A '
        "script without such a line is DicomEdit 4.",
        wrong="version 6.6\n-(0010,0010)",
        right='version "6.6"\n-(0010,0010)',
    ),
    entry(
        "block-after-mark",
        "a block, or a statement that needs one, follows a ?",
        "Behind `?` stands a single assignment, removal or call. For more there is `if` with "
        "a block in braces.",
        wrong='(0008,0060) = "MR" ? { -(0010,0010) }',
        right='if ((0008,0060) = "MR") { -(0010,0010) }',
        six=True,
    ),
    entry(
        "block-end",
        "a block does not end with a brace",
        "A block begins with { and ends with }, without any word.",
        wrong='if ((0008,0060) = "MR") {\n  -(0010,0010)\nendif',
        right='if ((0008,0060) = "MR") {\n  -(0010,0010)\n}',
        six=True,
    ),
    entry(
        "call-brackets",
        "a function has other brackets than square ones",
        "What a function works on stands in square brackets behind its name; a tag in there "
        "keeps its own round ones.",
        wrong="(0020,000D) := hashUID(0020,000D)",
        right="(0020,000D) := hashUID[(0020,000D)]",
    ),
    entry(
        "combined-conditions",
        "conditions are joined with a sign",
        "DicomEdit 6 joins conditions with functions: `and[equals[a, b], ismatch[c, d]]`, "
        "`or[...]`. In DicomEdit 4 several conditions stand before a statement, with colons, "
        'and all must hold. A pattern names several values: `~ "MR|CT"`.',
        wrong='(0008,0060) = "MR" && (0008,0070) = "ACME" : - (0010,0010)',
        right='(0008,0060) = "MR" : (0008,0070) = "ACME" : - (0010,0010)',
    ),
    entry(
        "comma",
        "a comma is missing, or one too many",
        "The values in brackets are separated by one comma each; before the first and behind "
        "the last there is none.",
        wrong='(0010,0020) := replace["a" "b", "c"]',
        right='(0010,0020) := replace["a", "b", "c"]',
    ),
    entry(
        "comment-sign",
        "a comment does not begin with //",
        "What follows `//` on a line is a comment. There is no sign for comments over several lines.",
        wrong="# names\n- (0010,0010)",
        right="// names\n- (0010,0010)",
    ),
    entry(
        "compare-sign",
        "values are compared with another sign than = or ~",
        "`=` asks whether values are the same, `~` whether a value fits a pattern; DicomEdit "
        "6 has `!=` and `!~`, too. There is no smaller and greater.",
        wrong='(0008,0060) == "MR" : - (0010,0010)',
        right='(0008,0060) = "MR" : - (0010,0010)',
    ),
    entry(
        "condition-sign",
        "condition and statement are not separated as they must be",
        "DicomEdit 4: `condition : statement`. DicomEdit 6: `condition ? statement : other statement`.",
        wrong='(0008,0060) = "MR" : -(0010,0010)',
        right='(0008,0060) = "MR" ? -(0010,0010)',
        six=True,
    ),
    entry(
        "conditional-value",
        "a value that depends on a condition",
        "Conditions decide about statements. In DicomEdit 6 functions such as `equals` give a value, too.",
        wrong='(0010,0020) := (0008,0060) = "MR" ? "a" : "b"',
        right='(0008,0060) = "MR" ? (0010,0020) := "a" : (0010,0020) := "b"',
        six=True,
    ),
    entry(
        "continued-line",
        "a statement goes on on the next line",
        "A statement ends with its line, unless the line ends with a backslash. Lists in "
        "braces may go on without one.",
        wrong='(0010,0020) := format["{0}",\n  subject]',
        right='(0010,0020) := format["{0}", \\\n  subject]',
        six=True,
    ),
    entry(
        "declaration",
        "describe or export is not written as it must be",
        'Forms: `describe name "text"`, `describe name hidden`, `export name "field"`. XNAT '
        "shows the text when it asks for the variable.",
        wrong='describe subject: "The subject"',
        right='describe subject "The subject"',
    ),
    entry(
        "dicomedit4-format",
        "a text with values behind it in DicomEdit 6",
        "That is how DicomEdit 4 fills values into a text. DicomEdit 6 has the function `format`.",
        wrong='(0010,0020) := "{0}_{1}" project, subject',
        right='(0010,0020) := format["{0}_{1}", project, subject]',
        six=True,
    ),
    entry(
        "dicomedit4-only",
        "something of DicomEdit 4 in a script of DicomEdit 6",
        "The version line says DicomEdit 6. `new UID` is `hashUID[...]` there for UIDs that "
        "stay the same, `newUID[]` for random ones.",
        wrong="(0020,000D) := new UID",
        right="(0020,000D) := hashUID[(0020,000D)]",
        six=True,
    ),
    entry(
        "dicomedit6-only",
        "something of DicomEdit 6 in a script of DicomEdit 4",
        "Paths into sequences, lists, `?=` and functions that stand alone need a version "
        'line: `version "6.6"`.',
        wrong='(0008,1140)/(0008,1155) := "1.2"',
        right='version "6.6"\n(0008,1140)[0]/(0008,1155) := "1.2"',
    ),
    entry(
        "double-minus",
        "two minus signs before a tag",
        "One minus sign removes an element.",
        wrong="-- (0010,0010)",
        right="- (0010,0010)",
    ),
    entry(
        "else-if",
        "else if in two words, or as elif",
        "The word is `elseif`.",
        wrong='if ((0008,0060) = "MR") {\n} else if ((0008,0060) = "CT") {\n}',
        right='if ((0008,0060) = "MR") {\n} elseif ((0008,0060) = "CT") {\n}',
        six=True,
    ),
    entry(
        "foreign-word",
        "a word of another language",
        "Elements are removed with `-` and get values with `:=`, there are no words for "
        "that, and no loops. What no statement names stays as it is.",
        wrong="delete (0010,0010)",
        right="- (0010,0010)",
    ),
    entry(
        "if-and-mark",
        "if and ? for the same condition",
        "Write either `if (condition) { ... }` or `condition ? ...`.",
        wrong='if ((0008,0060) = "MR") ? -(0010,0010)',
        right='(0008,0060) = "MR" ? -(0010,0010)',
        six=True,
    ),
    entry(
        "if-braces",
        "what belongs to if or else stands in no braces",
        "`if (condition) { ... }`, also for a single statement.",
        wrong='if ((0008,0060) = "MR") -(0010,0010)',
        right='if ((0008,0060) = "MR") { -(0010,0010) }',
        six=True,
    ),
    entry(
        "if-brackets",
        "the condition of if stands in no brackets",
        "`if (condition) { ... }`: a tag keeps its own brackets.",
        wrong='if (0008,0060) = "MR" {\n}',
        right='if ((0008,0060) = "MR") {\n}',
        six=True,
    ),
    entry(
        "if-in-dicomedit4",
        "if in a script of DicomEdit 4",
        "In DicomEdit 4 a condition stands before the one statement it is about, with a colon between them.",
        wrong='if (0008,0060) = "MR" : - (0010,0010)',
        right='(0008,0060) = "MR" : - (0010,0010)',
    ),
    entry(
        "inner-quotes",
        "a quotation mark within a text",
        'DicomEdit 6 has no way to write it; take a single one. In DicomEdit 4 write \\" for it.',
        wrong='(0010,4000) := "the "new" one"',
        right="(0010,4000) := \"the 'new' one\"",
    ),
    entry(
        "joined-texts",
        "texts are joined with a sign",
        "DicomEdit 6 has the functions `concatenate` and `format`, DicomEdit 4 a text with "
        "the values behind it.",
        wrong='(0010,0020) := project + "_" + subject',
        right='(0010,0020) := "{0}_{1}" project, subject',
    ),
    entry(
        "keyword-case",
        "a word of the language in capital letters",
        "Words such as `if`, `else`, `echo` are written in small letters.",
        wrong='IF ((0008,0060) = "MR") {\n}',
        right='if ((0008,0060) = "MR") {\n}',
        six=True,
    ),
    entry(
        "keyword-not-tag",
        "the name of an element in place of its tag",
        'Scripts name elements by tag only. `PatientName := "x"` would make a variable and '
        "leave the patient's name where it is, which DicomEdit reports as success.",
        wrong='PatientName := "x"',
        right='(0010,0010) := "x"',
    ),
    entry(
        "list-brackets",
        "a list in square brackets",
        'A list stands in braces: {"a", "b"}. Square brackets belong to functions and to items of sequences.',
        wrong='names := ["Smith", "Jones"]\nblankValues[names]',
        right='names := {"Smith", "Jones"}\nblankValues[names]',
        six=True,
    ),
    entry(
        "method",
        "something behind a point, as in other languages",
        "Values are compared with = and ~, and functions stand before what they work on.",
        wrong='if ((0008,0060).equals("MR")) {\n}',
        right='if ((0008,0060) = "MR") {\n}',
        six=True,
    ),
    entry(
        "misspelled",
        "a statement that does not exist, but resembles one",
        "Statements that are words are spelled exactly like in the manual, case counts.",
        wrong="removeAllPrivatTags",
        right="removeAllPrivateTags",
        six=True,
    ),
    entry(
        "missing-action",
        "a line names something and does nothing with it",
        "`- (gggg,eeee)` removes an element, `(gggg,eeee) := value` gives it a value; a "
        "condition needs something to decide about.",
        wrong="(0010,0010)",
        right="- (0010,0010)",
    ),
    entry(
        "missing-condition",
        "if without a condition",
        "The condition stands in round brackets behind `if`.",
        wrong="if {\n  -(0010,0010)\n}",
        right='if ((0008,0060) = "MR") {\n  -(0010,0010)\n}',
        six=True,
    ),
    entry(
        "missing-target",
        "a sign at the beginning of a line",
        "Before `:=` stands the tag of an element or the name of a variable.",
        wrong=':= "x"',
        right='(0010,0010) := "x"',
    ),
    entry(
        "missing-tag",
        "a minus without a tag",
        "Behind the minus stands the tag of the element to be removed.",
        wrong="-",
        right="- (0010,0010)",
    ),
    entry(
        "missing-value",
        "nothing follows a sign that wants a value",
        'An empty text is written "".',
        wrong="(0010,0010) :=",
        right='(0010,0010) := ""',
    ),
    entry(
        "needless-bracket",
        "brackets around something that needs none",
        "Round brackets stand around tags and behind `if` only.",
        wrong='((0008,0060) = "MR") ? -(0010,0010)',
        right='(0008,0060) = "MR" ? -(0010,0010)',
        six=True,
    ),
    entry(
        "negation",
        "not or ! before a condition",
        "Compare with `!=` or `!~`, or use the else part: `if (...) { } else { ... }`.",
        wrong='not isPresent[(0010,0010)] ? (0010,0010) := "x"',
        right='if (isPresent[(0010,0010)]) {\n} else {\n  (0010,0010) := "x"\n}',
        six=True,
    ),
    entry(
        "no-script",
        "the file is something else than a script",
        "A script is plain text in UTF-8 with one statement a line. The file may be damaged, "
        "or the wrong one.",
        wrong='{\n"Remove": ["PatientName"]\n}',
        right="- (0010,0010)",
    ),
    entry(
        "no-version",
        "a script of DicomEdit 6 without its version line",
        "Without a version line a script is DicomEdit 4. XNAT's engine reads such a script "
        "as DicomEdit 4, drops what it does not understand and reports success.",
        wrong="removeAllPrivateTags",
        right='version "6.6"\nremoveAllPrivateTags',
    ),
    entry(
        "not-utf8",
        "the file is not written in UTF-8",
        "Save it as plain text in UTF-8; editors call that an encoding.",
    ),
    entry(
        "one-at-a-time",
        "several elements in one statement",
        "A statement is about one element; write a line for each.",
        wrong="- (0010,0010), (0010,0020)",
        right="- (0010,0010)\n- (0010,0020)",
    ),
    entry(
        "other-tool",
        "a line in the notation of another tool",
        "Lines of CTP, deid, dcmodify, pydicom or JSON are recognised, and translated where that is clear.",
        wrong="REMOVE PatientName",
        right="- (0010,0010)",
    ),
    entry(
        "quoted-tag",
        "a tag in quotes",
        "A tag that is assigned to or removed stands without quotes.",
        wrong='- "(0010,0010)"',
        right="- (0010,0010)",
    ),
    entry(
        "remark",
        "a line of words without any sign",
        "If it is a comment, it begins with //.",
        wrong="remove all the names",
        right="// remove all the names",
    ),
    entry(
        "remove-and-set",
        "a minus before an assignment",
        "A statement either removes an element or gives it a value.",
        wrong='- (0010,0010) := ""',
        right='(0010,0010) := ""',
    ),
    entry(
        "reserved-word",
        "a word of the language as the name of a variable",
        "Words such as `new`, `echo`, `if`, `version`, `hidden` mean something else; take another name.",
        wrong='new := "x"',
        right='my_new := "x"',
    ),
    entry(
        "semicolon",
        "a semicolon",
        "A statement ends with its line.",
        wrong="- (0010,0010);",
        right="- (0010,0010)",
    ),
    entry(
        "several-values",
        "several texts for one element",
        "The values of an element with several of them stand in one text, with a backslash "
        "(written twice) between them.",
        wrong='(0008,0008) := "ORIGINAL", "PRIMARY"',
        right='(0008,0008) := "ORIGINAL\\\\PRIMARY"',
        six=True,
    ),
    entry(
        "stray-else",
        "else without if",
        "`else` and `elseif` follow the } of an `if`.",
        wrong="else {\n  -(0010,0010)\n}",
        right='if ((0008,0060) = "MR") {\n} else {\n  -(0010,0010)\n}',
        six=True,
    ),
    entry(
        "too-deep",
        "brackets or values within others, too many levels",
        "Store what is inside in a variable first. While a script runs, this is said of "
        "variables whose values need each other in a long chain.",
        wrong="l := "
        "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}",
        right="l := {{}}",
        six=True,
    ),
    entry(
        "too-long",
        "the script, or a value, is longer than allowed",
        "A script has at most 1000000 characters, a text that a script makes 10000000.",
    ),
    entry(
        "unbalanced-bracket",
        "a bracket has no partner",
        "Every ( [ { is closed by the same kind of bracket.",
        wrong="(0010,0020) := lowercase[subject",
        right="(0010,0020) := lowercase[subject]",
    ),
    entry(
        "unclosed-block",
        "a block has no }",
        "Every { of an `if` or `else` has its }.",
        wrong='if ((0008,0060) = "MR") {\n  -(0010,0010)',
        right='if ((0008,0060) = "MR") {\n  -(0010,0010)\n}',
        six=True,
    ),
    entry(
        "unclosed-string",
        "a text has one quotation mark only",
        "A text begins and ends with a quotation mark.",
        wrong='(0010,0010) := "Anonymous',
        right='(0010,0010) := "Anonymous"',
    ),
    entry(
        "unexpected",
        "something stands where it cannot",
        "Nothing is known about what was meant. The statement can be read up to the place "
        "that is underlined.",
        wrong="(0010,0010) := ~",
        right='(0010,0010) := "~"',
    ),
    entry(
        "unquoted-text",
        "a text without quotes",
        "A text stands in double quotes; a single word without them is a variable.",
        wrong="(0010,0010) := Anonymous Patient",
        right='(0010,0010) := "Anonymous Patient"',
    ),
    entry(
        "unusual-letter",
        "a letter that only looks like the ordinary one",
        "Word processors and web pages bring along dashes, blanks and signs that look right. Type them anew.",
        wrong="– (0010,0010)",
        right="- (0010,0010)",
    ),
    entry(
        "variable-sign",
        "a sign around the name of a variable",
        "A variable is written as its name alone.",
        wrong="(0010,0020) := $subject",
        right="(0010,0020) := subject",
    ),
    entry(
        "wrong-quotes",
        "a text in single or typographic quotes",
        'Texts stand in straight double quotes: "text".',
        wrong="(0010,0010) := 'Anonymous'",
        right='(0010,0010) := "Anonymous"',
    ),
)
