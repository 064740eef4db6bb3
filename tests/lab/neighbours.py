#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What machines of a home network say to everybody, once a second, on one interface of the lab: ARP, DHCP, mDNS, LLMNR,
NetBIOS, SSDP, BitTorrent's local discovery, IGMP, router advertisements, a ping, and a knock at a closed port.
usage: neighbours.py INTERFACE SECONDS"""
import socket
import struct
import sys
import time

NEIGHBOUR, MAC = "203.0.113.77", bytes.fromhex("020000000077")
ROUTER, HOST = "203.0.113.1", "203.0.113.10"


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ethernet(destination, kind, body):
    return bytes.fromhex(destination.replace(":", "")) + MAC + struct.pack("!H", kind) + body


def ipv4(destination, protocol, body, source=NEIGHBOUR, ttl=1):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 7, 0, ttl, protocol, 0, socket.inet_aton(source),
                       socket.inet_aton(destination))
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    address = socket.inet_aton(destination)
    if address[0] >= 224 and destination != "255.255.255.255":  # RFC 1112 6.4
        mac = b"\x01\0\x5e" + bytes([address[1] & 0x7f]) + address[2:]
        return ethernet(mac.hex(), 0x0800, head + body)
    return ethernet("ffffffffffff", 0x0800, head + body)


def udp(sport, dport, body):
    return struct.pack("!HHHH", sport, dport, 8 + len(body), 0) + body


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def query(text, kind=1):
    return struct.pack("!HHHHHH", 9, 0, 1, 0, 0, 0) + name(text) + struct.pack("!HH", kind, 1)


def netbios(text):
    padded = text.ljust(15).encode() + b"\0"
    coded = bytes(c for b in padded for c in (65 + (b >> 4), 65 + (b & 15)))
    return struct.pack("!HHHHHH", 9, 0x110, 1, 0, 0, 0) + b"\x20" + coded + b"\0" + struct.pack("!HH", 32, 1)


def arp(target):
    return ethernet("ffffffffffff", 0x0806, struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, MAC,
                                                         socket.inet_aton(NEIGHBOUR), b"\0" * 6,
                                                         socket.inet_aton(target)))


def dhcp_discover():
    body = struct.pack("!BBBBIHH", 1, 1, 6, 0, 0x77, 0, 0x8000) + b"\0" * 16 + MAC + b"\0" * 202
    return ipv4("255.255.255.255", 17, udp(68, 67, body + bytes.fromhex("6382536335010137030103 06ff".replace(" ", ""))),
                source="0.0.0.0", ttl=64)


def router_advertisement():
    source, everybody = socket.inet_pton(socket.AF_INET6, "fe80::77"), socket.inet_pton(socket.AF_INET6, "ff02::1")
    body = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 0, 0, 0)
    pseudo = source + everybody + struct.pack("!IHBB", len(body), 0, 0, 58)
    body = body[:2] + struct.pack("!H", checksum(pseudo + body)) + body[4:]
    return ethernet("333300000001", 0x86dd, struct.pack("!IHBB", 6 << 28, len(body), 58, 255) + source + everybody + body)


def echo(destination):
    body = struct.pack("!BBHHH", 8, 0, 0, 1, 1) + b"anybody there"
    return ipv4(destination, 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:], ttl=64)


def syn(destination, port):
    body = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 0x50, 2, 1024, 0, 0)
    pseudo = socket.inet_aton(NEIGHBOUR) + socket.inet_aton(destination) + struct.pack("!BBH", 0, 6, len(body))
    return ipv4(destination, 6, body[:16] + struct.pack("!H", checksum(pseudo + body)) + body[18:], ttl=64)


def chatter():
    search = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n"
    found = b"BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\nInfohash: " + b"ab" * 20 + b"\r\n\r\n\r\n"
    return [arp(HOST), arp("203.0.113.200"), dhcp_discover(), router_advertisement(), echo(HOST), syn(HOST, 6881),
            ipv4("224.0.0.251", 17, udp(5353, 5353, query("_googlecast._tcp.local", 12))),
            ipv4("224.0.0.252", 17, udp(50000, 5355, query("printer"))),
            ipv4("203.0.113.255", 17, udp(137, 137, netbios("WORKGROUP"))),
            ipv4("239.255.255.250", 17, udp(50001, 1900, search)),
            ipv4("239.192.152.143", 17, udp(6771, 6771, found)),
            ipv4("224.0.0.1", 2, struct.pack("!BBH4s", 0x11, 100, checksum(struct.pack("!BBHI", 0x11, 100, 0, 0)), b"\0" * 4))]


def main():
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((sys.argv[1], 0))
    frames = chatter()
    end = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < end:
        for frame in frames:
            link.send(frame)
            time.sleep(1 / len(frames))


main()
