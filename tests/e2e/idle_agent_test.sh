#!/usr/bin/env bash
# What an idle agent costs its dispatcher: no sealed message, also after a restart; and yet it hears at once of what is new.
source "$(dirname "$0")/lab.sh"

lab_mariadb source
lab_site
lab_agent_config agent source
lab_register_agent agent alice
lab_run_agent agent
metric() { curl -fsS "$admin/metrics" | awk -v name="$1" '$1 == name {print $2}'; }
messages() { metric strongroom_dispatcher_messages_opened_total; }
waits() { [ "$(metric strongroom_dispatcher_waiters)" = 1 ]; }
escrowed() { as alice server show "$server" --json | jq -e .info.escrowed; }
wait_until 30 escrowed || fail "no escrow was made"
sleep 5 # its report
wait_until 10 waits || fail "the agent does not wait"

say "nothing happens for a minute and a bit"
before=$(messages)
sleep 65
[ "$(messages)" = "$before" ] || fail "an idle agent sent $(($(messages) - before)) message(s)"

say "the dispatcher is killed and comes back"
lab_stop "$pid_dispatcher" KILL
sleep 4
lab_dispatcher
wait_until 30 waits || fail "the agent does not come back"
sleep 35 # longer than an outage must last to be called one: the poll that goes on now is none
! grep AGENT_DISPATCHER_AWAY "$lab/agent.log" || fail "a short restart counted as an absence"
[ "$(messages)" = 0 ] || fail "a restart made the agent send $(messages) message(s)"

say "a schedule reaches it at once"
as alice schedule set --server "$server" --kind backup --cron '7 3 * * *'
knows() { jq -e '.schedules[] | select(.order.cron == "7 3 * * *")' "$lab/agent/state/schedule.json"; }
wait_until 10 knows || fail "the agent was not told of its schedule"
wait_until 10 waits || fail "the agent does not wait"

say "so does a retirement: its long poll ends"
as alice server retire "$server"
gone() { [ "$(metric strongroom_dispatcher_waiters)" = 0 ]; }
wait_until 10 gone || fail "a retired agent still waits"
