"""Results that print as tables."""

from __future__ import annotations

import re

import numpy as np

from loupe.brain.core.records import Threshold
from loupe.brain.core.results import DuplicatesResult, Flags, Pair, Rates
from loupe.brain.core.tables import MAX_ROWS, Table
from loupe.brain.slicing.outcomes import State
from loupe.brain.slicing.rates import rates

BAD = "<img src=x onerror='alert(1)'> & \"day\"\nnight"


def test_a_list_of_rates_prints_as_a_table_and_stays_a_list() -> None:
    state = np.array([State.FAILED, State.PASSED, State.UNKNOWN, State.UNCHECKED])
    plain = rates({"blur": state}, {"time": ["day", "day", BAD, BAD]})
    shown = Rates(plain)
    assert shown == plain
    lines = repr(shown).splitlines()
    assert lines[0].split() == ["slice", "failure", "rate", "interval", "failed", "judged", "unknown", "unchecked"]
    assert lines[2].split() == ["time=day", "blur", "50.0%", "9.5%", "to", "90.5%", "1", "2", "0", "0"]
    assert lines[1].endswith("0       0        1          1")
    assert "not judged" in lines[1]
    assert len(lines) == 3, "a line break in a value breaks no row"
    assert "no rates" in repr(Rates())


def test_html_shows_whatever_stands_in_a_cell_as_it_is() -> None:
    made = Rates(rates({"blur": np.array([State.FAILED])}, {"time": [BAD]}))._repr_html_()
    assert "<img" not in made
    assert "&lt;img src=x onerror=&#x27;alert(1)&#x27;&gt; &amp; &quot;day&quot;" in made
    assert set(re.findall(r"<(\w+)", made)) == {"table", "thead", "tbody", "tr", "th", "td"}


def test_flags_and_duplicates_print_as_tables_the_worst_first() -> None:
    used = {"blur": Threshold("<", 0.6), "dark": Threshold("<", 0.5, source="user")}
    flags = Flags({"blur": 2, "dark": 30}, {"blur": 1, "dark": 0}, used)
    assert [line.split() for line in repr(flags).splitlines()] == [
        ["32", "failures", "flagged"],
        ["failure", "fails", "where", "set", "by", "failed", "unknown"],
        ["dark", "<", "0.5", "user", "30", "0"],
        ["blur", "<", "0.6", "default", "2", "1"],
    ]
    result = DuplicatesResult((Pair("a", "b", "near", 0.98765),), (("a", "b"),))
    assert "a       b    near           0.988" in repr(result)
    assert "<td>near</td><td style='text-align:right'>0.988</td>" in result._repr_html_()
    assert repr(DuplicatesResult((), ())) == "0 pairs in 0 groups"
    assert result.to_dict()["pairs"][0]["id_a"] == "a"


def test_what_is_long_is_cut_and_says_so() -> None:
    table = Table.of("many", ["n"], [[n] for n in range(MAX_ROWS + 1_005)])
    assert len(table.text().splitlines()) == MAX_ROWS + 3
    assert table.text().endswith("and 1,005 rows more")
    assert table.html().count("<td") == MAX_ROWS
    assert "and 1,005 rows more" in table.html()


def test_a_table_that_is_not_cut_says_nothing_of_more() -> None:
    assert Table("few", ("n",), ((1,), (12,))).text() == "few\n n\n 1\n12"
