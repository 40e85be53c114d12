"""How well two partitions of accounts agree: B-cubed and the adjusted Rand index, exactly.

A partition maps accounts to names of clusters; an account that it does not name stands alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import comb

Partition = Mapping[str, str]


def bcubed(
    accounts: Iterable[str], found: Partition, truth: Partition
) -> tuple[float, float] | None:
    """Average precision |C n T| / |C| and recall |C n T| / |T| over accounts (at least one).

    C is the account's cluster in `found`, T its cluster in `truth`, both with all their accounts,
    also those not averaged over (Bagga and Baldwin 1998).
    """
    found_sizes, true_sizes = Counter(found.values()), Counter(truth.values())
    shared = Counter((found[account], truth[account]) for account in found.keys() & truth.keys())
    cells = Counter((found.get(account), truth.get(account)) for account in accounts)
    precision = recall = Fraction(0)
    for (cluster, true), count in cells.items():
        both = 1 if cluster is None or true is None else shared[cluster, true]
        precision += Fraction(count * both, 1 if cluster is None else found_sizes[cluster])
        recall += Fraction(count * both, 1 if true is None else true_sizes[true])
    total = cells.total()
    return (float(precision / total), float(recall / total)) if total else None


def adjusted_rand(accounts: Iterable[str], found: Partition, truth: Partition) -> float | None:
    """Compare the partitions of these accounts: 1 when equal, 0 on average by chance.

    Hubert and Arabie 1985; 1 where both put all accounts together or all apart, None below two.
    """
    cells = Counter((found.get(a, (a,)), truth.get(a, (a,))) for a in accounts)
    rows, columns = Counter[object](), Counter[object]()
    for (cluster, true), count in cells.items():
        rows[cluster] += count
        columns[true] += count
    if cells.total() < 2:
        return None
    together, in_found, in_truth = (_pairs(sizes.values()) for sizes in (cells, rows, columns))
    expected = Fraction(in_found * in_truth, comb(cells.total(), 2))
    most = Fraction(in_found + in_truth, 2)
    return float((together - expected) / (most - expected)) if most != expected else 1.0


def _pairs(sizes: Iterable[int]) -> int:
    return sum(comb(size, 2) for size in sizes)
