"""The peer: events to links and components as a good engineer writes it for one machine.

`python -m tests.benchmarks.peer_duckdb LOG OUT` reads LOG/events and LOG/ip_networks, a clean log:
unique event ids, IPv4 addresses and lower-case hashes only. It applies the shipped traces and hub
limits in DuckDB SQL, finds components with igraph, and writes links.parquet and components.parquet.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import igraph
import pyarrow as pa

from graph.config import Config, Trace
from jobs.configuration import load

COLUMNS = {
    "device": "device_id",
    "ip": "ip",
    "content": "content_hash",
    "target": "target_id",
}
BIN_US = 600_000_000
EVENTS_PER_ACCOUNT = 10
COMPONENT = pa.schema([(name, pa.int64()) for name in ("account", "component", "size")])
UNCOUNTED = ("mobile", "vpn", "education")


def read(db: duckdb.DuckDBPyConnection, log: Path) -> None:
    """Load events, accounts as numbers in the order of their ids, and networks of addresses."""
    db.execute(f"""
        CREATE TABLE raw AS
        SELECT account_id, epoch_us(event_time) AS time_us, event_type AS type, event_id,
               {", ".join(COLUMNS.values())}
        FROM read_parquet('{log}/events/**/*.parquet')
    """)
    db.execute("""
        CREATE TABLE account AS
        SELECT account_id, row_number() OVER (ORDER BY account_id) - 1 AS account
        FROM (SELECT DISTINCT account_id FROM raw)
    """)
    db.execute("""
        CREATE TABLE event AS
        SELECT account.account, raw.* EXCLUDE (account_id) FROM raw JOIN account USING (account_id)
    """)
    db.execute("DROP TABLE raw")
    db.execute("""
        CREATE MACRO number(ip) AS
            list_reduce(
                list_transform(string_split(ip, '.'), lambda octet: octet::BIGINT),
                lambda x, y: x * 256 + y
            )
    """)
    db.execute(f"""
        CREATE TABLE network AS
        WITH block AS (
            SELECT number(string_split(cidr, '/')[1]) AS first, asn, kind,
                   (string_split(cidr, '/')[2]::INTEGER, valid_from) AS rank
            FROM read_parquet('{log}/ip_networks/*.parquet'),
                 (SELECT make_timestamp(max(time_us))::DATE AS today FROM event)
            WHERE cidr NOT LIKE '%:%' AND valid_from::DATE <= today
              AND (valid_to IS NULL OR valid_to::DATE >= today)
        ), address AS (
            SELECT DISTINCT ip AS entity, number(ip) AS number FROM event WHERE ip IS NOT NULL
        )
        SELECT entity, coalesce('AS' || arg_max(asn, rank),
                                regexp_replace(entity, '[0-9]+$', '0/24')) AS network,
               arg_max(kind, rank) AS kind
        FROM address
        LEFT JOIN block ON number >= first AND number < first + (1 << (32 - rank[1]))
        GROUP BY entity
    """)


def edges(db: duckdb.DuckDBPyConnection, config: Config) -> None:
    """Count events of each account and entity, and mark the entities that may link."""
    for entity, column in COLUMNS.items():
        db.execute(f"""
            CREATE VIEW seen_{entity} AS
            SELECT {column} AS entity, account, type, event_id, time_us
            FROM event WHERE {column} IS NOT NULL
        """)
        db.execute(f"""
            CREATE TABLE edge_{entity} AS
            SELECT entity, account, type, count(*) AS events
            FROM seen_{entity} GROUP BY ALL
        """)
        limits = config.hubs[entity]
        hard, soft = (limits.hard, limits.soft) if limits else (1 << 62, 1 << 62)
        db.execute(f"""
            CREATE TABLE linking_{entity} AS
            SELECT entity, count(DISTINCT account) <= {soft} AS without_window
            FROM edge_{entity} GROUP BY entity
            HAVING count(DISTINCT account) BETWEEN 2 AND {hard}
        """)


def prepare_trace(db: duckdb.DuckDBPyConnection, trace: Trace) -> str:
    """Make the trace's edges and participants; return its condition on event types."""
    types = ", ".join(f"'{each}'" for each in trace.events or ())
    chosen = f"type IN ({types})" if types else "true"
    db.execute(f"""
        CREATE OR REPLACE TABLE edge AS
        SELECT entity, account, sum(events)::BIGINT AS events
        FROM edge_{trace.entity} WHERE {chosen} GROUP BY ALL
    """)
    db.execute(f"""
        CREATE OR REPLACE TABLE present AS
        SELECT account FROM edge GROUP BY account HAVING sum(events) >= {trace.min_participation}
    """)
    return chosen


def windowed_pairs(
    db: duckdb.DuckDBPyConnection, trace: Trace, chosen: str, max_burst: int | None
) -> None:
    """Pairs of events of two accounts on one entity within the sliding window."""
    width = max(trace.window or 0, 1)
    originators = f"""
        AND (entity, account) NOT IN (
            SELECT (entity, arg_min(account, (time_us, account)))
            FROM seen_{trace.entity} GROUP BY entity
        )
    """
    db.execute(f"""
        CREATE OR REPLACE TABLE here AS
        SELECT entity, account, event_id, time_us, time_us // {width} AS bucket
        FROM seen_{trace.entity} SEMI JOIN linking_{trace.entity} USING (entity)
        WHERE {chosen} AND account IN (FROM present)
        {originators if trace.exclude_originator else ""}
    """)
    if max_burst is not None:
        db.execute(f"""
            CREATE OR REPLACE TABLE here AS
            FROM here ANTI JOIN (
                SELECT entity, bucket FROM here GROUP BY ALL
                HAVING count(DISTINCT account) > {max_burst}
                    OR count(*) > {max_burst * EVENTS_PER_ACCOUNT}
            ) USING (entity, bucket)
        """)
    db.execute(f"""
        CREATE OR REPLACE TABLE matched AS
        SELECT x.entity, least(x.account, y.account) AS a, greatest(x.account, y.account) AS b,
               x.event_id AS event_x, y.event_id AS event_y
        FROM here AS x
        JOIN (SELECT *, unnest([0, 1]) AS ahead FROM here) AS y
          ON x.entity = y.entity AND x.bucket = y.bucket - ahead
        WHERE if(ahead = 0, x.account < y.account, x.account != y.account)
          AND abs(x.time_us - y.time_us) <= {trace.window}
          AND x.entity NOT IN (x.event_id, y.event_id)
    """)
    db.execute(f"""
        CREATE OR REPLACE TABLE pair AS
        WITH steady AS (
            SELECT account FROM here
            WHERE event_id IN (SELECT event_x FROM matched UNION SELECT event_y FROM matched)
            GROUP BY account HAVING count(*) >= {trace.min_participation}
        )
        SELECT entity, a, b, count(*) AS co_actions FROM matched
        WHERE a IN (FROM steady) OR b IN (FROM steady)
        GROUP BY ALL
    """)


def shared_pairs(db: duckdb.DuckDBPyConnection, trace: Trace) -> None:
    """Pairs of accounts that share an entity at any time."""
    db.execute(f"""
        CREATE OR REPLACE TABLE here AS
        SELECT * FROM edge
        WHERE entity IN (SELECT entity FROM linking_{trace.entity} WHERE without_window)
          AND account IN (FROM present)
        QUALIFY count(*) OVER (PARTITION BY account) >= {trace.min_entities}
    """)
    db.execute(f"""
        CREATE OR REPLACE TABLE pair AS
        WITH common AS (
            SELECT * FROM here QUALIFY count(*) OVER (PARTITION BY entity) > 1
        ), steady AS (
            SELECT account FROM common GROUP BY account
            HAVING sum(events) >= {trace.min_participation}
        )
        SELECT x.entity, x.account AS a, y.account AS b, x.events * y.events AS co_actions
        FROM common AS x JOIN common AS y ON x.entity = y.entity AND x.account < y.account
        WHERE x.account IN (FROM steady) OR y.account IN (FROM steady)
    """)


def links(db: duckdb.DuckDBPyConnection, name: str, trace: Trace, chosen: str) -> None:
    """Aggregate pairs, apply minimums, weigh, judge how surprising, and append to `link`."""
    db.execute("""
        CREATE OR REPLACE TABLE rarity AS
        SELECT entity, floor(ln(greatest(total, df) / df) * 1e6 + 0.5)::BIGINT AS rarity
        FROM (SELECT entity, count(*) AS df FROM edge GROUP BY entity),
             (SELECT count(DISTINCT account) AS total FROM edge)
    """)
    networks = "LEFT JOIN network USING (entity)" if trace.entity == "ip" else ""
    distinct = (
        f"count(DISTINCT network) FILTER (kind IS NULL OR kind NOT IN {UNCOUNTED})"
        if networks
        else "count(*)"
    )
    db.execute(f"""
        CREATE OR REPLACE TABLE candidate AS
        SELECT a, b, sum(co_actions)::BIGINT AS co_actions, {distinct} AS entities,
               sum(rarity)::BIGINT AS idf
        FROM pair LEFT JOIN rarity USING (entity) {networks}
        GROUP BY a, b
        HAVING sum(co_actions) >= {trace.min_co_actions} AND entities >= {trace.min_entities}
    """)
    weigh(db, trace)
    expect(db, trace, chosen)
    at_least = trace.filter.surprise * 1e6 if trace.filter and trace.filter.surprise else 0
    k = "entities" if trace.window is None else "co_actions"
    db.execute(f"""
        INSERT INTO link
        SELECT a, b, '{name}', co_actions, entities, weight,
               if({k} > rate, floor(({k} * ln({k} / rate) - {k} + rate) / ln(10) * 1e6), 0)
                   >= {at_least}
        FROM (
            SELECT weighed.*, greatest(coalesce(expected, 0), 1) / 1e6 AS rate
            FROM weighed LEFT JOIN expected USING (a, b)
        )
    """)


def weigh(db: duckdb.DuckDBPyConnection, trace: Trace) -> None:
    """Give each candidate its weight in millionths."""
    if trace.weight != "cosine":
        weight = "idf" if trace.weight == "idf" else "co_actions * 1000000"
        db.execute(
            f"CREATE OR REPLACE TABLE weighed AS SELECT *, {weight} AS weight FROM candidate"
        )
        return
    db.execute("""
        CREATE OR REPLACE TABLE weighed AS
        WITH term AS (
            SELECT account, entity, floor(events * rarity / 1000 + 0.5)::BIGINT AS term
            FROM edge JOIN rarity USING (entity)
        ), norm AS (
            SELECT account, sum(term * term)::BIGINT AS norm FROM term GROUP BY account
        ), product AS (
            SELECT a, b, sum(x.term * y.term)::BIGINT AS product
            FROM (FROM pair SEMI JOIN candidate USING (a, b)) AS pair
            JOIN term AS x ON x.account = a AND x.entity = pair.entity
            JOIN term AS y ON y.account = b AND y.entity = pair.entity
            GROUP BY a, b
        )
        SELECT candidate.*, floor(
            if(x.norm > 0 AND y.norm > 0, product / (sqrt(x.norm) * sqrt(y.norm)), 0) * 1e6 + 0.5
        )::BIGINT AS weight
        FROM candidate JOIN product USING (a, b)
        JOIN norm AS x ON x.account = a JOIN norm AS y ON y.account = b
    """)


def expect(db: duckdb.DuckDBPyConnection, trace: Trace, chosen: str) -> None:
    """Estimate how many co-actions of each candidate chance explains, in millionths."""
    if trace.window is None:
        db.execute(f"""
            CREATE OR REPLACE TABLE expected AS
            WITH degree AS (SELECT account, count(*) AS d FROM edge GROUP BY account), rate AS (
                SELECT sum(d * (d - 1)) / (SELECT count(*) FROM edge) ** 2 AS rate
                FROM (SELECT entity, count(*) AS d FROM edge GROUP BY entity)
                SEMI JOIN (FROM linking_{trace.entity} WHERE without_window) USING (entity)
            )
            SELECT a, b, ceil(x.d * y.d * rate * 1e6) AS expected
            FROM candidate JOIN degree AS x ON x.account = a JOIN degree AS y ON y.account = b, rate
        """)
        return
    width = max(BIN_US, 2 * trace.window + 1)
    db.execute(f"""
        CREATE OR REPLACE TABLE bin AS
        SELECT account, entity, time_us // {width} AS bin, count(*) AS events
        FROM seen_{trace.entity} WHERE {chosen} GROUP BY ALL
    """)
    db.execute("""
        CREATE OR REPLACE TABLE expected AS
        WITH chance AS (
            SELECT bin, sum(events * events) / (sum(events) * sum(events)) AS chance
            FROM (SELECT bin, entity, sum(events) AS events FROM bin GROUP BY ALL) GROUP BY bin
        ), busy AS (
            SELECT account, bin, sum(events)::BIGINT AS events, any_value(chance) AS chance
            FROM bin JOIN chance USING (bin) GROUP BY ALL
        ), shared AS (
            SELECT a, b, sum(ceil(x.events * y.events * x.chance * 1e6)) AS expected
            FROM candidate JOIN busy AS x ON x.account = a
            JOIN busy AS y ON y.account = b AND y.bin = x.bin
            GROUP BY a, b
        )
        FROM shared UNION ALL
        SELECT a, b, sum(ceil(x.events * y.events * greatest(x.chance, y.chance) * 1e6))
        FROM (FROM candidate ANTI JOIN shared USING (a, b)) JOIN busy AS x ON x.account = a
        JOIN busy AS y ON y.account = b AND y.bin IN (x.bin - 1, x.bin + 1)
        GROUP BY a, b
    """)


def components(db: duckdb.DuckDBPyConnection) -> None:
    """Find the components of kept links with igraph; a component's id is its smallest account."""
    ends = db.execute("SELECT DISTINCT a, b FROM link WHERE kept").fetchnumpy()
    graph = igraph.Graph(zip(ends["a"].tolist(), ends["b"].tolist(), strict=True))
    rows = [
        {"account": account, "component": members[0], "size": len(members)}
        for members in graph.connected_components()
        if len(members) > 1
        for account in members
    ]
    db.register("found", pa.Table.from_pylist(rows, COMPONENT))
    db.execute("CREATE TABLE component AS FROM found")


def main(log: Path, out: Path) -> None:
    """Read a log, write links and components."""
    config = load([log / "config.yaml"])
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    db.execute("SET preserve_insertion_order = false")
    read(db, log)
    edges(db, config)
    db.execute("""
        CREATE TABLE link (a BIGINT, b BIGINT, trace VARCHAR, co_actions BIGINT, entities BIGINT,
                           weight BIGINT, kept BOOLEAN)
    """)
    for name, trace in config.active_traces.items():
        chosen = prepare_trace(db, trace)
        if trace.window is None:
            shared_pairs(db, trace)
        else:
            windowed_pairs(db, trace, chosen, config.max_burst)
        links(db, name, trace, chosen)
    components(db)
    out.mkdir(parents=True, exist_ok=True)
    db.execute(f"""
        COPY (
            SELECT x.account_id AS account_a, y.account_id AS account_b, trace, co_actions,
                   entities, weight / 1e6 AS weight, kept
            FROM link JOIN account AS x ON x.account = a JOIN account AS y ON y.account = b
        ) TO '{out}/links.parquet'
    """)
    db.execute(f"""
        COPY (
            SELECT x.account_id, y.account_id AS component_id, size
            FROM component JOIN account AS x USING (account)
            JOIN account AS y ON y.account = component
        ) TO '{out}/components.parquet'
    """)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
