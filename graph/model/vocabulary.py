"""The words that the model's properties may hold, in the field's own spelling: X.731, X.733, TM Forum, and ours.

Each is a closed vocabulary. `graph/model/model.py` says which property has which; the enums of the API are checked against these.
"""

from __future__ import annotations

from typing import Final

EFFECTS: Final = ("down", "degraded", "atRisk")
SEVERITIES: Final = ("cleared", "indeterminate", "critical", "major", "minor", "warning")
TIERS: Final = ("PREMIUM", "STANDARD", "BASIC")
OPERATIONAL_STATES: Final = ("enabled", "disabled")
ADMINISTRATIVE_STATES: Final = ("locked", "unlocked", "shuttingDown")
SERVICE_STATES: Final = ("feasibilityChecked", "designed", "reserved", "inactive", "active", "terminated")
HOLDS_NOTHING: Final = ("feasibilityChecked", "terminated")
"""States (TMF638 ServiceStateType) of a service for which no capacity is kept."""
ALARM_TYPES: Final = (
    "communicationsAlarm",
    "processingErrorAlarm",
    "environmentalAlarm",
    "qualityOfServiceAlarm",
    "equipmentAlarm",
    "integrityViolation",
    "operationalViolation",
    "physicalViolation",
    "securityServiceOrMechanismViolation",
    "timeDomainViolation",
)
TICKET_STATES: Final = ("acknowledged", "rejected", "pending", "held", "inProgress", "cancelled", "closed", "resolved")
ORDER_STATES: Final = (
    "acknowledged",
    "rejected",
    "pending",
    "held",
    "inProgress",
    "cancelled",
    "completed",
    "failed",
    "partial",
    "assessingCancellation",
    "pendingCancellation",
)
ORDER_KINDS: Final = ("product", "service")
"""of an order: of products (TMF622), or of services (TMF641)."""
ORDER_ACTIONS: Final = ("add", "modify", "delete", "noChange")
"""of an item of an order: what is to be done."""
ITEM_FAILURES: Final = ("REQUEST", "PORT", "NETWORK", "PROVISIONING", "ITEM")
"""why an item of an order failed that is carried out by itself: it does not say what is needed, no port can be had at an end, there is no way
with room, the network did not make it as it was asked to, or another item that it relies on is not there."""
CANCELLATION_STATES: Final = ("accepted", "terminatedWithError", "inProgress", "done")
"""of a request to cancel an order: asked for, refused, being decided or carried out, and done."""
USAGE_STATES: Final = ("received", "rejected", "recycled", "guided", "rated", "rerated", "billed")
BOOST_STATES: Final = ("REQUESTED", "SCHEDULED", "ACTIVATED", "TERMINATED")
"""of a boost, in the words of CAMARA QoS Booking; which of them end it, and why, `BOOST_REASONS` says."""
BOOST_REASONS: Final = (
    "DURATION_EXPIRED",
    "DELETE_REQUESTED",
    "NETWORK_TERMINATED",
    "BOOKING_DECLINED",
    "BOOKING_REVOKED",
)
"""why a boost is TERMINATED: it is over, was cancelled, was lost with its service, was refused, or was taken back by an operator."""
BOUNDARIES: Final = ("START", "CHANGE", "RETURN")
"""of a boost: where the rate of its service becomes another. Of an item of an order: it is carried out, or that is taken back."""
STEP_SYSTEMS: Final = ("NETWORK", "BILLING", "PERFORMANCE", "FAULT_MANAGEMENT", "INVENTORY", "SALES", "TRUNKLINE")
"""what kind of system carries out a step; TRUNKLINE is this program itself, which reserves and correlates."""
STEP_STATES: Final = ("PENDING", "DONE", "REFUSED", "FAILED", "SKIPPED")
"""of a step: under way, done, refused by its system, given up until a person has looked at it, or not needed."""
MATCH_STATES: Final = ("proposed", "declined", "merged", "superseded")
"""of two customers that may be the same company: a person has said that they are not, or has merged them, or one of the two was merged
into a third, which is compared in its place."""
TASK_STATES: Final = ("OPEN", "DONE", "SKIPPED", "CANCELLED")
"""of what waits for a person."""
LEAD_STATES: Final = ("acknowledged", "inProgress", "accepted", "rejected", "cancelled")
"""of a lead, as sales has it."""

DELIVERY_STATES: Final = ("READY", "DONE", "DEAD")
PARKING_REASONS: Final = ("refused", "invalidAnswer", "expired", "fault")
"""of a delivery: the system refused it (4xx), answered what makes no sense, did not take it for a week, or we failed over it."""
ALERT_KINDS: Final = ("began", "changed", "ended")
"""of an alert: what an alarm does to services of the caller's has begun, is another than before, or is over."""
SERVICE_EVENT_KINDS: Final = (
    "effectBegan",
    "effectEnded",
    "problemReported",
    "ticketOpened",
    "ticketStatusChanged",
    "ticketClosed",
    "activated",
)
"""of what happens to a service."""
BOOST_EVENT_KINDS: Final = ("scheduled", "activated", "changed", "aboutToEnd", "terminated", "declined")
"""of what happens to a boost."""
TOPOLOGY_CHANGE_KINDS: Final = ("added", "changed", "stateChanged", "moved", "removed")
"""of what happens to a resource."""
ORDER_EVENT_KINDS: Final = ("placed", "changed", "stateChanged", "cancellationRequested", "cancellationDecided")
"""of what happens to an order."""
DELIVERY_EVENT_KINDS: Final = ("parked", "replayed")
"""of what happens to a delivery."""
PARTS: Final = ("access", "working", "protecting")
"""of a service: what an alarm hits of it."""

FEED_KINDS: Final = ("full", "incremental")
FEED_STATES: Final = ("receiving", "received", "compared", "failed")
DIFFERENCE_KINDS: Final = ("missingHere", "missingThere", "property", "containment", "notTaken")
DIFFERENCE_STATES: Final = ("open", "held", "taken", "told", "gone")
"""of a difference to an inventory: held until a person decides, settled by its side or by ours, or no more so."""
