#!/bin/bash
# One broker user per service and one per publishing system, each allowed what it needs and nothing else. Repeatable.
set -euo pipefail
secrets="${KEZHI_SECRETS:-/run/secrets}"

ensure_user() {
    local name="$1" password="$2"
    if rabbitmqctl -q list_users | cut -f1 | grep -qx "$name"; then
        rabbitmqctl -q change_password "$name" "$password"
    else
        rabbitmqctl -q add_user "$name" "$password"
    fi
}

broker_password="$(cat "$secrets/broker_password")"
for service in customer complaint loyalty notify gateway; do
    ensure_user "kezhi-$service" "$broker_password"
    # configure and read: its own queues and the common exchanges, whose presence it checks at each start (the probe asks
    # for the consistent-hash plugin); write: the exchanges its relay publishes to, its own ladder, the default exchange
    rabbitmqctl -q set_permissions "kezhi-$service" \
        "^($service\\..*|kezhi\\.(purchases|events|unrouted|probe\\.consistent-hash))\$" \
        "^($service\\..*|kezhi\\.(purchases|events|unrouted)|amq\\.default)\$" \
        "^($service\\..*|kezhi\\.(purchases|events|unrouted))\$"
done

# A publishing system may write to kezhi.purchases and nowhere else; it declares and reads nothing.
ensure_user pos "$(cat "$secrets/publisher_password")"
rabbitmqctl -q set_permissions pos '^$' '^kezhi\.purchases$' '^$'
rabbitmqctl -q set_topic_permissions pos kezhi.purchases '^(purchase|milestone)\..*' '^$'

rabbitmqctl -q delete_user guest 2>/dev/null || true
