#!/bin/sh
# Entry point of the container image: `serve` in an empty volume first writes a site folder; then prearc takes over.
set -eu
if [ "${1:-}" = serve ] && [ ! -e "${PREARC_CONFIG}/prearc.toml" ]; then
    prearc init "${PREARC_CONFIG}"
fi
exec prearc "$@"
