#!/bin/bash
# One broker user per service and one per publishing system, each allowed exactly what decision 11 says. Repeatable.
set -euo pipefail

ensure_user() {
    local name="$1" password="$2"
    if rabbitmqctl -q list_users | cut -f1 | grep -qx "$name"; then
        rabbitmqctl -q change_password "$name" "$password"
    else
        rabbitmqctl -q add_user "$name" "$password"
    fi
}

broker_password="$(cat /run/secrets/broker_password)"
for service in customer loyalty gateway; do
    ensure_user "kezhi-$service" "$broker_password"
    # configure and read: its own queues; write: the exchanges its relay publishes to, its own ladder, the default exchange
    rabbitmqctl -q set_permissions "kezhi-$service" \
        "^($service\\..*|kezhi\\.(purchases|events|unrouted))\$" \
        "^($service\\..*|kezhi\\.(purchases|events|unrouted)|amq\\.default)\$" \
        "^($service\\..*|kezhi\\.(purchases|events|unrouted))\$"
done

# A publishing system may write to kezhi.purchases and nowhere else; it declares and reads nothing.
ensure_user pos "$(cat /run/secrets/publisher_password)"
rabbitmqctl -q set_permissions pos '^$' '^kezhi\.purchases$' '^$'
rabbitmqctl -q set_topic_permissions pos kezhi.purchases '^(purchase|milestone)\..*' '^$'

rabbitmqctl -q delete_user guest 2>/dev/null || true
