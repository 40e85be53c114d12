"""The settings of a run as checked models; jobs/configuration.py reads them from YAML.

Every model is frozen and refuses unknown keys. Durations are integer microseconds. Where a setting
can be switched off, the text `none` means None.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    field_validator,
    model_validator,
)

from graph.enforcement_settings import EnforcementSettings, Retention
from graph.entities import ENTITY_TYPES
from graph.filesystems import SCHEME, is_remote
from graph.setting_types import UNITS as UNITS
from graph.setting_types import Duration as Duration
from graph.setting_types import OrNone as OrNone
from graph.setting_types import Ratio, Texts, none_as_null, property_text
from graph.setting_types import Settings as Settings
from graph.setting_types import format_duration as format_duration
from graph.setting_types import parse_duration as parse_duration

REQUIRED_COLUMNS = ("account_id", "event_time")
OPTIONAL_COLUMNS = ("event_type", "event_id", "market")

ADDRESS_ENTITIES = ("ip", "ip_network")
"""Entity types of which a single shared one is never a link (DESIGN, links)."""


Format = Literal["parquet", "csv", "jsonl"]
ENDINGS: dict[str, Format] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
"""The format of a file that is configured without one, by how its name ends; else parquet."""

Family = Literal["device", "network", "signup", "content", "target", "timing"]


class Source(Settings):
    """Files that an input is read from: a file, a folder or any URL that the engine reads."""

    path: str = Field(min_length=1)
    format: Format = "parquet"

    @model_validator(mode="before")
    @classmethod
    def _format_by_ending(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "format" in given:
            return given
        ending = PurePath(str(given.get("path")).removesuffix(".gz")).suffix
        return given | {"format": ENDINGS.get(ending.lower(), "parquet")}


class EventsInput(Source):
    """The event log and the names of its columns."""

    time_unit: Literal["s", "ms", "us"] = "s"
    deduplicate: bool = True
    columns: dict[str, str]

    @field_validator("columns")
    @classmethod
    def _required_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        absent = [name for name in REQUIRED_COLUMNS if name not in columns]
        if absent:
            raise ValueError(f"name the event log's column for {' and '.join(absent)}")
        unknown = sorted(set(columns) - set(event_columns()))
        if unknown:
            raise ValueError(
                f"events have no {', '.join(unknown)}; known: {', '.join(event_columns())}"
            )
        if set(columns) <= {*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS}:
            raise ValueError("name at least one column of entities, e.g. content_hash")
        return columns


def _source(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) and value != "none" else none_as_null(value)


OptionalSource = Annotated[Source | None, BeforeValidator(_source)]
"""`none`, a path, or path and format."""


class Inputs(Settings):
    """The optional inputs; what is absent is not used."""

    accounts: OptionalSource = None
    ip_networks: OptionalSource = None
    shared_entities: OptionalSource = None
    protected_accounts: OptionalSource = None
    declared_networks: OptionalSource = None
    sensitive_entities: OptionalSource = None
    labels: OptionalSource = None


class HubLimits(Settings):
    """Distinct accounts above which an entity links only within windows (soft), or not (hard)."""

    soft: PositiveInt
    hard: PositiveInt

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.soft > self.hard:
            raise ValueError(f"soft ({self.soft}) must not be above hard ({self.hard})")
        return self


class SuspiciousHubs(Settings):
    """When an unlisted hub is reported: shares of its accounts, and how young the hub is."""

    young: Duration = 7 * UNITS["d"]
    growth: Ratio = 0.5
    new_accounts: Ratio = 0.5
    likeness: Ratio = 0.5


class Filter(Settings):
    """The rule by which a trace keeps its links: one of these, or alpha with at_least."""

    at_least: NonNegativeFloat | None = None
    quantile: Ratio | None = None
    alpha: Annotated[float, Field(ge=1e-6, le=1)] | None = None  # compared in millionths
    surprise: NonNegativeFloat | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = set(self.model_dump(exclude_none=True))
        # The disparity filter cannot judge a link between two accounts of one link each.
        if len(given) != 1 and given != {"alpha", "at_least"}:
            names = ", ".join(type(self).model_fields)
            raise ValueError(
                f"a filter has exactly one of {names}, or alpha with at_least; "
                f"got {sorted(given) or 'none'}"
            )
        return self


class Trace(Settings):
    """One kind of co-action that links accounts (DESIGN, Config and Links)."""

    entity: str
    family: Family
    events: Annotated[tuple[str, ...] | None, OrNone] = None
    window: Annotated[Duration | None, OrNone] = None
    exclude_originator: bool = False
    min_participation: NonNegativeInt = 1
    min_co_actions: NonNegativeInt = 1
    min_entities: NonNegativeInt = 1
    weight: Literal["co_actions", "idf", "cosine"] = "co_actions"
    filter: Annotated[Filter | None, OrNone] = None
    fusion_weight: NonNegativeFloat = 1.0
    enabled: bool = True
    reasons: Texts = ()
    sources: Texts = ()

    @field_validator("entity")
    @classmethod
    def _declared(cls, entity: str) -> str:
        known = entity_names()
        if entity not in known:
            raise ValueError(f"{entity!r} is not an entity type; known: {', '.join(sorted(known))}")
        return entity

    @field_validator("events")
    @classmethod
    def _some_events(cls, events: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if events == ():
            raise ValueError("name at least one event type, or leave events out to take all")
        return events

    @model_validator(mode="after")
    def _several_addresses(self) -> Self:
        if self.entity in ADDRESS_ENTITIES and self.min_entities < 2:
            raise ValueError(
                f"a trace on {self.entity} needs min_entities of at least 2: "
                "households, offices and carriers share one address"
            )
        return self


class Networks(Settings):
    """Which groups of linked accounts are networks, and who is at their core."""

    min_size: Annotated[int, Field(ge=2)] = 3
    small: NonNegativeInt = 50
    dense: Ratio = 0.2
    max_rounds: PositiveInt = 20
    core_cut: Ratio = 0.25


class Identity(Settings):
    """How much two days' networks must overlap to be one and the same."""

    jaccard: Ratio = 0.3
    containment: Ratio = 0.5
    remember: Duration = 365 * UNITS["d"]
    re_emergence: NonNegativeFloat = 8.0


class Components(Settings):
    """How connected components are computed."""

    algorithm: Literal["auto", "forest", "graphframes"] = "auto"
    driver_forest_limit: PositiveInt = 20_000_000


class Communities(Settings):
    """How components are divided into communities; networks.max_rounds bounds the rounds."""

    mode: Literal["weighted", "cdlp"] = "weighted"
    task_limit: PositiveInt = 5_000_000


class SignatureFiles(Settings):
    """A site's own signatures, and which signatures, shipped or its own, are live or stable."""

    paths: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    stable: tuple[str, ...] = ()


class Floors(Settings):
    """The lower bound of measured account precision that each action needs."""

    challenge: Ratio = 0.80
    remove_engagement: Ratio = 0.90
    limit_reach: Ratio = 0.95
    suspend: Ratio = 0.98
    terminate: Ratio = 0.99
    secure_account: Ratio = 0.80


class Proposals(Settings):
    """When an account may be proposed for an action (DECISIONS)."""

    min_accounts: PositiveInt = 5
    max_accounts: PositiveInt = 1000
    floors: Floors = Floors()
    calibration_fresh: Duration = 90 * UNITS["d"]
    cleared: Duration = 180 * UNITS["d"]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_accounts > self.max_accounts:
            raise ValueError("min_accounts must not be above max_accounts")
        return self


class Config(Settings):
    """All settings of a run."""

    home: Path = Path(".actorgraph")
    lookback: Duration = 28 * UNITS["d"]
    warehouse: Annotated[str | None, OrNone] = None
    events: EventsInput
    inputs: Inputs = Inputs()
    max_quarantine_ratio: Ratio = 0.05
    quarantine_max_raw_bytes: PositiveInt = 4096
    hubs: dict[str, Annotated[HubLimits | None, OrNone]] = Field(default_factory=dict)
    suspicious_hubs: SuspiciousHubs = SuspiciousHubs()
    max_burst: Annotated[Annotated[int, Field(ge=2)] | None, OrNone] = 500
    traces: dict[str, Annotated[Trace | None, OrNone]] = Field(default_factory=dict)
    networks: Networks = Networks()
    identity: Identity = Identity()
    components: Components = Components()
    communities: Communities = Communities()
    signatures: SignatureFiles = SignatureFiles()
    proposals: Proposals = Proposals()
    enforcement: EnforcementSettings = EnforcementSettings()
    retention: Retention = Retention()
    spark: dict[str, Annotated[str, BeforeValidator(property_text)]] = Field(default_factory=dict)
    duckdb: dict[str, Annotated[str, BeforeValidator(property_text)]] = Field(default_factory=dict)

    @field_validator("home")
    @classmethod
    def _mounted(cls, home: Path) -> Path:
        if re.match(r"\w+:/", str(home)):
            raise ValueError(f"{home} is a URL; home must be a local or mounted folder")
        return home

    @field_validator("warehouse")
    @classmethod
    def _on_a_store(cls, warehouse: str | None) -> str | None:
        if warehouse is None:
            return None
        bucket = warehouse.removeprefix(SCHEME).split("/")[0]
        if not is_remote(warehouse) or not bucket or "@" in bucket:
            raise ValueError(
                f"{warehouse} is no `{SCHEME}bucket/prefix`; for a folder, set `home` instead"
            )
        return warehouse.rstrip("/")

    @field_validator("lookback")
    @classmethod
    def _whole_days(cls, lookback: int) -> int:
        if lookback == 0 or lookback % UNITS["d"]:
            raise ValueError(f"{format_duration(lookback)} is not a whole number of days")
        return lookback

    @field_validator("hubs")
    @classmethod
    def _declared_hubs(cls, hubs: dict[str, HubLimits | None]) -> dict[str, HubLimits | None]:
        known = entity_names()
        unknown = sorted(set(hubs) - known)
        if unknown:
            raise ValueError(f"{unknown} are not entity types; known: {', '.join(sorted(known))}")
        return hubs

    @property
    def lookback_days(self) -> int:
        """The look-back in days, the day of the run included."""
        return self.lookback // UNITS["d"]

    @property
    def active_traces(self) -> dict[str, Trace]:
        """The traces that are switched on, by name, in the order of their names."""
        traces = sorted(self.traces.items())
        return {name: trace for name, trace in traces if trace is not None and trace.enabled}


def entity_names() -> set[str]:
    """The names of all declared entity types."""
    return {entity.name for entity in ENTITY_TYPES}


def event_columns() -> list[str]:
    """The columns that events can have, in our names; the site's names are the config's to map."""
    return [*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS, *(e.column for e in ENTITY_TYPES if e.column)]
