"""The demonstration's other systems are stand-ins: this is the one module of the gateway that knows them.

Who serves never imports it, and so starts without them.
"""

from adapters.simulator.billing.billing import serving as billing_system
from adapters.simulator.fault_management.alarm_management import serving as alarm_management_system
from adapters.simulator.fault_management.event_management import serving as events_system
from adapters.simulator.fault_management.fault_management import reporting as fault_management
from adapters.simulator.inventory.inventory import serving as inventory_system
from adapters.simulator.performance.performance import serving as performance_system
from adapters.simulator.provisioning.provisioning import serving as provisioning_system
from adapters.simulator.sales.sales import serving as sales_system
from adapters.simulator.ticketing.ticketing import serving as ticketing_system

__all__ = [
    "alarm_management_system",
    "billing_system",
    "events_system",
    "fault_management",
    "inventory_system",
    "performance_system",
    "provisioning_system",
    "sales_system",
    "ticketing_system",
]
