#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tshark as an independent judge: on every frame of the captures given, its dissection must agree with the facts that
`leakproof analyze --facts` prints. Each row of VALUES is one fact: ours, and tshark's fields for it; PROTOCOLS are the
names of both sides. What the two see differently on purpose stands in EXCEPTIONS with its reason, and an exception
that no longer happens is a failure too. Exit status 0, or 1 with frame and both values of every disagreement.
usage: independent_judge.py LEAKPROOF CAPTURE..."""
import concurrent.futures
import ipaddress
import json
import os
import subprocess
import sys

# tshark's name of a layer: ours
PROTOCOLS = {
    'arp': 'arp', 'icmp': 'icmp', 'icmpv6': 'icmp6', 'igmp': 'igmp', 'tcp': 'tcp', 'udp': 'udp', 'sctp': 'sctp',
    'dns': 'dns', 'mdns': 'mdns', 'llmnr': 'llmnr', 'nbns': 'nbns', 'dhcp': 'dhcp', 'tls': 'tls', 'dtls': 'dtls',
    'quic': 'quic', 'http': 'http', 'bittorrent': 'bt-handshake', 'bt-dht': 'bt-dht', 'bt-utp': 'bt-utp',
    'stun': 'stun', 'classicstun': 'stun', 'ssdp': 'ssdp', 'portcontrol': 'nat-pmp', 'ntp': 'ntp', 'wg': 'wireguard',
    'openvpn': 'openvpn',
}
# ours that say more about a frame of which tshark knows the outer name only; None: tshark has no name
DETAILS = {
    'nd': 'icmp6', 'tls-client-hello': None, 'dot': None, 'bt-extended': 'bt-handshake', 'bt-pex': 'bt-handshake',
    'bt-holepunch': 'bt-handshake', 'bt-tracker': 'http', 'bt-ws-tracker': None, 'upnp': 'http', 'pcp': 'nat-pmp',
}
# tshark goes by ports where we go by bytes: its name of a layer counts where it also has one of these fields
CONTENT = {
    'tls': ['tls.record.content_type'],
    'http': ['http.request.method', 'http.response.code'],
    'bittorrent': ['bittorrent.protocol.name', 'bittorrent.extended.id'],
}
# ports on which tshark looks for something else, or for nothing, unless it is told
DECODE_AS = {
    'http-host-outside+hard.uplink.pcap': 'tcp.port==9117,http',
    'published-port-answers+edge-port-speaks-torrent.uplink.pcap': 'tcp.port==8080,bittorrent',
    'cleartext-outside-tunnel+shape-beside-allowance.uplink.pcap': 'udp.port==123,bt-dht',
    'tunnel-endpoint-cleartext+openvpn-dht.uplink.pcap': 'udp.port==1194,bt-dht',
    'upnp-outside+soap.uplink.pcap': 'tcp.port==5000,http',
}
# capture and what is compared: why the two differ
EXCEPTIONS = {
    ('bittorrent-peer-outside+hard.uplink.pcap', 'bt-handshake'): 'tshark puts no split handshake together',
    ('cleartext-outside-tunnel+home-cut-for-the-uplink.uplink.pcap', 'headers: source port'):
        'tshark shows ports with the last fragment',
    ('cleartext-outside-tunnel+home-cut-for-the-uplink.uplink.pcap', 'headers: destination port'):
        'tshark shows ports with the last fragment',
    ('dhcp-route-injected+split.uplink.pcap', 'dhcp: routes'): 'tshark puts no split option together',
    ('dhcp-route-injected-split-private.uplink.pcap', 'dhcp: routes'): 'tshark puts no split option together',
    ('dhcp-route-injected+static-route.uplink.pcap', 'dhcp: routes'): 'tshark has another field for option 33',
    ('dhcp-route-injected-static-private.uplink.pcap', 'dhcp: routes'): 'tshark has another field for option 33',
    ('dhcp-route-injected+tenth-route.uplink.pcap', 'dhcp: routes'): 'tshark keeps more routes',
    ('dhcp-route-injected-many-private.uplink.pcap', 'dhcp: routes'): 'tshark keeps more routes',
    ('dht-id-from-real-address+then-other.exit.pcap', 'bt-dht'): "tshark knows a message by a dictionary 'a' or 'r'",
    ('real-address-text-asked-otherwise.exit.pcap', 'dns: id'): 'tshark reads half a header',
    ('real-address-text-asked-otherwise.exit.pcap', 'dns: answer'): 'tshark reads half a header',
    ('tunnel-endpoint-cleartext+nearly-data.uplink.pcap', 'wireguard'): 'tshark takes data of any length',
}


def numbers(values):
    return [int(v, 0) for v in values]


def lower(values):
    return [v.lower() for v in values]


def addresses(values):
    return [str(ipaddress.ip_address(v)) for v in values]


def hexes(values):
    return [v.replace(':', '').lower() for v in values]


def root(values):
    return ['.' if v == '<Root>' else v for v in values]


def of_layers(key, version=None):
    def get(facts):
        layers = facts['layers'] + ([facts['quoted']] if 'quoted' in facts else [])
        return [layer[key] for layer in layers if key in layer and version in (None, layer['version'])]
    return get


def of(protocol, key):
    def get(facts):
        value = facts.get(protocol, {}).get(key)
        return [] if value is None else value if isinstance(value, list) else [value]
    return get


def of_places(*places):
    def get(facts):
        return [a['address'] for a in facts.get('addresses', []) if a['place'] in places]
    return get


def flags_of(facts):
    bits = 'FSRPAU'
    return [sum(1 << bits.index(c) for c in text) for text in of_layers('flags')(facts)]


def first(get):
    return lambda facts: get(facts)[:1]


def low_flags(values):
    return [n & 0x3f for n in numbers(values)]


def routes_of(facts):
    return [f"{r['net']}/{r['length']}-{r['router']}" for r in of('dhcp', 'routes')(facts)]


def routes(values):
    """Bytes as RFC 3442 has them: prefix length, as much of the net as that needs, router."""
    found = []
    for raw in map(bytes.fromhex, values):
        size = (raw[0] + 7) // 8
        net = ipaddress.ip_address(raw[1:1 + size].ljust(4, b'\0'))
        found.append(f'{net}/{raw[0]}-{ipaddress.ip_address(raw[1 + size:5 + size])}')
    return found


def node_id(values):
    """The string behind the key `id` of a DHT message."""
    return values[values.index('id') + 1:][:1] if 'id' in values else []


# What is compared: the protocol whose message says it (None: headers), its name, ours, tshark's fields (the values of
# all of them, in order), how to read those, and whether the order counts
VALUES = [
    (None, 'VLAN', lambda f: f.get('vlan', []), ['vlan.id'], numbers, True),
    (None, 'source, IPv4', of_layers('src', 4), ['ip.src'], addresses, True),
    (None, 'destination, IPv4', of_layers('dst', 4), ['ip.dst'], addresses, True),
    (None, 'source, IPv6', of_layers('src', 6), ['ipv6.src'], addresses, True),
    (None, 'destination, IPv6', of_layers('dst', 6), ['ipv6.dst'], addresses, True),
    (None, 'time to live', of_layers('ttl', 4), ['ip.ttl'], numbers, True),
    (None, 'hop limit', of_layers('ttl', 6), ['ipv6.hlim'], numbers, True),
    (None, 'identification', of_layers('id', 4), ['ip.id'], numbers, True),
    (None, 'source port', of_layers('sport'), ['tcp.srcport', 'udp.srcport', 'sctp.srcport'], numbers, False),
    (None, 'destination port', of_layers('dport'), ['tcp.dstport', 'udp.dstport', 'sctp.dstport'], numbers, False),
    (None, 'TCP flags', flags_of, ['tcp.flags'], low_flags, True),
    (None, 'TCP sequence number', of_layers('seq'), ['tcp.seq_raw'], numbers, True),
    (None, 'ICMP type', of_layers('type'), ['icmp.type', 'icmpv6.type'], numbers, True),
    (None, 'ICMP code', of_layers('code'), ['icmp.code', 'icmpv6.code'], numbers, True),
    ('arp', 'operation', of('arp', 'op'), ['arp.opcode'], numbers, True),
    ('arp', 'sender', of('arp', 'sender'), ['arp.src.proto_ipv4'], addresses, True),
    ('arp', 'target', of('arp', 'target'), ['arp.dst.proto_ipv4'], addresses, True),
    ('icmp6', 'neighbour', of('nd', 'target'), ['icmpv6.nd.na.target_address', 'icmpv6.nd.ns.target_address'],
     addresses, True),
    ('icmp6', 'router lifetime', of('nd', 'router_lifetime'), ['icmpv6.nd.ra.router_lifetime'], numbers, True),
    ('icmp6', 'prefix', of('nd', 'prefix'), ['icmpv6.opt.prefix'], addresses, True),
    ('dns', 'id', of('dns', 'id'), ['dns.id'], lambda v: numbers(v)[:1], True),
    *[(name, what, get, fields, read, ordered) for name in ('dns', 'mdns', 'llmnr') for what, get, fields, read, ordered in [
        ('name', of('dns', 'qname'), ['dns.qry.name', 'dns.resp.name'], lambda v: root(v)[:1], True),
        ('type', of('dns', 'qtype'), ['dns.qry.type'], lambda v: numbers(v)[:1], True),
        ('answer', of('dns', 'response'), ['dns.flags.response'], lambda v: [n == 1 for n in numbers(v)], True),
        ('addresses', of_places('dns-answer'), ['dns.a', 'dns.aaaa'], addresses, False)]],
    ('dns', 'client subnet', of_places('dns-client-subnet'), ['dns.opt.client.addr4', 'dns.opt.client.addr6'],
     addresses, True),
    ('tls', 'server name', of('tls', 'sni'), ['tls.handshake.extensions_server_name'], list, True),
    ('tls', 'ALPN', lambda f: [p for v in of('tls', 'alpn')(f) for p in v.split(',')],
     ['tls.handshake.extensions_alpn_str'], list, True),
    ('quic', 'version', of('quic', 'version'), ['quic.version'], lambda v: numbers(v)[:1], True),
    ('quic', 'server name', of('tls', 'sni'), ['tls.handshake.extensions_server_name'], list, True),
    ('http', 'method', of('http', 'method'), ['http.request.method'], list, True),
    ('http', 'host', of('http', 'host'), ['http.host'], list, True),
    ('http', 'target', of('http', 'target'), ['http.request.uri'], list, True),
    ('http', 'status', of('http', 'status'), ['http.response.code'], numbers, True),
    ('bt-handshake', 'info-hash', of('bt', 'info_hash'), ['bittorrent.info_hash'], hexes, True),
    ('bt-handshake', 'peer id', of('bt', 'peer_id'), ['bittorrent.peer_id'], hexes, True),
    ('bt-dht', 'node', of('bt', 'node_id'), ['bt-dht.bencoded.string'], node_id, True),
    ('bt-utp', 'type', of('bt', 'utp_type'), ['bt-utp.type'], numbers, True),
    ('stun', 'type', of('stun', 'type'), ['stun.type', 'classicstun.type'], numbers, True),
    ('stun', 'addresses', of_places('stun-mapped', 'stun-other'),
     ['stun.att.ipv4', 'stun.att.ipv6', 'classicstun.att.ipv4'], addresses, False),
    ('nat-pmp', 'opcode', of('portmap', 'opcode'), ['nat-pmp.opcode', 'portcontrol.opcode'], numbers, True),
    ('wireguard', 'type', of('wireguard', 'type'), ['wg.type'], numbers, True),
    ('wireguard', 'sender', of('wireguard', 'sender'), ['wg.sender'], numbers, True),
    ('wireguard', 'receiver', of('wireguard', 'receiver'), ['wg.receiver'], numbers, True),
    ('wireguard', 'counter', of('wireguard', 'counter'), ['wg.counter'], numbers, True),
    ('openvpn', 'opcode', of('openvpn', 'opcode'), ['openvpn.opcode'], numbers, True),
    ('dhcp', 'message', of('dhcp', 'type'), ['dhcp.option.dhcp'], numbers, True),
    ('dhcp', 'routes', routes_of, ['dhcp.option.classless_static_route'], routes, True),
    ('ntp', 'mode', of('ntp', 'mode'), ['ntp.flags.mode'], numbers, True),
]
FIELDS = ['frame.number', 'frame.time_epoch', 'frame.len', 'frame.protocols'] + sorted(
    {field for row in VALUES for field in row[3]} | {field for fields in CONTENT.values() for field in fields})

TSHARK = ['tshark', '-n', '-T', 'fields', '-E', 'occurrence=a', '-E', 'aggregator=|', '-o',
          'tcp.reassemble_out_of_order:TRUE', '-o', 'tcp.relative_sequence_numbers:FALSE',
          '-o', 'http.desegment_body:FALSE', '--enable-heuristic', 'bt_utp_udp']

def tshark_frames(path):
    args = TSHARK + ['-r', path]
    if os.path.basename(path) in DECODE_AS:
        args += ['-d', DECODE_AS[os.path.basename(path)]]
    for field in FIELDS:
        args += ['-e', field]
    text = subprocess.run(args, check=True, capture_output=True, text=True, errors='replace').stdout
    return [dict(zip(FIELDS, line.split('\t'))) for line in text.splitlines()]


def our_frames(leakproof, path):
    text = subprocess.run([leakproof, 'analyze', '--facts', path], check=True, capture_output=True).stdout
    return [json.loads(line.decode('utf-8')) for line in text.splitlines()]


def seen_by_tshark(row, quoted):
    """Protocols of the layers, without what stands inside an ICMP quote."""
    names = row['frame.protocols'].split(':')
    if quoted:
        at = min(names.index(name) for name in ('icmp', 'icmpv6') if name in names)
        names = names[:at + 1]
    names = {name for name in names if name in PROTOCOLS and any(row[f] for f in CONTENT.get(name, [])) >= (name in CONTENT)}
    if 'quic' in names:
        names.discard('tls')  # we say quic of the frame, and the hello's name besides
    if 'ssdp' in names:
        names.discard('http')
    return {PROTOCOLS[name] for name in names}


def seen_by_us(facts):
    """Ours in tshark's terms."""
    found = {DETAILS.get(name, name) for name in facts['protocols']} & set(PROTOCOLS.values())
    if found & {'mdns', 'llmnr', 'nbns'}:
        found.discard('dns')
    if 'bt-utp' in found:
        found.discard('bt-handshake')  # tshark says so of the uTP layer only
    return found


def flow_of(facts):
    layer = facts['layers'][-1] if facts['layers'] else {}
    return tuple(layer.get(key) for key in ('src', 'dst', 'sport', 'dport')) if 'flags' in layer else None


def differ(row, facts, value):
    _, _, get, fields, read, ordered = value
    mine, other = get(facts), read([v for field in fields for v in row[field].split('|') if v])
    same = mine == other if ordered else sorted(map(str, mine)) == sorted(map(str, other))
    return None if same else (mine, other)


def frame_differences(facts, row, told_later):
    """What differs in one frame. Of a TCP stream's head we say what is there at once, tshark when it is whole."""
    if facts['time'] != row['frame.time_epoch']:
        yield 'time', facts['time'], row['frame.time_epoch']
    if facts['length'] != int(row['frame.len']):
        yield 'length', facts['length'], row['frame.len']
    ours, theirs = seen_by_us(facts), seen_by_tshark(row, 'quoted' in facts)
    for name in sorted(ours ^ theirs):
        if name in theirs or (flow_of(facts), name) not in told_later:
            yield name, name in ours, name in theirs
    for value in VALUES:
        told = not facts['undecodable'] if value[0] is None else value[0] in ours & theirs
        found = differ(row, facts, value) if told else None
        if found:
            yield f'{value[0] or "headers"}: {value[1]}', *found


def judge(leakproof, path):
    """Disagreements of one capture: frame, what, ours, tshark's; and how many frames there are."""
    ours, theirs = our_frames(leakproof, path), tshark_frames(path)
    found, told_later = [], set()
    if len(ours) != len(theirs):
        found.append((0, 'frames', len(ours), len(theirs)))
    for facts, row in reversed(list(zip(ours, theirs))):
        for name, mine, other in frame_differences(facts, row, told_later):
            found.append((facts['frame'], name, mine, other))
        for name in seen_by_us(facts) & seen_by_tshark(row, 'quoted' in facts):
            told_later.add((flow_of(facts), name))
    return path, sorted(found, key=lambda d: d[0]), len(ours)


def main():
    leakproof, captures = sys.argv[1], sys.argv[2:]
    failed, frames, excused = 0, 0, set()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for path, found, n in pool.map(lambda p: judge(leakproof, p), captures):
            frames += n
            name = os.path.basename(path)
            for frame, what, mine, other in found:
                if (name, what) in EXCEPTIONS:
                    excused.add((name, what))
                    continue
                failed += 1
                print(f'{name} frame {frame}: {what}: leakproof says {mine}, tshark {other}')
    for name, what in EXCEPTIONS.keys() - excused:
        if name in map(os.path.basename, captures):
            failed += 1
            print(f'{name}: {what} no longer differs: the exception can go')
    print(f'{len(captures)} captures, {frames} frames, {len(VALUES)} values, {len(excused)} exceptions: '
          f'{failed} disagreements')
    return failed != 0 or frames == 0


if __name__ == '__main__':
    sys.exit(main())
