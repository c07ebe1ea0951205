"""An operator must be told everything that is wrong with the settings at once, by the names they typed.

Settings come from `TRUNKLINE_*` variables (`__` goes into a section: `TRUNKLINE_LIMITS__COST`), and below them from one
TOML file (`--config FILE` or `TRUNKLINE_CONFIG`). A secret is given in a file (`..._file`) or in the environment, and
is never printed. Whatever is wrong leaves here as one `SettingsBroken` with a sentence for each fault.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from gateway.errors import SettingsBroken
from gateway.settings.bandwidth import Bandwidth
from gateway.settings.billing import Billing
from gateway.settings.catalog import Catalog
from gateway.settings.customers import Customers
from gateway.settings.fault_management import FaultManagement
from gateway.settings.hub import Hubs, with_secret
from gateway.settings.inventory import Inventory
from gateway.settings.kafka import Kafka, problems_of
from gateway.settings.orders import Orders
from gateway.settings.performance import Performance
from gateway.settings.provisioning import Provisioning
from gateway.settings.provisioning import problems_of as problems_of_devices
from gateway.settings.retention import Retention
from gateway.settings.sales import Sales
from gateway.settings.streams import Streams
from gateway.settings.subgraph import FederationSettings, SubgraphSettings
from gateway.settings.system import with_credential
from gateway.settings.ticketing import Ticketing
from gateway.settings.unknown import CONFIG_VARIABLE, DELIMITER, PREFIX, meant, names_of, nearest, unknown_variables

CURSOR_KEY: Final = re.compile("[0-9a-fA-F]{64}")

STORES: Final = ("embedded", "bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")
"""How the address of a store begins; the rest of it is for `graph.store.address` to read."""

Algorithm = Literal["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "Ed25519", "EdDSA"]
"""Asymmetric ones only: with a shared secret, whoever can check a token could also make one."""

Positive = Annotated[int, Field(gt=0)]


class Issuer(BaseModel):
    """Whose tokens are believed, and how they are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: Annotated[str, Field(min_length=1)]
    """exactly the `iss` of its tokens."""
    audience: Annotated[str, Field(min_length=1)]
    """what `aud` must contain."""
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("ES256",)
    jwks_url: str = ""
    jwks_file: Path | None = None
    types: tuple[str, ...] = ("JWT", "at+jwt")
    """the `typ` headers that are believed; compared without regard to case."""
    roles_claim: str = "roles"
    customers_claim: str = "customers"
    changes_claim: str = "changes"

    @model_validator(mode="after")
    def _one_source_of_keys(self) -> Self:
        if bool(self.jwks_url) == bool(self.jwks_file):
            raise ValueError("needs exactly one of jwks_url and jwks_file.")
        if self.jwks_url and not self.jwks_url.startswith(("https://", "http://")):
            raise ValueError("has a jwks_url that is no http or https address.")
        return self


class System(BaseModel):
    """A surrounding system that calls us."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sources: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
    """the source ids that it may speak for (sourceSystemId of its alarms)."""
    inventory: bool = False
    """whether it may send feeds of equipment, as the system called inventory may."""
    ipdr: Mapping[Literal["usageId", "service", "startTime", "endTime", "octets", "mbps"], str] = Field(
        default_factory=dict
    )
    """what the elements of its own service definition are called that we need of an IPDR record, by our names."""
    names_of: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """sources whose names of things it uses beside its own, such as `inventory`."""


class Limits(BaseModel):
    """What one request may ask for, in the order in which it is checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    body_bytes: Positive = 1_000_000
    tokens: Positive = 4_000
    new_documents_per_minute: Positive = 120
    """per principal, and by size and time: a large document counts as several (gateway/preparing/new_work.py); a known one as none.
    Reading a request of more than 16 kB counts by its time."""
    cache_bytes: Annotated[int, Field(ge=10_000_000)] = 256_000_000
    """what all that a process keeps of documents, plans, statements and introspection may weigh together; a large document with
    its plan and its statement weighs 5 MB, and what does not fit is made anew each time."""
    depth: Positive = 20
    aliases: Positive = 100
    directives: Positive = 50
    root_fields: Positive = 30
    fields: Positive = 2_000
    """after fragments are put in their places."""
    input_depth: Positive = 20
    """of objects and lists in an argument or a variable."""
    input_objects: Positive = 200
    """in an argument or a variable; a filter has one for itself, for each alternative and for each comparison."""
    statements: Positive = 4
    """of one principal in the database at a time, in each process; the rest wait within their deadlines."""
    unread_events: Positive = 1_000
    """of one subscription, for a client that reads more slowly than they come; with one more the subscription ends (LAGGED)."""
    cost: Positive = 100_000
    """objects that an answer may hold, by the assumed or asked sizes of its lists."""


class Settings(BaseSettings):
    """Everything that an operator can decide."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, hide_input_in_errors=True
    )
    toml: ClassVar[Path | None] = None
    left_out: ClassVar[frozenset[str]] = frozenset()
    """settings that are not read: their faults are told already, and the others are still to be looked at."""

    store: Annotated[str, Field(min_length=1)] = "embedded:trunkline-data"
    """`embedded:DIR`, or the address of a Neo4j: `bolt://`, `neo4j+s://`."""
    store_user: str = ""
    store_password: SecretStr = SecretStr("")
    store_password_file: Path | None = None
    store_bearer: SecretStr = SecretStr("")
    store_bearer_file: Path | None = None
    store_database: str = "neo4j"
    """on a server that has several."""
    store_heap_megabytes: Positive = 1024
    """of the embedded database."""
    migrate: bool = True
    """bring the schema up to date at start."""
    cursor_key: SecretStr = SecretStr("")
    """32 bytes in hexadecimal; without it one is made once and kept with the store."""
    cursor_key_file: Path | None = None
    listen: str = "127.0.0.1:8000"
    metrics_listen: str = ""
    """where `/metrics` is, without tokens, and then not at `listen`; empty: at `listen`."""
    workers: Positive = 1
    hosts: tuple[str, ...] = ()
    """the names that requests may use for us (Host); without it any, or with no issuers loopback's."""
    connections: Positive = 800
    """of each process,"""
    connections_per_address: Positive = 200
    """and of one address; where a proxy stands in front, as many as it opens."""
    send_seconds: Annotated[float, Field(gt=0)] = 20.0
    """a client that takes less of an answer in this time than 64 KiB, or what is left, is cut off."""
    issuers: tuple[Issuer, ...] = ()
    systems: Mapping[str, System] = Field(default_factory=dict)
    """by the name in their role `system:<name>`; one that is not named here speaks for its own name only."""
    ticketing: Ticketing | None = None
    """no tickets are opened without one."""
    fault_management: FaultManagement | None = None
    """nobody else is told of alarms without one."""
    billing: Billing | None = None
    """nobody is told of usage and downtime, or asked for bills, without one."""
    inventory: Inventory | None = None
    """feeds are taken without one; none is told where the graph is right."""
    performance: Performance | None = None
    """nobody is told what to measure of services without one."""
    sales: Sales | None = None
    """nobody is told of leads without one."""
    catalog: Catalog | None = None
    """tariffs are in the settings without one."""
    provisioning: Provisioning | None = None
    """no rate is set in the network, and none can be booked, without one."""
    bandwidth: Bandwidth = Bandwidth()
    """how more bandwidth for a while is sold; nothing is, where no tariff is given."""
    customers: Customers | None = None
    """customers are made by files and orders only, without one."""
    orders: Orders | None = None
    """no orders are taken without it."""
    kafka: Kafka | None = None
    """events are published to no broker, and no alarms taken from one, without it; needs trunkline[kafka]."""
    hubs: Hubs | None = None
    """where those may be who ask to be told of alarms; nobody without it."""
    reopen_seconds: Annotated[float, Field(ge=0)] = 600.0
    """an alarm that returns within this time after its clear is the same alarm."""
    default_tier: Literal["PREMIUM", "STANDARD", "BASIC"] = "BASIC"
    """the tier by which the severity for a service without a contract is found."""
    late_seconds: Annotated[float, Field(ge=0)] = 2_678_400.0
    """how far back a time that a source of alarms tells is believed; for one before that, the time at which we heard counts."""
    clock_skew_seconds: Annotated[float, Field(ge=0)] = 3_600.0
    """how far ahead of the database's clock a time that any other system tells is believed."""
    overloaded_seconds: Annotated[float, Field(ge=0)] = 86_400.0
    """changes are refused while a system is still to be told something that is older; 0: never."""
    retention: Retention = Retention()
    """how long what is over is kept."""
    origins: tuple[str, ...] = ()
    """web pages' origins that may call (CORS); none by default."""
    deadline_seconds: Annotated[float, Field(gt=0, le=300)] = 10.0
    limits: Limits = Limits()
    federation: FederationSettings = FederationSettings()
    streams: Streams = Streams()
    """subscriptions, and the WebSockets that carry them."""
    introspection: tuple[Literal["operator", "analyst", "customer", "system", "router"], ...] = (
        "operator",
        "analyst",
        "customer",
        "system",
        "router",
    )
    """the roles that may ask for the schema (`__schema`, `__type`)."""
    subgraphs: Mapping[str, SubgraphSettings] = Field(default_factory=dict)
    """by subgraph name: how it is asked, where that differs."""
    traces: str = ""
    """where spans go: an OpenTelemetry collector, such as http://127.0.0.1:4318/v1/traces; needs trunkline[traces]."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("listen", "metrics_listen")
    @classmethod
    def _host_and_port(cls, value: str, info: ValidationInfo) -> str:
        host, separator, port = value.rpartition(":")
        if not value and info.field_name == "metrics_listen":
            return value
        if not (host and separator and port.isdecimal() and int(port) <= 65_535):
            raise ValueError(f"{value!r} is not HOST:PORT, such as 127.0.0.1:8000.")
        return value

    @field_validator("metrics_listen")
    @classmethod
    def _two_addresses(cls, value: str, info: ValidationInfo) -> str:
        listen = None if "listen" in cls.left_out else info.data.get("listen")
        if value and value == listen and not value.endswith(":0"):
            raise ValueError("is the same address as listen: leave it out, and /metrics is there.")
        return value

    @field_validator("store")
    @classmethod
    def _store_is_of_a_kind(cls, value: str) -> str:
        kind = value.partition(":")[0]
        if kind not in STORES:
            raise ValueError(
                f"begins with {kind!r:.40}, which is no kind of store{nearest(kind, STORES)}: write embedded:DIRECTORY, "
                f"bolt://HOST:7687 or neo4j+s://HOST."
            )
        return value

    @field_validator("issuers")
    @classmethod
    def _issuers_differ(cls, value: tuple[Issuer, ...]) -> tuple[Issuer, ...]:
        if len({each.issuer for each in value}) != len(value):
            raise ValueError("names the same issuer twice.")
        return value

    @property
    def sources(self) -> Mapping[str, tuple[str, ...]]:
        """The source ids by the name of the system that speaks for them."""
        return {name: each.sources for name, each in self.systems.items()}

    @property
    def address(self) -> tuple[str, int]:
        """The host and port to listen on."""
        return host_and_port(self.listen)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced by one that tells
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Rank the sources: arguments, environment, the TOML file."""
        file = [TomlConfigSettingsSource(settings_cls, cls.toml)] if cls.toml else []
        every = (init_settings, _Environment(settings_cls), *file)
        return tuple(_Without(settings_cls, each, cls.left_out) for each in every) if cls.left_out else every


@dataclass(frozen=True, slots=True, kw_only=True)
class _NotJson:
    """Stands for what a variable holds that should be JSON, so that it is told beside all else that is wrong."""

    variable: str


class _Environment(EnvSettingsSource):
    """The environment, whose faults do not hide those of other settings."""

    def prepare_field_value(self, field_name: str, field: FieldInfo, value: Any, value_is_complex: bool) -> Any:  # noqa: FBT001 - pydantic's signature
        """Read a variable."""
        try:
            return super().prepare_field_value(field_name, field, value, value_is_complex)
        except ValueError:
            return _NotJson(variable=PREFIX + field_name.upper())


class _Without(PydanticBaseSettingsSource):
    """What another source gives, without some settings."""

    def __init__(
        self, settings_cls: type[BaseSettings], source: PydanticBaseSettingsSource, names: frozenset[str]
    ) -> None:
        super().__init__(settings_cls)
        self._source = source
        self._names = names

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Give one setting."""
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        """Give all others."""
        return {name: value for name, value in self._source().items() if name not in self._names}


def host_and_port(address: str) -> tuple[str, int]:
    """Take a checked HOST:PORT apart."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def load_settings(**given: Any) -> Settings:
    """Read the settings, with secrets in place, or raise SettingsBroken with every fault found.

    Pydantic stops before the checks that need all settings where one of them is wrong; so what is wrong is left out, and the
    rest is looked at again.
    """
    file, faults = _file(os.environ.get(CONFIG_VARIABLE, ""))
    faults = [*unknown_variables(os.environ, Settings), *faults]
    left_out: frozenset[str] = frozenset()
    while True:
        try:
            settings = _reading(file, left_out)(**{name: each for name, each in given.items() if name not in left_out})
        except ValidationError as error:
            found = error.errors(include_url=False)
            faults += map(_sentence, found)
            left_out |= {str(each["loc"][0]) for each in found}
        else:
            break
    complete, more = _with_secrets(settings)
    if faults or more:
        raise SettingsBroken(*faults, *more)
    return complete


def _file(path: str) -> tuple[Path | None, list[str]]:
    """Give the file that has settings, unless there is none, or what is wrong with it."""
    if not path:
        return None, []
    try:
        tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None, [f"{CONFIG_VARIABLE}: there is no file {path}."]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, [f"{CONFIG_VARIABLE}: the file {path} is not TOML: {error}."]
    except OSError as error:
        return None, [f"{CONFIG_VARIABLE}: the file {path} cannot be read: {error.strerror}."]
    return Path(path), []


def _reading(file: Path | None, without: frozenset[str]) -> type[Settings]:
    class Read(Settings):
        toml = file
        left_out = without

    return Read


def _with_secrets(settings: Settings) -> tuple[Settings, list[str]]:
    """Read the secrets that are in files; give the settings with them, and what is wrong."""
    faults, secrets = [], {}
    for name in ("store_password", "store_bearer", "cursor_key"):
        path: Path | None = getattr(settings, name + "_file")
        if path is None:
            continue
        if getattr(settings, name).get_secret_value():
            faults.append(f"{name}_file: give either it or {name}, not both.")
            continue
        try:
            secrets[name] = SecretStr(path.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            faults.append(f"{name}_file: {path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}.")
    systems: dict[str, BaseModel | None] = {}
    for section in (
        "ticketing",
        "fault_management",
        "billing",
        "inventory",
        "performance",
        "sales",
        "catalog",
        "customers",
        "provisioning",
    ):
        systems[section], problem = with_credential(section, getattr(settings, section))
        faults += problem
    systems["hubs"], problem = with_secret(settings.hubs)
    faults += [*problem, *problems_of(settings.kafka), *problems_of_devices(settings.provisioning)]
    complete = settings.model_copy(update={**secrets, **systems})
    key = complete.cursor_key.get_secret_value()
    if key and not CURSOR_KEY.fullmatch(key):
        faults.append("cursor_key: it is not 64 hexadecimal digits.")
    return complete, faults


def _sentence(error: Any) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "settings"
    message = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    if error["type"] == "extra_forbidden":
        message = f"there is no such setting{meant(name, names_of(Settings))}"
    if isinstance(error["input"], _NotJson):
        empty = "" if os.environ.get(error["input"].variable) else ": it is empty"
        message = f"what {error['input'].variable} holds is not JSON{empty}"
    elif error["type"] == "tuple_type":
        message = 'is no list, such as ["one", "two"]'
    elif error["type"] in ("model_type", "dict_type"):
        message = f"is a section: [{name}] in a file, {PREFIX}{name.upper().replace('.', DELIMITER)}{DELIMITER}... in the environment"
    elif error["type"] == "too_short":
        least = error["ctx"]["min_length"]
        message = f"must have at least {least} item{'s' if least > 1 else ''}"
    elif error["type"] == "missing":
        message = "is missing"
    message = message.replace("Input should be", "must be").partition(", unable to ")[0]
    return f"{name}: {message[:1].lower()}{message[1:]}."
