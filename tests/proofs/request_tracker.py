"""A Request Tracker 5 of our own, from Debian's packages, with nothing of one that may be there for other purposes.

Its settings, its database (SQLite) and its log are in a directory of the proof; only its program is the installed one. It
runs as the user that Debian has for it. What an administrator would click together is loaded as initial data: a queue, two
custom fields, a user for us and one for a person, their rights, and a token for each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.faults.processes import free_port
from tests.proofs.debian import Impossible, Packages
from tests.proofs.running import running, until_answering

PACKAGES: Final = Packages(
    names=("request-tracker5", "rt5-db-sqlite", "rt5-standalone", "msmtp-mta"),  # the last only since RT wants a mailer
    answers=(
        "request-tracker5 request-tracker5/dbconfig-install boolean false",
        "request-tracker5 request-tracker5/install-cronjobs boolean false",
        "request-tracker5 request-tracker5/handle-siteconfig-permissions boolean false",
    ),
)
QUEUE: Final = "Customers"
KEY_FIELD: Final = "Order key"
SERVICE_FIELD: Final = "Service"
US: Final = "trunkline"
PERSON: Final = "grace"
_USER: Final = "www-data"
_SERVER: Final = "/usr/share/request-tracker5/libexec/rt-server"
_SETUP: Final = "rt-setup-database-5"
_UP_SECONDS: Final = 60.0
_RIGHTS: Final = (
    "SeeQueue ShowTicket ShowTicketComments CreateTicket ModifyTicket CommentOnTicket SeeCustomField ModifyCustomField"
)
_MORE_OF_A_PERSON: Final = "ReplyToTicket OwnTicket DeleteTicket"
_SETTINGS: Final = """
Set($rtname, 'proof');
Set($Organization, 'proof.invalid');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{directory}/rt.db');
Set($MailCommand, 'testfile');
Set($LogToSyslog, '');
Set($LogToSTDERR, 'warning');
Set($Timezone, 'Asia/Kolkata');
1;
"""
_DATA: Final = """
our @Queues = ({{ Name => '{queue}' }});
our @CustomFields = (
  {{ Name => '{key}', Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket', ApplyTo => '{queue}' }},
  {{ Name => '{service}', Type => 'FreeformMultiple', LookupType => 'RT::Queue-RT::Ticket', ApplyTo => '{queue}' }},
);
our @Users = map {{ {{ Name => $_, Privileged => 1, EmailAddress => "$_\\@proof.invalid" }} }} ('{us}', '{person}');
our @ACL = (
  (map {{ {{ UserId => '{us}', Queue => '{queue}', Right => $_ }} }} qw({rights})),
  (map {{ {{ UserId => '{person}', Queue => '{queue}', Right => $_ }} }} qw({rights} {more})),
);
our @Final = (sub {{
  for my $name ('{us}', '{person}') {{
    my $user = RT::User->new(RT->SystemUser);
    $user->Load($name);
    my ($ok, $message, $token) = RT::AuthToken->new(RT->SystemUser)->Create(Owner => $user->Id, Description => 'proof');
    die $message unless $ok;
    open my $file, '>', "{directory}/$name.token" or die $!;
    print $file $token;
    close $file;
  }}
}});
1;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTracker:
    """A Request Tracker that runs."""

    address: str
    """of its REST API."""
    ours: Path
    """the file with our token."""
    hers: Path
    """the file with the token of a person who works there."""


@asynccontextmanager
async def request_tracker(directory: Path) -> AsyncIterator[RealTracker]:
    """Lay one out in a new directory, and run it while the block runs."""
    if os.geteuid() != 0:
        raise Impossible("A Request Tracker is laid out as root, and run as another user.")
    port, log = free_port(), directory / "server.log"
    _write(directory, port)
    environment = _environment(directory)
    _set_up(["--action", "init", "--skip-create"], environment)
    _set_up(["--action", "insert", "--datafile", str(directory / "data.pl")], environment)
    command = [_SERVER, "--host", "127.0.0.1", "--port", str(port), "--max-workers", "4"]
    async with running(command, log=log, environment=environment, user=_USER) as process:
        address = f"http://127.0.0.1:{port}/REST/2.0"
        await until_answering(f"{address}/rt", process, log, _UP_SECONDS)
        yield RealTracker(address=address, ours=directory / f"{US}.token", hers=directory / f"{PERSON}.token")


def _write(directory: Path, port: int) -> None:
    data = _DATA.format(
        queue=QUEUE,
        key=KEY_FIELD,
        service=SERVICE_FIELD,
        us=US,
        person=PERSON,
        rights=_RIGHTS,
        more=_MORE_OF_A_PERSON,
        directory=directory,
    )
    (directory / "site").mkdir(parents=True)
    (directory / "site.pm").write_text(_SETTINGS.format(port=port, directory=directory))
    (directory / "data.pl").write_text(data)
    for each in (directory, *directory.iterdir()):
        shutil.chown(each, _USER, _USER)


def _environment(directory: Path) -> Mapping[str, str]:
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "RT_SITE_CONFIG": str(directory / "site.pm"),
        "RT_SITE_CONFIG_DIR": str(directory / "site"),
    }


def _set_up(arguments: list[str], environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [_SETUP, *arguments],
        env=dict(environment),
        user=_USER,
        group=_USER,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{_SETUP} {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}"
