"""No count that is left out can be worked out from what is told."""

from collections import Counter
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.crossing import crossing
from surveys.items import Item
from surveys.suppression import Sum, derivable, hidden
from surveys.telling import Rule, Telling

SMALLEST = 5


def table(cells: dict[tuple[str, str], int], regions: dict[str, str]) -> tuple[dict[object, int], list[Sum[object]]]:
    """Countries by answer, with every sum that a report shows of them."""
    countries = sorted({country for country, _ in cells})
    answers = sorted({answer for _, answer in cells})
    counts: Counter[object] = Counter()
    for (country, answer), number in cells.items():
        region = f"r:{regions[country]}"
        for group, which in product((country, region, "all"), (answer, "n")):
            counts[group, which] += number
    groups = [*countries, *sorted({f"r:{each}" for each in regions.values()}), "all"]
    sums: list[Sum[object]] = [
        Sum((group, "n"), tuple((group, each) for each in answers), together=True) for group in groups
    ]
    for answer in (*answers, "n"):
        for region in sorted(set(regions.values())):
            inside = tuple((each, answer) for each in countries if regions[each] == region)
            sums.append(Sum((f"r:{region}", answer), inside))
        sums.append(Sum(("all", answer), tuple((f"r:{each}", answer) for each in sorted(set(regions.values())))))
    return dict(counts), sums


@given(st.lists(st.integers(0, 40), min_size=2, max_size=9), st.integers(2, 8))
def test_in_one_line_nothing_hidden_is_the_only_number_that_fits(parts: list[int], smallest: int) -> None:
    counts: dict[str | int, int] = {"total": sum(parts), **dict(enumerate(parts))}
    left_out = hidden(counts, [Sum("total", tuple(range(len(parts))), together=True)], smallest)
    assert all(counts[key] == 0 or counts[key] >= smallest or key in left_out for key in counts)
    unknown = [key for key in range(len(parts)) if key in left_out]
    if unknown and "total" not in left_out:
        rest = sum(counts[key] for key in unknown)
        assert len(unknown) > 1
        assert rest >= smallest or not any(counts[key] for key in unknown)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 12), min_size=3, max_size=3), min_size=2, max_size=6))
def test_across_answers_countries_and_regions_no_hidden_count_has_one_solution(rows: list[list[int]]) -> None:
    regions = {f"c{n}": "east" if n % 2 else "west" for n in range(len(rows))}
    cells = {(f"c{n}", "abc"[m]): number for n, row in enumerate(rows) for m, number in enumerate(row)}
    counts, sums = table(cells, regions)
    left_out = hidden(counts, sums, SMALLEST)
    assert {key for key, number in counts.items() if 0 < number < SMALLEST} <= left_out
    assert not derivable(left_out, sums)


members = st.lists(st.tuples(st.integers(0, 5), st.sampled_from("AB"), st.sampled_from("xyz")), max_size=90)


@settings(max_examples=40, deadline=None)
@given(members, st.sampled_from(["one", "several"]))
def test_nothing_that_is_told_of_an_item_gives_away_what_is_not(people: list[tuple[int, str, str]], kind: str) -> None:
    item = Item("i", "i", "", "one" if kind == "one" else "several", str, (("x", "X"), ("y", "Y"), ("z", "Z")))
    given_ = [
        ({"country": f"c{country}", "region": "east" if country % 2 else "west", "tier": tier},
         answer if kind == "one" else tuple(sorted({answer, "xy"[country % 2]})))
        for country, tier, answer in people
    ]  # fmt: skip
    found = crossing(item, given_)
    assert all(found.counts[each.total] == sum(found.counts[part] for part in each.parts) for each in found.sums)
    secret = Telling(item, found, {}, Rule(SMALLEST)).secret
    assert {place for place, number in found.counts.items() if 0 < number < SMALLEST} <= secret
    assert not derivable(secret, found.sums)


def test_a_small_count_takes_the_next_smallest_with_it() -> None:
    counts = {"n": 60, "yes": 40, "no": 3, "partly": 17}
    assert hidden(counts, [Sum("n", ("yes", "no", "partly"))], SMALLEST) == {"no", "partly"}


def test_counts_that_are_small_together_take_another_with_them() -> None:
    counts = {"n": 42, "yes": 40, "no": 1, "partly": 1}
    assert hidden(counts, [Sum("n", ("yes", "no", "partly"))], SMALLEST) == {"no", "partly", "yes"}


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    assert not hidden({"n": 30, "yes": 20, "no": 10, "none": 0}, [Sum("n", ("yes", "no", "none"))], SMALLEST)


def test_what_is_hidden_is_solved_from_crossing_sums() -> None:
    sums = [Sum("row", ("a", "b")), Sum("column", ("a", "c")), Sum("other", ("b", "c"))]
    assert derivable({"a", "b", "c"}, sums) == {"a", "b", "c"}
    assert not derivable({"a", "b", "c"}, sums[:2])


def test_a_group_that_is_left_out_takes_its_answers_along() -> None:
    counts = {"n": 3, "yes": 3, "no": 0, "all": 30, "others": 27}
    left_out = hidden(counts, [Sum("n", ("yes", "no"), together=True), Sum("all", ("n", "others"))], SMALLEST)
    assert {"n", "yes", "no", "others"} <= left_out
