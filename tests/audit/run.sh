#!/bin/sh
# Starts the gateway for one suite of the federation gateway audit, as its command line asks: the suite's name is the
# argument, its supergraph is at the audit's own server. The shell is replaced, so that the audit's signal ends the gateway.
set -eu
top=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
mkdir -p "$top/.cache/audit"
file="$top/.cache/audit/supergraph.graphql"
"$top/.venv/bin/python" -c 'import sys, urllib.request as r; sys.stdout.buffer.write(r.urlopen(sys.argv[1]).read())' \
  "http://127.0.0.1:${AUDIT_PORT:-4200}/$1/supergraph" > "$file"
# Its hundreds of operations come from one address, which would use up the allowance of new ones.
export TRUNKLINE_LIMITS__NEW_DOCUMENTS_PER_MINUTE=1000000
exec "$top/.venv/bin/trunkline" gateway --supergraph "$file" --listen "127.0.0.1:${GATEWAY_PORT:-4300}"
