#!/bin/bash
# SPDX-License-Identifier: MIT
# Official images reach the stack: pulled from a real registry server in the lab that serves them under their official
# names, and from a directory of archives, which a run then uses and reports. The stack's own images stand for them.
set -eu
cd "$(dirname "$0")/../.."
lp=${LEAKPROOF:-build/leakproof}
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
command -v skopeo >/dev/null || { echo "skopeo is not installed"; exit 77; }
id=pu$((RANDOM % 10000))
tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || :; "$lp" lab down --id "$id" >/dev/null 2>&1 || :
	rm -rf "$tmp"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
same() {
	[ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"
	echo "ok: $1"
}
# column FILE SERVICE KEY: of what `leakproof images --json` printed
column() {
	python3 -c 'import json,sys
print([c for c in json.load(open(sys.argv[1])) if c["service"] == sys.argv[2]][0][sys.argv[3]])' "$@"
}

"$lp" images --json >"$tmp/own.json"
"$lp" images --export "$tmp/own" >/dev/null
same "archives exported" "$(find "$tmp/own" -name '*.tar' | wc -l)" 4

# A registry in the lab's internet; the machine's skopeo goes there because it runs in that network namespace.
"$lp" lab up --id "$id" --no-docker --bind "$tmp:/t" --json >"$tmp/lab.json"
inside=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["pids"]["internet"])' "$tmp/lab.json")
registry=198.51.100.131:5000
cat >"$tmp/registry.yml" <<YML
version: 0.1
storage: {filesystem: {rootdirectory: $tmp/registry}}
http: {addr: "$registry"}
log: {accesslog: {disabled: false}}
YML
tree=$(find "${LEAKPROOF_CACHE:-/var/cache/leakproof}" -maxdepth 1 -name 'tree-*' ! -name '*.building' | head -n 1)
program=$(find "$tree/usr/bin" -name docker-registry -o -name registry | head -n 1)
[ -n "$program" ] || { echo "the lab's tree has no docker-registry"; exit 77; }
cp "$program" "$tmp/docker-registry"
nsenter --net="/proc/$inside/ns/net" "$tmp/docker-registry" serve "$tmp/registry.yml" >"$tmp/registry.log" 2>&1 &
server=$!
away() { nsenter --net="/proc/$inside/ns/net" "$@"; }
for _ in $(seq 50); do
	away curl -s -o /dev/null "http://$registry/v2/" && break
	sleep 0.1
done

push() { # own image, official name
	away skopeo copy -q --dest-tls-verify=false "docker-archive:$tmp/own/leakproof-$1.tar" "docker://$registry/$2" ||
		fail "push of $2"
}
for s in gluetun:gateway qbittorrent:qbittorrent prowlarr:service sonarr:service radarr:service \
	flaresolverr:service plex:service webui:nginx; do
	official=$(column "$tmp/own.json" "${s%:*}" official)
	case $official in */*) ;; *) official=library/$official ;; esac
	[ "${s%:*}" = radarr ] || push "${s#*:}" "$official"
done

# Names without a registry go to the lab's: skopeo writes the one that it would ask in front of them. A cache of its own: nothing that is pulled here may be found later.
skopeo copy -q "docker-archive:$tmp/own/leakproof-service.tar" "docker-archive:$tmp/named.tar:a/b:1"
usual=$(tar -xOf "$tmp/named.tar" manifest.json | sed -n 's,.*"\([^"]*\)/a/b:1".*,\1,p')
[ -n "$usual" ] || fail "no registry in front of a name"
mkdir -p "$tmp/home/.config/containers"
cat >"$tmp/home/.config/containers/registries.conf" <<CONF
unqualified-search-registries = ["$usual"]
[[registry]]
prefix = "$usual"
location = "$registry"
insecure = true
CONF
mkdir "$tmp/cache"
for d in "${LEAKPROOF_CACHE:-/var/cache/leakproof}"/image*; do ln -s "$d" "$tmp/cache/"; done
pulled() { away env HOME="$tmp/home" LEAKPROOF_CACHE="$tmp/cache" "$lp" images --pull --json; }
pulled >"$tmp/pulled.json" 2>"$tmp/pulled.log" || { cat "$tmp/pulled.log"; fail "--pull"; }
same "source of the gateway" "$(column "$tmp/pulled.json" gluetun source)" pull
same "its reference" "$(column "$tmp/pulled.json" gluetun reference)" "$(column "$tmp/own.json" gluetun official)"
same "it is still named a stand-in" "$(column "$tmp/pulled.json" gluetun standin)" True
same "nginx is pulled" "$(column "$tmp/pulled.json" webui source)" pull
same "what the registry lacks is ours" "$(column "$tmp/pulled.json" radarr source)" "built here"
column "$tmp/pulled.json" radarr why | grep -q 'manifest unknown\|no pull' || fail "it is not said why"
grep -q 'pulling' "$tmp/pulled.log" || fail "pulling is not said"
pulled >"$tmp/again.json" 2>"$tmp/again.log"
! grep -q pulling "$tmp/again.log" || fail "a second pull of the same manifests"
same "second time" "$(cat "$tmp/again.json")" "$(cat "$tmp/pulled.json")"
kill "$server"
wait "$server" 2>/dev/null || :
server=

# Without the registry every row is ours, and the run goes on.
pulled >"$tmp/gone.json" 2>/dev/null || fail "--pull without a registry"
same "registry gone" "$(column "$tmp/gone.json" gluetun source)" "built here"

# The same files as archives of a directory.
mkdir "$tmp/given"
official=$(column "$tmp/own.json" gluetun official)
skopeo copy -q "docker-archive:$tmp/own/leakproof-gateway.tar" "docker-archive:$tmp/given/g.tar:$official"
"$lp" images --images "$tmp/given" --json >"$tmp/given.json"
same "source is the archive" "$(column "$tmp/given.json" gluetun source)" "archive $tmp/given/g.tar"
same "by its official name" "$(column "$tmp/given.json" gluetun reference | sed "s,^$usual/,,")" "$official"
same "the others are ours" "$(column "$tmp/given.json" sonarr source)" "built here"
echo nothing >"$tmp/given/broken.tar"
"$lp" images --images "$tmp/given" 2>"$tmp/err" && fail "a broken archive is taken"
same "exit status of a broken archive" "$("$lp" images --images "$tmp/given" 2>/dev/null || echo $?)" 2
grep -q 'broken.tar is no docker-archive' "$tmp/err" || fail "the message does not name the file"
rm "$tmp/given/broken.tar"

# Two different images for one service are a question; the same one twice is none.
cp "$tmp/given/g.tar" "$tmp/given/h.tar"
"$lp" images --images "$tmp/given" --json >"$tmp/twice.json" || fail "the same archive twice"
skopeo copy -q "docker-archive:$tmp/own/leakproof-service.tar" "docker-archive:$tmp/given/i.tar:$official"
same "exit status of two for one" "$("$lp" images --images "$tmp/given" 2>"$tmp/err" || echo $?)" 2
grep -q 'g.tar and .*i.tar hold different images for gluetun' "$tmp/err" || fail "two for one: $(cat "$tmp/err")"

# As a newer engine saves it: an OCI layout with a manifest.json, compressed, under the registry's full name; and without
# our label, so that it is what the official image is to a run: no program of ours.
rm -r "$tmp/given"
mkdir "$tmp/given"
cat >"$tmp/layout.py" <<'PY'
import gzip, hashlib, io, json, sys, tarfile
source, out, tag, machine = sys.argv[1:]
old = tarfile.open(source)
entry = json.load(old.extractfile("manifest.json"))[0]
config = json.load(old.extractfile(entry["Config"]))
del config["config"]["Labels"]
if machine:
    config["architecture"] = machine
text = json.dumps(config).encode()
blob = lambda data: "blobs/sha256/" + hashlib.sha256(data).hexdigest()
layers = [old.extractfile(l).read() for l in entry["Layers"]]
manifest = [{"Config": blob(text), "RepoTags": [tag], "Layers": [blob(l) for l in layers]}]
files = [(blob(text), text)] + [(blob(l), l) for l in layers] + [
    ("index.json", b'{"schemaVersion":2,"manifests":[]}'), ("manifest.json", json.dumps(manifest).encode()),
    ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')]
with gzip.open(out, "wb", 1) as z, tarfile.open(fileobj=z, mode="w") as t:
    for name, data in files:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
print("sha256:" + hashlib.sha256(text).hexdigest())
PY
digest=$(python3 "$tmp/layout.py" "$tmp/own/leakproof-gateway.tar" "$tmp/given/gluetun.tar.gz" "$usual/qmcgaw/gluetun:latest" '')
# The store that is prepared for this image is for this test alone.
for d in "${LEAKPROOF_CACHE:-/var/cache/leakproof}"/tree-* "${LEAKPROOF_CACHE:-/var/cache/leakproof}"/seed-*; do
	ln -s "$d" "$tmp/cache/"
done
LEAKPROOF_CACHE=$tmp/cache "$lp" run --images "$tmp/given" --reports "$tmp/reports" --captures "$tmp/captures" --quiet process-isolation >"$tmp/run.txt" ||
	{ cat "$tmp/run.txt"; fail "a run with the archive"; }
image=$(python3 -c 'import json,sys
print([i["value"] for i in json.load(open(sys.argv[1]))["images"] if i["name"] == "gluetun"][0])' "$tmp"/reports/latest/result.json)
same "image in the result" "$image" \
	"$usual/qmcgaw/gluetun:latest (archive $tmp/given/gluetun.tar.gz, official) $digest"
grep -q "gluetun.tar.gz, official) $digest" "$tmp/run.txt" || fail "the text does not say which image"
grep -q "$digest" "$tmp"/reports/latest/index.html || fail "the page does not say which image"

# One that is made for another machine.
python3 "$tmp/layout.py" "$tmp/own/leakproof-gateway.tar" "$tmp/given/gluetun.tar.gz" qmcgaw/gluetun:latest m68k >/dev/null
same "exit status of another machine's image" "$("$lp" images --images "$tmp/given" 2>"$tmp/err" || echo $?)" 2
grep -q 'made for linux/m68k.*docker pull --platform' "$tmp/err" || fail "another machine: $(cat "$tmp/err")"
echo "ok: all"
