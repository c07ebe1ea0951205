"""What `trunkline --help` says of a command, the command says of itself."""

from __future__ import annotations

import importlib

import pytest

from gateway.cli import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_says_what_the_list_of_commands_says(name: str) -> None:
    said: str = importlib.import_module(f"gateway.commands.{name}").command.help
    assert said.startswith(COMMANDS[name].removesuffix("."))
