"""Whoever reads our topics, or writes alarms to one, needs their schemas as a file, without a running gateway or broker."""

from __future__ import annotations

import click
import orjson

from adapters.kafka.async_api import Topics, document
from gateway.kafka import topics_of
from gateway.settings.kafka import Kafka, KafkaAlarms
from gateway.settings.settings import load_settings

EXAMPLE = Kafka(servers=("broker:9092",), alarms=KafkaAlarms(topic="alarms", dead_letter="alarms.rejected"))
"""What the document is about where the settings have no section `kafka`."""


@click.command(
    help="Print the AsyncAPI document of the topics of Kafka: what is published, and what alarms are taken. "
    "Topics are those that the settings name; without a section `kafka`, those of all events and a topic `alarms`."
)
def command() -> None:
    """Print it."""
    click.echo(written(topics_of(load_settings().kafka or EXAMPLE)))


def written(topics: Topics) -> str:
    """Write the document as JSON."""
    return orjson.dumps(document(topics), option=orjson.OPT_INDENT_2).decode()
