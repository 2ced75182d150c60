#!/bin/bash
# Makes deploy/secrets/ for docker-compose.yml: a random password per user, a Fernet key for encrypted fields.
# What exists is never overwritten: a lost field key can't be made again, and databases keep the passwords of their first day.
set -euo pipefail
umask 022
folder="${1:-$(dirname "$0")/secrets}"
if [ -e "$folder" ] && [ -n "$(ls -A "$folder")" ]; then
    echo "$folder holds secrets already; nothing was changed. Move it away first if you really want new ones." >&2
    exit 1
fi
# Compose mounts each file as it is, and services run as a user of their own: so the files are readable, the folder is not.
mkdir -p "$folder"
chmod 700 "$folder"
for name in postgres_password broker_password publisher_password admin_password webhook_secret \
    {customer,complaint,loyalty,notify,gateway}_{owner,database}_password; do
    openssl rand -base64 32 | tr '+/' '-_' | tr -d '=\n' >"$folder/$name"
done
openssl rand -base64 32 | tr '+/' '-_' | tr -d '\n' >"$folder/field_keys"
chmod 444 "$folder"/*
echo "made $(ls "$folder" | wc -l) secrets in $folder; the administrator's first password is in admin_password"
