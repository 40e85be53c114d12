"""Groups of whole components or networks, so that a task handles thousands of them in one call."""

from __future__ import annotations

from graph.frames import Column, DataFrame, F

ROWS_A_BUCKET = 500_000


def bucket_of(frame: DataFrame, column: str, rows: int) -> Column:
    """A small number for an int64 or string column of a frame of about so many rows.

    It is a function of the value alone, by integer division or the digits of a digest, because
    hash functions differ between engines.
    """
    buckets = 1 + 2 * (rows // (2 * ROWS_A_BUCKET))
    if buckets == 1:
        return F.lit(0)
    if dict(frame.dtypes)[column] == "bigint":
        return F.abs(F.col(column) % F.lit(buckets)).cast("int")
    digest = F.md5(F.col(column))
    digits = [F.ascii(F.substring(digest, place, 1)) for place in (1, 2, 3, 4)]
    number = digits[0] * 12_007 + digits[1] * 1_009 + digits[2] * 101 + digits[3]
    return (number % F.lit(buckets)).cast("int")
