#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Speed and memory of `leakproof analyze` and of a tap, side by side with others in one run, as Markdown.

Every program reads the same files, in turn (A B C, A B C, ...), warm, on one core. CPU seconds (user + system) are
compared, because a shared machine stretches the clock; medians are shown, and every ratio is of medians.
usage: run.py BUILD [--runs N] [--bytes N] [--only offline|live]
"""
import argparse
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

REAL = ["203.0.113.10", "203.0.113.11", "2001:db8:1::10", "2001:db8:1::11"]
TUNNEL = "udp:198.51.100.2:51820"
PLANTED = 8  # of generate.c


def say(text=""):
    print(text, flush=True)


def missing(program):
    return shutil.which(program) is None


class Run:
    """One run of a program: CPU seconds, peak memory in MiB, output.

    Started by time(1): a child of this interpreter would count the interpreter's memory as its own."""

    def __init__(self, argv, cpu=None):
        pin = ["taskset", "-c", str(cpu)] if cpu is not None else []
        with tempfile.TemporaryFile() as out, tempfile.NamedTemporaryFile("r") as used:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.status = subprocess.run(["time", "-q", "-f", "%M", "-o", used.name, *pin, *argv],
                                         stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL).returncode
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.memory = int(used.read()) / 1024
            out.seek(0)
            self.out = out.read().decode(errors="replace")
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def in_turn(rows, runs, cpu):
    """rows: (name, argv, check, every). Each program once to warm up and to check its answer, then `runs` times."""
    times = {name: [] for name, *_ in rows}
    memory = {}
    for turn in range(runs + 1):
        for name, argv, check, slow in rows:
            if slow and turn > 2:
                continue
            run = Run(argv, cpu)
            if not check(run):
                sys.exit(f"{name}: wrong answer\n{' '.join(argv)}\n{run.out[-2000:]}")
            if turn:
                times[name].append(run.cpu)
            memory[name] = max(memory.get(name, 0), run.memory)
    return {name: statistics.median(t) for name, t in times.items()}, memory


def tap(run):
    """The counters of the one tap of an analysis."""
    return json.loads(run.out)["scenarios"][0]["taps"][0]


def leaks(n):
    return lambda run: tap(run)["leaked"] == n


def analyze(build, place, path):
    role = "exit" if place == "exit" else "uplink"
    return [f"{build}/leakproof", "analyze", "--json", "--role", role, "--protected", REAL[0], "--real",
            ",".join(REAL[1:]), "--tunnel", TUNNEL, path]


def offline_rows(build, place, size, path):
    rows = [("leakproof analyze", analyze(build, place, path), leaks(PLANTED), False),
            ("tcpdump 'host REAL'", ["tcpdump", "-r", path, "-w", "/dev/null", f"host {REAL[0]}"], lambda r: True,
             False),
            ("read() + search", [f"{build}/bench/floor", path, *REAL], lambda r: True, False),
            ("read()", [f"{build}/bench/floor", "-r", path], lambda r: True, False)]
    if not missing("ngrep"):
        rows.append(("ngrep -X, one pattern of 4 bytes", ["ngrep", "-I", path, "-q", "-X", "cb00710a"], lambda r: True,
                     True))
    if size == "1k" and place in ("uplink", "exit") and not missing("tshark"):
        wanted = f'frame contains "{REAL[0]}" || frame contains cb:00:71:0a'
        rows.append(("tshark -Y, two patterns", ["tshark", "-n", "-r", path, "-Y", wanted],
                     lambda r: len(r.out.splitlines()) >= PLANTED, True))
    return rows


def offline(build, scratch, args):
    cpu = max(os.sched_getaffinity(0))
    for place, size, share in (("uplink", "1k", 1), ("exit", "1k", 1), ("beside", "1k", 1), ("tunnel", "1k", 1),
                               ("uplink", "small", 4), ("exit", "small", 4), ("beside", "small", 4)):
        path = f"{scratch}/{place}-{size}.pcap"
        total = args.bytes // share
        with open(path, "wb") as f:
            subprocess.run([f"{build}/bench/generate", place, size, str(total)], stdout=f, check=True)
        packets = tap(Run(analyze(build, place, path)))["packets"]
        rows = offline_rows(build, place, size, path)
        if place == "tunnel":
            rows[0] = (rows[0][0], rows[0][1], leaks(0), False)
            rows = [r for r in rows if not r[0].startswith("ngrep")]
        median, memory = in_turn(rows, args.runs, cpu)
        table(f"{place}, {size}: {total / 2**30:.2f} GiB, {packets} packets of {total // packets} bytes", total,
              packets, median, memory)
        os.unlink(path)


def table(title, total, packets, median, memory):
    ours = median["leakproof analyze"]
    say(f"\n### {title}\n")
    say("| program | CPU s | GB/s | Mpacket/s | peak MiB | its time / ours |")
    say("|---|---|---|---|---|---|")
    for name, t in median.items():
        say(f"| {name} | {t:.3f} | {total / t / 1e9:.2f} | {packets / t / 1e6:.2f} | {memory[name]:.0f} | "
            f"{t / ours:.2f} |")


# ---- live ----

def trafgen(size, count):
    """UDP from va; the frame is `size` bytes."""
    return (f"{{ 0x02,0,0,0,0,0x0b, 0x02,0,0,0,0,0x0a, c16(0x0800), 0x45, 0, c16({size - 14}), drnd(2), 0x40, 0, 64, 17, 0, 0,"
            f" 10,9,0,1, 10,9,0,2, c16(40000), c16(40001), c16({size - 34}), 0, 0, fill(0x61, {size - 42}) }}")


def arrived_so_far():
    links = json.loads(subprocess.check_output(["ip", "-s", "-j", "link", "show", "dev", "vb"]))
    return links[0]["stats64"]["rx"]["packets"]


def reader(argv, ready):
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             preexec_fn=lambda: os.sched_setaffinity(0, {1 % os.cpu_count()}))
    if ready:
        for line in child.stdout:
            if ready in line.decode(errors="replace"):
                break
    return child


def live_once(name, argv, ready, sig, size, count, scratch):
    before = arrived_so_far()
    child = reader(argv, ready) if argv else None
    time.sleep(0.5)  # netsniff-ng says nothing when it is ready
    with open(f"{scratch}/trafgen.cfg", "w") as f:
        f.write(trafgen(size, count))
    begin = time.monotonic()
    subprocess.run(["trafgen", "--dev", "va", "--conf", f"{scratch}/trafgen.cfg", "--num", str(count), "--cpus", "1",
                    "--no-sock-mem", "--notouch-irq", "--qdisc-path"], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    took = time.monotonic() - begin
    arrived = arrived_so_far() - before
    if not child:
        return [name, arrived, took, None, ""]
    time.sleep(1.0)
    child.send_signal(sig)
    out = child.stdout.read().decode(errors="replace")
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return [name, arrived, took, used.ru_utime + used.ru_stime, " ".join(out.split())]


def live(build, scratch, args):
    """In a network namespace of its own: run.sh starts this part under `unshare --net`."""
    for words in ("link add va address 02:00:00:00:00:0a type veth peer name vb address 02:00:00:00:00:0b",
                  "link set va up", "link set vb up"):
        subprocess.run(["ip", *words.split()], check=True)
    say("\n### Live: a veth pair, trafgen on one core, the reader on the other\n")
    say("| reader | frame | arrived | Mpacket/s | reader's CPU ns a packet | what it says |")
    say("|---|---|---|---|---|---|")
    for size, count in ((64, args.packets), (1400, args.packets)):
        for name, argv, ready, sig in (
                ("none", None, None, None),
                ("leakproof's tap", [f"{build}/bench/tap", "vb", f"{scratch}/tap.pcap"], "armed", signal.SIGTERM),
                ("tcpdump -B 524288", ["tcpdump", "-i", "vb", "-B", "524288", "-w", f"{scratch}/tcpdump.pcap"],
                 "listening", signal.SIGINT),
                ("netsniff-ng", ["netsniff-ng", "--in", "vb", "--out", f"{scratch}/netsniff.pcap", "--silent",
                                 "--no-sock-mem", "--ring-size", "64MiB"], None, signal.SIGINT)):
            if argv and missing(argv[0]):
                continue
            name, arrived, took, cpu, words = live_once(name, argv, ready, sig, size, count, scratch)
            each = f"{cpu / arrived * 1e9:.0f}" if cpu is not None and arrived else "-"
            say(f"| {name} | {size} | {arrived} | {arrived / took / 1e6:.2f} | {each} | {words[-160:]} |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("--runs", type=int, default=10)
    p.add_argument("--bytes", type=int, default=2**30)
    p.add_argument("--packets", type=int, default=2000000)
    p.add_argument("--only", choices=("offline", "live"), required=True)
    args = p.parse_args()
    with tempfile.TemporaryDirectory(prefix="leakproof-bench-") as scratch:
        (offline if args.only == "offline" else live)(os.path.abspath(args.build), scratch, args)


main()
