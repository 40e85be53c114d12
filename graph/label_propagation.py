"""Synchronous label propagation over weighted links, on positions instead of ids.

Positions are ranks of ids, so the smallest label is the smallest position. GraphFrames' own label
propagation is not used, because it has no weights, gives every account without an incoming link
(and every account with a string id) a null label in one of its two variants, breaks ties by the
order of a hash table in the other, and gathers all of an account's neighbours in one value, which
does not end on graphs with hubs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graph.compiled import compiled
from graph.id_kernels import Int32s, Int64s
from graph.union_find import flatten, unite


@dataclass(frozen=True)
class Rule:
    """How labels move: in every round to the heaviest label among the neighbours.

    With `settles`, every second round makes only moves to smaller labels, and after `max_rounds`
    such moves go on until nothing changes: plain rounds would oscillate on bipartite graphs.
    """

    max_rounds: int
    settles: bool

    def only_lowers(self, number: int) -> bool:
        """Whether round `number` (from 1) makes only moves to smaller labels."""
        return self.settles and (number % 2 == 0 or number > self.max_rounds)

    def goes_on(self, number: int, moved: bool) -> bool:
        """Whether another round can change anything after round `number`.

        A round that only lowers may find nothing while the next free one does; any other round
        without a move is the end, for its moves include those of the rounds that only lower.
        """
        if number >= self.max_rounds:
            return self.settles and (moved or number == self.max_rounds)
        return moved or self.only_lowers(number)


def propagate(left: Int32s, right: Int32s, weights: Int64s, accounts: int, rule: Rule) -> Int32s:
    """The label of each account 0 .. accounts-1 after propagation along links left[i]-right[i].

    An account is not its own neighbour: links of an account to itself have no vote. Weights of
    repeated links add up.
    """
    starts, neighbours, votes = adjacency(left, right, weights, accounts)
    labels = np.arange(accounts, dtype=np.int32)
    _run(starts, neighbours, votes, labels, rule.max_rounds, rule.settles)
    return labels


def split(left: Int32s, right: Int32s, labels: Int32s) -> Int32s:
    """Cut each label into the parts its own links connect, each named by its smallest account."""
    parts = np.arange(len(labels), dtype=np.int32)
    inside = labels[left] == labels[right]
    unite(parts, left[inside], right[inside])
    flatten(parts)
    return parts


@compiled
def adjacency(
    left: Int32s, right: Int32s, weights: Int64s, accounts: int
) -> tuple[Int64s, Int32s, Int64s]:
    """Neighbours and weights of each account, those of account a at starts[a] .. starts[a+1]."""
    starts = np.zeros(accounts + 1, np.int64)
    for link in range(len(left)):
        if left[link] != right[link]:
            starts[left[link] + 1] += 1
            starts[right[link] + 1] += 1
    for account in range(accounts):
        starts[account + 1] += starts[account]
    ends = starts[:-1].copy()
    neighbours = np.empty(starts[-1], np.int32)
    votes = np.empty(starts[-1], np.int64)
    for link in range(len(left)):
        a, b = left[link], right[link]
        if a != b:
            neighbours[ends[a]], votes[ends[a]] = b, weights[link]
            neighbours[ends[b]], votes[ends[b]] = a, weights[link]
            ends[a] += 1
            ends[b] += 1
    return starts, neighbours, votes


@compiled
def _run(
    starts: Int64s,
    neighbours: Int32s,
    votes: Int64s,
    labels: Int32s,
    max_rounds: int,
    settles: bool,
) -> None:
    """Move labels in place by the rounds of a Rule.

    A round looks only at accounts that could move: those with a neighbour that moved in the last
    round, and those whose move was not allowed then because it raised the label.
    """
    accounts = len(labels)
    sums = np.zeros(accounts, np.int64)
    queued = np.zeros(accounts, np.int32)
    movers, waiting = np.empty(accounts, np.int32), np.empty(accounts, np.int32)
    targets = np.empty(accounts, np.int32)
    near = np.empty(np.max(starts[1:] - starts[:-1]) if accounts else 0, np.int32)
    everyone = np.flatnonzero(starts[1:] > starts[:-1]).astype(np.int32)
    queue = everyone
    number = 0
    while len(queue) and (number < max_rounds or settles):
        number += 1
        only_lowers = settles and (number % 2 == 0 or number > max_rounds)
        moves, waits = 0, 0
        for account in queue:
            target = _winner(account, starts, neighbours, votes, labels, sums, near)
            if target < labels[account] or (target > labels[account] and not only_lowers):
                movers[moves], targets[moves] = account, target
                moves += 1
            elif target > labels[account]:
                waiting[waits] = account
                waits += 1
        if number >= max_rounds:
            waits = 0
        for move in range(moves):
            labels[movers[move]] = targets[move]
        if moves > len(everyone) // 4:
            # Nearly all will have to look again; finding out who would take longer.
            queue = everyone
        else:
            queue = _next_queue(movers[:moves], waiting[:waits], starts, neighbours, queued, number)


@compiled
def _winner(
    account: np.int32,
    starts: Int64s,
    neighbours: Int32s,
    votes: Int64s,
    labels: Int32s,
    sums: Int64s,
    near: Int32s,
) -> np.int32:
    """The label with the largest sum of votes, the smallest of several.

    `sums` is zero before and after; `near` is room for the neighbours' labels, which are far apart
    in memory and so fetched only once.
    """
    first = starts[account]
    degree = starts[account + 1] - first
    for place in range(degree):
        near[place] = labels[neighbours[first + place]]
        sums[near[place]] += votes[first + place]
    best: np.int32 = near[0]
    for place in range(degree):
        label = near[place]
        if sums[label] > sums[best] or (sums[label] == sums[best] and label < best):
            best = label
    for place in range(degree):
        sums[near[place]] = 0
    return best


@compiled
def _next_queue(
    movers: Int32s,
    waiting: Int32s,
    starts: Int64s,
    neighbours: Int32s,
    queued: Int32s,
    number: int,
) -> Int32s:
    """Those that wait and the neighbours of those that moved, each once."""
    queue = np.empty(len(queued), np.int32)
    queue[: len(waiting)] = waiting
    length = len(waiting)
    queued[waiting] = number
    for account in movers:
        for arc in range(starts[account], starts[account + 1]):
            neighbour = neighbours[arc]
            if queued[neighbour] != number:
                queued[neighbour] = number
                queue[length] = neighbour
                length += 1
    return queue[:length]
