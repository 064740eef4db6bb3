#!/bin/bash
# SPDX-License-Identifier: MIT
# The gateway stand-in gives its firewall commands in the order of the real program, fails on a bad post-rule as it
# does, keeps its control routes and their roles, sorts names as it does, and ends at once on SIGTERM.
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
		--network gwnet --network-alias gateway1 --dns 198.51.100.130 --env-file /t/env -e VPN_SERVICE_PROVIDER=custom \
		-e VPN_TYPE=wireguard -e WIREGUARD_IMPLEMENTATION=userspace -e DNS_UPSTREAM_RESOLVER_TYPE=plain \
		-e WIREGUARD_PRIVATE_KEY="$key" -e AN_UNKNOWN_SETTING=1 -e PATH=/t/shim:/usr/sbin:/usr/bin:/sbin:/bin -v /t:/t \
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

lab host docker network create gwnet >/dev/null

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
iptables --version
iptables --append OUTPUT -d 198.51.100.2 -o eth0 -p udp -m udp --dport 51820 -j ACCEPT
iptables --append OUTPUT -o tun0 -j ACCEPT
ip6tables --append OUTPUT -o tun0 -j ACCEPT
WANTED
diff "$tmp/wanted" "$tmp/got" || fail "the order of the firewall commands"
echo "ok: order of the firewall commands"

# It saves the rules before each group of commands, which takes time: twice and once before the policies.
same "rules saved before FORWARD is closed" "$(sed '/--policy FORWARD DROP/,$d' "$tmp/log" | grep -c -e '-save *$')" 3

# ---- names ----
# As in release 3.41, the DNS server comes after the first check has passed, and is tried with a name.
said() { lab host docker logs "$1" 2>&1 | grep -n "$2" | head -1 | cut -d: -f1; }
wait_for "the DNS server is not ready" sh -c "$lp lab shell --id $id host docker logs gw 2>&1 | grep -q '\[dns\] ready'"
[ "$(said gw 'healthcheck\] healthy')" -lt "$(said gw 'DNS server listening')" ] || fail "the DNS server before the first check"
lab internet grep -q 'query\[A\] github.com from 198.51.100.2' /var/log/lab/dns.log || fail "the DNS server is not tried"
# dig is not in the image; curl says which address it goes to.
goes_to() { lab host docker exec gw curl -sv -m 3 "http://$1/" 2>&1 | sed -n 's/^.*Trying \([0-9.]*\):.*/\1/p' | head -1; }
same "a container's name" "$(goes_to gateway1)" "$own"
same "a name below a public suffix" "$(goes_to "pub$id.canary.example.org")" 198.51.100.134
same "a name that looks local" "$(goes_to "loc$id.canary.example")" 198.51.100.134
for n in "pub$id.canary.example.org" "loc$id.canary.example"; do
	lab internet grep -q "query\[A\] $n from 198.51.100.2" /var/log/lab/dns.log || fail "$n not by the tunnel"
done
lab internet grep -q 'query.*ipleak.net from 198.51.100.2' /var/log/lab/dns.log || fail "no look home"

# ---- control server without a file: what release 3.41.1 leaves open ----
status() { lab host docker exec gw curl -s -o /dev/null -w '%{http_code}' "$@"; }
api=http://127.0.0.1:8000
same "an open route" "$(status $api/v1/vpn/status)" 200
same "a closed route" "$(status $api/v1/vpn/settings)" 401
same "no route" "$(status $api/v1/nosuch)" 404
same "no method" "$(status -X POST $api/v1/vpn/status)" 405
same "anybody may stop the VPN" "$(lab host docker exec gw curl -s -X PUT -d '{"status":"stopped"}' $api/v1/vpn/status)" \
	'{"outcome":"stopped"}'
lab host docker rm -f gw >/dev/null

# ---- with roles ----
cat >"$tmp/config.toml" <<'TOML'
[[roles]]
name = "all" # not used
routes = ["GET /v1/vpn/status",
  "PUT /v1/vpn/status"]
auth = "apikey"
apikey = "secret"
[[roles]]
name = "reader"
routes = ['GET /v1/publicip/ip']
auth = "basic"
username = "u"
password = "p"
TOML
start gw -v /t/config.toml:/gluetun/auth/config.toml:ro
wait_for "the gateway is not healthy" lab host docker exec gw /gluetun-entrypoint healthcheck
same "a route without a role" "$(status $api/v1/version)" 401
same "no key" "$(status $api/v1/vpn/status)" 401
same "a wrong key" "$(status -H 'X-API-Key: wrong' $api/v1/vpn/status)" 401
same "the right key" "$(status -H 'X-API-Key: secret' $api/v1/vpn/status)" 200
same "a wrong password" "$(status -u u:x $api/v1/publicip/ip)" 401
same "the right password" "$(status -u u:p $api/v1/publicip/ip)" 200
put() { lab host docker exec gw curl -s -H 'X-API-Key: secret' -X PUT -d "{\"status\":\"$1\"}" $api/v1/vpn/status; }
same "stop by the control server" "$(put stopped)" '{"outcome":"stopped"}'
same "stop again" "$(put stopped)" '{"outcome":"already stopped"}'
same "outside world of a stopped VPN" "$(status -m 2 http://198.51.100.131/ || :)" 000
same "policies of a stopped VPN" "$(lab host docker exec gw iptables -S | grep -c '^-P .* DROP')" 3
lab host docker exec gw /gluetun-entrypoint healthcheck || fail "the last word of the health checks does not stay"
same "start by the control server" "$(put running)" '{"outcome":"running"}'
wait_for "the VPN does not come back" lab host docker exec gw curl -sf -m 2 http://198.51.100.131/
same "seen from outside" "$(lab host docker exec gw curl -s -m 5 http://ip.lab.example/)" 198.51.100.2

# ---- the tunnel's device goes away ----
begin=$SECONDS
lab host docker exec gw ip link del tun0
sleep 1
same "state without a device" "$(lab host docker exec gw curl -s -H 'X-API-Key: secret' $api/v1/vpn/status)" \
	'{"status":"crashed"}'
for _ in $(seq 100); do
	lab host docker exec gw ip link show tun0 >/dev/null 2>&1 && break
	sleep 0.2
done
if [ $((SECONDS - begin)) -lt 14 ] || [ $((SECONDS - begin)) -gt 19 ]; then
	fail "the device is back after $((SECONDS - begin)) s"
fi
echo "ok: back after $((SECONDS - begin)) s, the first back-off"

begin=$SECONDS
lab host docker stop -t 10 gw >/dev/null
[ $((SECONDS - begin)) -le 5 ] || fail "SIGTERM took $((SECONDS - begin)) s"
same "exit status after SIGTERM" "$(lab host docker inspect -f '{{.State.ExitCode}}' gw)" 0

# ---- what is not valid ends it, when the firewall is up ----
ended() { sh -c "$lp lab shell --id $id host docker inspect -f '{{.State.Status}}' $1 | grep -q exited"; }
printf '[[roles]]\nname = "x"\nauth = "none"\nroutes = ["GET /nosuch"]\n' >"$tmp/config.toml"
start roles -v /t/config.toml:/gluetun/auth/config.toml:ro
wait_for "a wrong roles file does not end the gateway" ended roles
start keyless -e WIREGUARD_PRIVATE_KEY=
wait_for "a missing key does not end the gateway" ended keyless
grep -q -e '--policy FORWARD DROP' "$tmp/log" || fail "it ends before its firewall is up"
for c in roles keyless; do
	same "exit status of $c" "$(lab host docker inspect -f '{{.State.ExitCode}}' $c)" 1
done

# ---- a DNS server that finds nothing is given up, and tried again 10 s later ----
lab internet dnsmasq --user=root --pid-file= --port=5353 --bind-interfaces --listen-address=198.51.100.131 \
	--except-interface=lo --no-resolv --no-hosts '--address=/#/'
start blind -e DNS_UPSTREAM_PLAIN_ADDRESSES=198.51.100.131:5353
wait_for "no health without names" lab host docker exec blind /gluetun-entrypoint healthcheck
for _ in $(seq 60); do
	[ -z "$(said blind 'DNS is not working')" ] || break
	sleep 0.5
done
[ -n "$(said blind 'attempting restart in 10s')" ] || fail "a DNS server that finds nothing stays"
same "DNS servers after it was given up" "$(lab host docker top blind | grep -c dnsmasq || :)" 0
lab host docker rm -f blind >/dev/null

# ---- lines of post-rules ----
printf '%s\n' '# iptables -A FORWARD -j DROP' ' iptables -A FORWARD -j DROP' iptablesX 'iptables-nft -A FORWARD  -i lo -j DROP' \
	'ip6tables -A FORWARD -o lo -j DROP' >"$tmp/post-rules.txt"
start odd -v /t/post-rules.txt:/iptables/post-rules.txt:ro
wait_for "odd lines end the gateway" lab host docker exec odd /gluetun-entrypoint healthcheck
same "the lines that count" "$(grep -e '-A FORWARD' "$tmp/log" | tr '\n' ';')" \
	'iptables -A FORWARD -i lo -j DROP;ip6tables -A FORWARD -o lo -j DROP;'

# ---- a bad post-rule opens the firewall again and ends the program ----
echo 'iptables -A NOSUCHCHAIN -j ACCEPT' >"$tmp/post-rules.txt"
start bad -v /t/post-rules.txt:/iptables/post-rules.txt:ro
wait_for "a bad post-rule does not end the gateway" ended bad
same "exit status after a bad post-rule" "$(lab host docker inspect -f '{{.State.ExitCode}}' bad)" 1
same "the last firewall commands then" "$(sed -n '/NOSUCHCHAIN/,$p' "$tmp/log" | tail -n +2 | tr '\n' ';')" \
	"$(for c in --flush --delete-chain; do printf 'iptables %s;ip6tables %s;' $c $c; done
	for p in iptables ip6tables; do printf "$p --policy %s ACCEPT;" INPUT OUTPUT FORWARD; done)"
lab host docker rm -f gw roles keyless odd bad >/dev/null
