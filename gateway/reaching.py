"""How a surrounding system is reached, as its section of the settings says: its address, and who asks.

In: a section. Out: an `adapters.transport.transport.System`. What sends, and what only asks whether all is well, use the same.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from adapters.kafka.broker import Broker, Sasl
from adapters.provisioning.netconf.device import Device
from adapters.transport.credentials import Basic, Client, ClientCredentials, Credential, Secret, Token, fixed, in_file
from adapters.transport.tls import TlsFiles
from adapters.transport.transport import System
from gateway.settings.billing import Billing
from gateway.settings.catalog import Catalog
from gateway.settings.customers import Customers
from gateway.settings.fault_management import FaultManagement
from gateway.settings.inventory import Inventory
from gateway.settings.kafka import Kafka
from gateway.settings.performance import Performance
from gateway.settings.provisioning import Netconf, Provisioning
from gateway.settings.sales import Sales
from gateway.settings.system import Credited, TlsSettings
from gateway.settings.ticketing import Ticketing


def ticketing_system(chosen: Ticketing) -> System:
    """Describe how the ticketing system is reached; Request Tracker has a scheme of its own for tokens."""
    scheme = "token" if chosen.dialect == "rt" else "Bearer"
    return _system(chosen, chosen.name, chosen.address, scheme=scheme)


def fault_management_system(chosen: FaultManagement) -> System:
    """Describe how the fault management system is reached; the key of Alerta is in a header of its own."""
    if chosen.dialect == "alerta":
        return _system(chosen, chosen.name, chosen.address, header="X-API-Key", scheme="")
    return _system(chosen, chosen.name, chosen.address)


def events_system(chosen: FaultManagement) -> System:
    """Describe how what takes TMF688 events is reached, which may be elsewhere."""
    return _system(chosen, chosen.name, chosen.events_address)


def billing_system(chosen: Billing) -> System:
    """Describe how what takes usage and downtime is reached."""
    return _system(chosen, chosen.name, chosen.address)


def bills_system(chosen: Billing) -> System:
    """Describe how what answers bills is reached, which may be elsewhere."""
    return _system(chosen, chosen.name, chosen.bills_address)


def inventory_system(chosen: Inventory) -> System:
    """Describe how the inventory is reached."""
    return _system(chosen, chosen.name, chosen.address)


def provisioning_system(chosen: Provisioning) -> System:
    """Describe how what sets rates by TMF640 is reached."""
    return _system(chosen, chosen.name, chosen.address)


def netconf_devices(chosen: Netconf) -> list[Device]:
    """Describe how each device is reached."""
    return [
        Device(
            name=name,
            host=each.host,
            port=each.port,
            user=each.user,
            password=None if each.key_file else _secret(each.password, each.password_file),
            key_file=each.key_file,
            known_hosts=each.known_hosts,
        )
        for name, each in chosen.devices.items()
    ]


def services_system(chosen: Inventory) -> System:
    """Describe how what keeps services is reached, which may be elsewhere."""
    return _system(chosen, chosen.name, chosen.services_address)


def performance_system(chosen: Performance) -> System:
    """Describe how performance monitoring is reached."""
    return _system(chosen, chosen.name, chosen.address)


def measurements_system(chosen: Performance) -> System:
    """Describe how what answers measurements is reached, which may be elsewhere."""
    return _system(chosen, chosen.name, chosen.measurements)


def sales_system(chosen: Sales) -> System:
    """Describe how sales is reached."""
    return _system(chosen, chosen.name, chosen.address)


def customers_system(chosen: Customers) -> System:
    """Describe how customer management is reached."""
    return _system(chosen, chosen.name, chosen.address)


def catalog_system(chosen: Catalog) -> System:
    """Describe how the product catalog is reached."""
    return _system(chosen, chosen.name, chosen.address)


def broker(chosen: Kafka) -> Broker:
    """Describe how the broker is reached."""
    sasl, tls = chosen.sasl, chosen.tls
    password = _secret(sasl.password, sasl.password_file) if sasl else None
    return Broker(
        servers=chosen.servers,
        tls=(_files(tls) if isinstance(tls, TlsSettings) else TlsFiles()) if tls else None,
        sasl=Sasl(mechanism=sasl.mechanism, user=sasl.user, password=password) if sasl and password else None,
        request_seconds=chosen.request_seconds,
    )


def _system(
    chosen: Credited, name: str, address: str, *, header: str = "Authorization", scheme: str = "Bearer"
) -> System:
    return System(
        name=name,
        address=address,
        credential=_credential(chosen, name, header, scheme),
        tls=_files(chosen.tls) if chosen.tls else None,
    )


def _files(tls: TlsSettings) -> TlsFiles:
    return TlsFiles(certificate=tls.certificate_file, key=tls.key_file, authority=tls.authority_file)


def _credential(chosen: Credited, name: str, header: str, scheme: str) -> Credential | None:
    if (oauth := chosen.oauth) is not None:
        client = Client(
            token_url=oauth.token_url,
            client_id=oauth.client_id,
            client_secret=_secret(oauth.client_secret, oauth.client_secret_file),
            scope=oauth.scope,
            audience=oauth.audience,
            sent_as=oauth.sent_as,
        )
        return ClientCredentials(name, client)
    if (basic := chosen.basic) is not None:
        return Basic(user=basic.user, password=_secret(basic.password, basic.password_file))
    if chosen.bearer_file is None and not chosen.bearer.get_secret_value():
        return None
    return Token(secret=_secret(chosen.bearer, chosen.bearer_file), header=header, scheme=scheme)


def _secret(value: SecretStr, file: Path | None) -> Secret:
    return fixed(value) if file is None else in_file(file)
