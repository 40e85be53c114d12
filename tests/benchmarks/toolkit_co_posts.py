"""coordination-network-toolkit 1.5.2 on the content trace, from CSV to network as it documents.

`toolkit_co_posts.py csv EVENTS FOLDER` writes the CSV, which is not part of what it is timed for;
`toolkit_co_posts.py compute FOLDER` loads it into SQLite and joins co-retweets within 60 s.
"""

from __future__ import annotations

import sys
from pathlib import Path

WINDOW_S = 60
PROCESSES = 2


def write_csv(events: str, folder: Path) -> None:
    """Write the posts and shares of content in the columns that the toolkit reads."""
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    duckdb.sql(f"""
        COPY (
            SELECT row_number() OVER () AS message_id, account_id AS user_id, '' AS username,
                   content_hash AS repost_id, '' AS reply_id, '' AS message,
                   epoch_us(event_time) // 1000000 AS timestamp, '' AS urls
            FROM read_parquet('{events}')
            WHERE content_hash IS NOT NULL AND event_type IN ('post', 'share')
        ) TO '{folder / "posts.csv"}' (HEADER)
    """)


def compute(folder: Path) -> None:
    """Load the CSV and compute the network, as the toolkit's documentation shows."""
    from coordination_network_toolkit.compute_networks import compute_co_retweet_parallel
    from coordination_network_toolkit.preprocess import preprocess_csv_files

    database = folder / "toolkit.db"
    database.unlink(missing_ok=True)
    preprocess_csv_files(str(database), [str(folder / "posts.csv")])
    compute_co_retweet_parallel(str(database), WINDOW_S, n_threads=PROCESSES, min_edge_weight=2)


if __name__ == "__main__":
    if sys.argv[1] == "csv":
        write_csv(sys.argv[2], Path(sys.argv[3]))
    else:
        compute(Path(sys.argv[2]))
