#!/bin/sh
# Make what compose.yaml needs: an authority of the team's own, the server's certificate, and a password.
#
#   ./prepare.sh db.example.org 203.0.113.7    every name and number under which members reach the server
#
# Run again, it makes a new certificate for the server by the same authority, so that nobody has to be invited anew;
# a password that is there stays. Needs openssl.
set -eu
umask 077
cd "$(dirname "$0")"
if [ "$#" -eq 0 ]; then
    echo "usage: $0 NAME-OR-NUMBER..." >&2
    exit 2
fi
names=""
for name in "$@"; do
    case "$name" in
        *[!A-Za-z0-9.:_-]*) echo "$name is not the name or the number of a server." >&2; exit 2 ;;
        *:*) kind=IP ;;
        *[!0-9.]*) kind=DNS ;;
        *) kind=IP ;;
    esac
    names="${names:+$names,}$kind:$name"
done
mkdir -p certificates secrets
[ -s secrets/setup_password ] || openssl rand -hex 24 | tr -d '\n' > secrets/setup_password

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cat > "$work/openssl.cnf" <<CONF
[req]
prompt = no
distinguished_name = name
[name]
CN = ChatDesk team database
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $names
CONF
if [ ! -s certificates/authority.key ] || [ ! -s certificates/authority.crt ]; then
    openssl ecparam -name prime256v1 -genkey -noout -out certificates/authority.key
    openssl req -new -x509 -sha256 -days 3650 -config "$work/openssl.cnf" -extensions authority \
        -key certificates/authority.key -subj "/CN=ChatDesk team authority" -out certificates/authority.crt
fi
openssl ecparam -name prime256v1 -genkey -noout -out "$work/server.key"
openssl req -new -sha256 -config "$work/openssl.cnf" -key "$work/server.key" -out "$work/server.csr"
openssl x509 -req -sha256 -days 825 -in "$work/server.csr" -extfile "$work/openssl.cnf" -extensions server \
    -CA certificates/authority.crt -CAkey certificates/authority.key -set_serial "0x$(openssl rand -hex 16)" \
    -out "$work/server.crt" 2> "$work/said" || { cat "$work/said" >&2; exit 1; }
mv "$work/server.key" certificates/server.key
mv "$work/server.crt" certificates/server.crt
chmod 644 certificates/authority.crt certificates/server.crt

echo "Made: certificates/ and secrets/. Keep certificates/authority.key in a safe place, away from this computer."
echo "Start:  docker compose up -d --wait"
echo "Then create the workspace in ChatDesk with"
echo "  host $1, port ${CHATDESK_TEAM_PORT:-5432}, database team, login chatdesk_setup,"
echo "  the password in secrets/setup_password, and certificates/authority.crt as the server's authority."
