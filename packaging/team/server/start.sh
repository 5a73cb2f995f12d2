#!/bin/sh
# The first process of the container, as root: what is secret becomes the server's own, readable by nobody else, then the
# image's own start. Nobody knows or needs the superuser's password: it comes in from inside the container only.
set -eu
install -d -o postgres -g postgres -m 0700 /run/chatdesk
install -o postgres -g postgres -m 0600 /certificates/server.key /run/chatdesk/server.key
install -o postgres -g postgres -m 0644 /certificates/server.crt /run/chatdesk/server.crt
install -o postgres -g postgres -m 0400 /run/secrets/setup_password /run/chatdesk/setup_password
POSTGRES_PASSWORD="$(head -c 24 /dev/urandom | base64)"
export POSTGRES_PASSWORD
exec docker-entrypoint.sh "$@"
