#!/bin/bash
# SPDX-License-Identifier: MIT
# check, plan and list: exit statuses, streams, and what machines read. Needs no root and starts nothing.
set -eu
cd "$(dirname "$0")/../.."
# shellcheck source=tests/cli/common.sh
. tests/cli/common.sh

want 0 check
has out "scenarios/steady-state.yaml: ok (steady-state"
want 0 check scenarios/teardown.yaml
want 2 check tests/bad-scenarios/unknown-step-key.yaml
has err "tests/bad-scenarios/unknown-step-key.yaml:5:5: error: unknown key \`sevice\` in udp; did you mean \`service\`?"
has err "        ^"
want 2 check --json tests/bad-scenarios/unknown-fault.yaml
has out '"suggestion": "vpn.process-kill"'
want 2 check "$tmp/none.yaml"
has err "No such file"
mkdir "$tmp/empty"
want 2 check "$tmp/empty"
has err "no scenario (*.yaml) in this directory"
want 2 check --no-such-option

want 0 plan kill-vpn-process
has out "fault vpn.process-kill"
has out "kill switch within 5s"
want 0 plan tag:control
has out "control-start-window"
want 2 plan kill-vpn-proces
has err "did you mean \`kill-vpn-process\`?"
want 0 plan --json steady-state
has out '"verb": "check"'

for what in scenarios faults probes conditions checks stacks reports; do
  want 0 list "$what"
  want 0 list "$what" --json
  has out '"name": '
done
want 0 list rules
want 0 list rules --json
has out '"severity": "critical"'
has out '"name": "plaintext-dns"'
want 2 list faults --coverage
want 2 list keys --json
has err "document"
want 2 runn
# shellcheck disable=SC2016 # backquotes are words of the message
has err 'did you mean `run`'
want 0 list rules --coverage
want 0 list keys
same "$tmp/out" docs/scenario-reference.md
want 0 list policy-keys
same "$tmp/out" docs/policy-reference.md
want 2 list
want 2 list fautls
has err "did you mean \`faults\`?"

exit "$failed"
