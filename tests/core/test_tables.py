"""Results that print as tables."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np

from loupe.brain.core.records import Threshold
from loupe.brain.core.results import DuplicatesResult, Flags, Pair, Rate, Rates, Slice
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
    assert lines[2].split() == ["time=day", "blur", "(50.0", "%)", "9.5", "%", "to", "90.5", "%", "1", "2", "0", "0"]
    assert lines[1].endswith("0       0        1          1")
    assert "not judged" in lines[1]
    assert lines[3] == "in parentheses: fewer than 10 judged"
    assert len(lines) == 4, "a line break in a value breaks no row"
    assert "no rates" in repr(Rates())


def test_html_shows_whatever_stands_in_a_cell_as_it_is() -> None:
    made = Rates(rates({"blur": np.array([State.FAILED])}, {"time": [BAD]}))._repr_html_()
    assert "<img" not in made
    assert "&lt;img src=x onerror=&#x27;alert(1)&#x27;&gt; &amp; &quot;day&quot;" in made
    assert set(re.findall(r"<(\w+)", made)) == {"table", "thead", "tbody", "tr", "th", "td", "p"}


def test_lift_q_and_groups_stand_in_the_table_where_rates_have_them() -> None:
    night = Rate(
        Slice({"time": "night"}), "blur", 40, 10, 1, 0, 0.25, 0.1, 0.5, lift=2.5, p=0.0004, q=0.0008,
        groups=5, effective_n=12.34,
    )  # fmt: skip
    day = replace(night, slice=Slice({"time": "day"}), lift=math.inf, p=0.01, q=0.0123, effective_n=9.5)
    table = Rates([night, day]).table()
    assert table.head == (
        *("slice", "failure", "rate", "interval", "lift", "q", "failed", "judged", "groups", "counts as"),
        *("unknown", "unchecked"),
    )
    assert table.rows[0][2:10] == ("25.0 %", "10.0 % to 50.0 %", "2.50", ".001", 10, 40, 5, "12.3")
    assert table.rows[1][2:6] == ("(25.0 %)", "10.0 % to 50.0 %", "only here", ".012")
    assert table.note == "in parentheses: fewer than 10 independent samples"
    assert str(day).endswith("(10 of 40 in 5 groups, which count as 9.5, 1 unknown)")
    assert not night.too_few
    assert replace(night, groups=None, effective_n=None, min_n=41).too_few


def test_rates_of_older_versions_are_read() -> None:
    old = {"slice": {"values": {"time": "night"}}, "failure": "blur", "n": 2, "failures": 1, "unknown": 0}
    old |= {"unchecked": 0, "rate": 0.5, "low": 0.1, "high": 0.9}
    read = Rate.from_dict(old)
    assert (read.n, read.low, read.groups, read.min_n) == (2, 0.1, None, 10)
    assert all(map(math.isnan, (read.lift, read.p, read.q, *read.jeffreys)))
    full = replace(read, jeffreys=(0.1, 0.8), lift=2.0, p=0.1, q=0.2, groups=2, effective_n=1.5)
    assert Rate.from_dict(full.to_dict()) == full


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
    assert table.text().endswith("and 1,005 more rows")
    assert table.html().count("<td") == MAX_ROWS
    assert "and 1,005 more rows" in table.html()


def test_a_table_that_is_not_cut_says_nothing_of_more() -> None:
    assert Table("few", ("n",), ((1,), (12,))).text() == "few\n n\n 1\n12"


def test_each_note_stands_on_a_line_of_its_own() -> None:
    table = Table.of("", ["a"], [[1]], note="one <b>\nanother")
    assert "<p style='white-space: pre-line'>one &lt;b&gt;\nanother</p>" in table.html()
    assert table.text().splitlines()[-2:] == ["one <b>", "another"]
