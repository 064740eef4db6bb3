#!/bin/bash
# SPDX-License-Identifier: MIT
# The gateway stand-in gives its firewall commands in the order of the real program, fails on a bad post-rule
# as it does, refuses control routes that have no role, and ends at once on SIGTERM.
# shellcheck source=tests/lab/stack_common.sh
. "$(dirname "$0")/stack_common.sh"

# Every firewall program is replaced by one that writes its command down and does it.
mkdir "$tmp/shim"
for p in iptables ip6tables iptables-save ip6tables-save iptables-restore ip6tables-restore; do
	printf '#!/bin/sh\necho "%s $*" >>/t/log\nexec /usr/sbin/%s "$@"\n' "$p" "$p" >"$tmp/shim/$p"
done
chmod 755 "$tmp"/shim/*
key=$(cat "$tmp/key")

start() { # name extra-docker-args...
	local name=$1
	shift
	: >"$tmp/log"
	lab host docker run -d --name "$name" --cap-add NET_ADMIN --device /dev/net/tun \
		--env-file /t/env -e VPN_SERVICE_PROVIDER=custom -e WIREGUARD_IMPLEMENTATION=userspace \
		-e WIREGUARD_PRIVATE_KEY="$key" -e PATH=/t/shim:/usr/sbin:/usr/bin:/sbin:/bin -v /t:/t \
		"$@" leakproof/gateway:local >/dev/null
}

wait_for() { # what command...
	local what=$1
	shift
	for _ in $(seq 100); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	fail "$what"
}

# ---- order ----
cp stack/gateway/post-rules.txt "$tmp/post-rules.txt"
start gw -v /t/post-rules.txt:/iptables/post-rules.txt:ro
wait_for "the gateway is not healthy" lab host docker exec gw /gluetun-entrypoint healthcheck
net=$(lab host docker exec gw sh -c "ip -4 -o addr show eth0 | awk '{print \$4}'")
own=${net%/*}
prefix=${own%.*.*}.0.0/${net#*/}
same "commands before FORWARD is closed" "$(grep -n 'iptables --policy FORWARD DROP' "$tmp/log" | head -1 | cut -d: -f1)" 14
sed -n '/^iptables --policy INPUT DROP/,$p' "$tmp/log" | grep -v -e '-save *$' >"$tmp/got"
cat >"$tmp/wanted" <<WANTED
iptables --policy INPUT DROP
iptables --policy OUTPUT DROP
iptables --policy FORWARD DROP
ip6tables --policy INPUT DROP
ip6tables --policy OUTPUT DROP
ip6tables --policy FORWARD DROP
iptables --append INPUT -i lo -j ACCEPT
ip6tables --append INPUT -i lo -j ACCEPT
iptables --append OUTPUT -o lo -j ACCEPT
ip6tables --append OUTPUT -o lo -j ACCEPT
iptables --append OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
ip6tables --append OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables --append INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
ip6tables --append INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
iptables --append OUTPUT -o eth0 -s $own -d $prefix -j ACCEPT
ip6tables --append OUTPUT -o eth0 -d ff02::1:ff00:0/104 -j ACCEPT
iptables --append INPUT -i eth0 -d $prefix -j ACCEPT
$(cat stack/gateway/post-rules.txt)
iptables --append OUTPUT -d 198.51.100.2 -o eth0 -p udp -m udp --dport 51820 -j ACCEPT
iptables --append OUTPUT -o tun0 -j ACCEPT
ip6tables --append OUTPUT -o tun0 -j ACCEPT
WANTED
diff "$tmp/wanted" "$tmp/got" || fail "the order of the firewall commands"
echo "ok: order of the firewall commands"

# ---- control server, health, DNS, end ----
status() { lab host docker exec gw curl -s -o /dev/null -w '%{http_code}' "$@"; }
same "a route without a role" "$(status http://127.0.0.1:8000/v1/vpn/status)" 401
lab host docker exec gw sh -c 'mkdir -p /gluetun/auth; cat >/gluetun/auth/config.toml <<E
[[roles]]
name = "all"
routes = ["GET /v1/vpn/status", "PUT /v1/vpn/status"]
auth = "apikey"
apikey = "secret"
E'
same "a wrong key" "$(status -H 'X-API-Key: wrong' http://127.0.0.1:8000/v1/vpn/status)" 401
same "the right key" "$(status -H 'X-API-Key: secret' http://127.0.0.1:8000/v1/vpn/status)" 200
same "stop by the control server" "$(status -H 'X-API-Key: secret' -X PUT -d '{"status":"stopped"}' \
	http://127.0.0.1:8000/v1/vpn/status)" 200
same "outside world of a stopped VPN" "$(status -m 2 http://198.51.100.131/ || :)" 000
same "policies of a stopped VPN" "$(lab host docker exec gw iptables -S | grep -c '^-P .* DROP')" 3
same "start by the control server" "$(status -H 'X-API-Key: secret' -X PUT -d '{"status":"running"}' \
	http://127.0.0.1:8000/v1/vpn/status)" 200
wait_for "the VPN does not come back" lab host docker exec gw curl -sf -m 2 http://198.51.100.131/
same "seen from outside" "$(lab host docker exec gw curl -s -m 5 http://ip.lab.example/)" 198.51.100.2
begin=$SECONDS
lab host docker stop -t 10 gw >/dev/null
[ $((SECONDS - begin)) -le 5 ] || fail "SIGTERM took $((SECONDS - begin)) s"
same "exit status after SIGTERM" "$(lab host docker inspect -f '{{.State.ExitCode}}' gw)" 0

# ---- a bad post-rule opens the firewall again and ends the program ----
echo 'iptables -A NOSUCHCHAIN -j ACCEPT' >"$tmp/post-rules.txt"
start bad -v /t/post-rules.txt:/iptables/post-rules.txt:ro
wait_for "a bad post-rule does not end the gateway" \
	sh -c "$lp lab shell --id $id host docker inspect -f '{{.State.Status}}' bad | grep -q exited"
same "exit status after a bad post-rule" "$(lab host docker inspect -f '{{.State.ExitCode}}' bad)" 1
same "the last firewall command then" "$(tail -n 1 "$tmp/log" | tr -d ' ')" ip6tables-restore
lab host docker rm -f gw bad >/dev/null
