#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes the rules or the decoder in one place at a time and expects a test to fail.

A change that no test notices (a survivor) is a hole in the tests, or a line that says nothing. A few cannot be
noticed by any test; tests/mutants.equivalent names each with the reason, and they do not count. Sizes of memory
are left alone: decimal constants that are powers of two from 256 on (a table with one slot more is as good).
Works on a copy. Prints the survivors and the score; exit status 0 when the score reaches the wanted one.

--every N draws a sample: about one mutant in N, by a hash of what it changes, so that an edit elsewhere leaves the
sample as it is; --turn T draws the Tth of the N samples, which together are all mutants.

usage: mutants.py rules|decoder [--every N [--turn T]] [--jobs N] [FILE...]
"""
import argparse
import collections
import concurrent.futures
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib

PARTS = {
    # what is changed, the tests that have to notice (the quick ones first), the wanted score in percent
    "rules": (["harness/rule/rule_*.[ch]", "harness/rule/judge*.[ch]", "harness/rule/policy.c"],
              ["rule_rows", "rule_classify", "rule_allow", "rule_attr", "rule_taps", "rule_known", "rule_judge",
               "rule_match", "rule_store", "rule_seam", "rule_process", "rule_policy", "rule_golden"], 100),
    "policy": (["harness/rule/policy_*.c", "harness/yaml/*.c"],
               ["rule_policy", "scenario_load", "scenario_bad"], 95),
    "decoder": (["harness/packet/*.[ch]"],
                ["packet_notes", "packet_transport", "packet_udp", "packet_bencode", "packet_ip", "packet_link", "packet_app",
                 "packet_shapes", "packet_quic", "packet_stream", "packet_capfile", "packet_identity",
                 "packet_facts", "packet_frames", "rule_golden"], 95),
}
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O1", "-w", "-Iharness", "-Itests"]
LIBS = ["-ljansson", "-lcrypto", "-lz", "-lyaml", "-lcmocka", "-lm"]
EQUIVALENT = "tests/mutants.equivalent"

SWAPS = [  # pattern, replacements: the bound moved, the sense turned
    (r" ==(?= |$)", [" !="]), (r" !=(?= |$)", [" =="]),
    (r" <(?= |$)", [" <=", " >"]), (r" >(?= |$)", [" >=", " <"]),
    (r" <=(?= |$)", [" <", " >"]), (r" >=(?= |$)", [" >", " <"]),
    (r" &&(?= |$)", [" ||"]), (r" \|\|(?= |$)", [" &&"]),
    (r"\breturn true;", ["return false;"]), (r"\breturn false;", ["return true;"]),
    (r"\breturn rule_(?=say|sent)", ["return !rule_"]),  # the rule says nothing any more
    (r"(?<![\w>.)])!(?=[\w(*])", [""]),
]
LOOP_BOUND = (" <", " >")  # a loop's bound moved reads beyond an array, which is no finding


class Mutant:
    def __init__(self, path, number, line, begin, end, new):
        self.path, self.number, self.line = path, number, line
        self.changed = line[:begin] + new + line[end:]
        self.key = (path, line.strip(), self.changed.strip())

    def __str__(self):
        return f"{self.path}:{self.number}: {self.line.strip()}\n    -> {self.changed.strip()}"


def masked(text):
    """Strings and comments become underscores, so that nothing in them is changed; every line keeps its length."""
    token = r'/\*.*?\*/|//[^\n]*|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)+\''
    return re.sub(token, lambda m: re.sub(r"[^\n]", "_", m.group()), text, flags=re.S)


def row_terms(path, number, line):
    """.needs, .protos and .taps of a rule's row: each term left out."""
    row = re.match(r"\t\.(needs|protos|taps) = (.*),$", line)
    terms = row.group(2).split(" | ") if row and row.group(2) != "0" else []
    for i in range(len(terms)):
        rest = " | ".join(terms[:i] + terms[i + 1:]) or "0"
        yield Mutant(path, number, line, row.start(2), row.end(2), rest)


def is_memory_size(digits):
    n = int(digits, 0)
    return digits.isdigit() and n >= 256 and n & (n - 1) == 0


def mutants_of(path):
    text = open(path).read()
    for number, (line, code) in enumerate(zip(text.split("\n"), masked(text).split("\n")), 1):
        const = re.match(r"#define \w+\s+(\d+|0x[0-9a-f]+)U?(?=\s|$)", code)
        if const and path.endswith(".c") and not is_memory_size(const.group(1)):
            yield Mutant(path, number, line, const.start(1), const.end(1), str(int(const.group(1), 0) + 1) + "U")
        if not line.startswith("\t"):
            continue
        if path.startswith("harness/rule/rule_"):
            yield from row_terms(path, number, line)
        for pattern, news in SWAPS:
            if "for (" in code and pattern.startswith(LOOP_BOUND):
                continue
            for found in re.finditer(pattern, code):
                for new in news:
                    yield Mutant(path, number, line, found.start(), found.end(), new)


def compile_one(source, to, cwd="."):
    return subprocess.run(["gcc", *FLAGS, "-c", "-o", to, source], cwd=cwd, capture_output=True).returncode == 0


def object_of(work, path):
    return f"{work}/obj/{path.replace('/', '-')}.o"


class Worker:
    """A copy of the tree with every object in it; changes one file at a time."""

    def __init__(self, base, number):
        self.work = f"{base.scratch}/worker{number}"
        self.base = base
        shutil.copytree(base.tree, self.work)
        self.objects = glob.glob(f"{self.work}/obj/harness-*.o")

    def passes(self, test):
        """None: does not link."""
        program = f"{self.work}/test"
        if subprocess.run(["gcc", "-o", program, f"{self.work}/obj/{test}.o", *self.objects, *LIBS],
                          capture_output=True).returncode:
            return None
        try:
            return subprocess.run([program], cwd=self.work, capture_output=True,
                                  timeout=self.base.limits.get(test, 300)).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def all_pass(self, path):
        """Asks first the tests that noticed most in that file so far."""
        noticed = self.base.noticed.setdefault(path, collections.Counter())
        for test in sorted(self.base.tests, key=lambda t: -noticed[t]):
            passed = self.passes(test)
            if not passed:
                noticed[test] += 1
                return passed
        return True

    def judge(self, m):
        """'killed', 'lives' or 'broken' (does not compile)."""
        path = f"{self.work}/{m.path}"
        keep = open(path).read()
        sources = self.base.users[m.path]
        lines = keep.split("\n")
        lines[m.number - 1] = m.changed
        for source in sources:
            shutil.copy(object_of(self.work, source), object_of(self.work, source) + ".keep")
        try:
            with open(path, "w") as f:
                f.write("\n".join(lines))
            done = all(compile_one(source, object_of(self.work, source), self.work) for source in sources)
            passed = self.all_pass(m.path) if done else None
        finally:
            with open(path, "w") as f:
                f.write(keep)
            for source in sources:
                os.replace(object_of(self.work, source) + ".keep", object_of(self.work, source))
        return {None: "broken", True: "lives", False: "killed"}[passed]


class Base:
    """The unchanged tree, compiled once; every worker starts from a copy."""

    def __init__(self, scratch, tests):
        self.scratch, self.tests, self.tree = scratch, tests, f"{scratch}/tree"
        self.limits = {}  # seconds
        self.noticed = {}
        os.makedirs(f"{self.tree}/obj")
        for folder in ("harness", "docs", "scenarios", "tests"):
            shutil.copytree(folder, f"{self.tree}/{folder}")
        sources = [s for folder in ("base", "yaml", "packet", "rule", "scenario") for s in glob.glob(f"harness/{folder}/*.c")]
        self.users = {s: [s] for s in sources}  # of a header: the sources that have to be compiled again
        for source in sources:
            if not compile_one(source, object_of(self.tree, source)):
                sys.exit(f"{source} does not compile")
            made_of = subprocess.run(["gcc", *FLAGS, "-MM", source], capture_output=True, text=True).stdout
            for header in re.findall(r"harness/\S+\.h", made_of):
                self.users.setdefault(header, []).append(source)
        for test in tests:
            if not compile_one(f"tests/unit/test_{test}.c", f"{self.tree}/obj/{test}.o"):
                sys.exit(f"test_{test}.c does not compile")

    def check(self):
        """The unchanged tests pass; a change that makes one much slower has to be an endless loop."""
        worker = Worker(self, "first")
        for test in self.tests:
            begin = time.monotonic()
            if not worker.passes(test):
                sys.exit(f"test_{test} fails before anything is changed")
            self.limits[test] = 10 + 10 * (time.monotonic() - begin)


def equivalents():
    """Lines: FILE<tab>LINE<tab>CHANGED LINE<tab>REASON."""
    rows = [line.rstrip("\n").split("\t") for line in open(EQUIVALENT) if line.strip() and line[0] != "#"]
    bad = [r for r in rows if len(r) != 4]
    if bad:
        sys.exit(f"{EQUIVALENT}: not four columns: {bad[0]}")
    return {tuple(r[:3]) for r in rows}


def drawn(m, args):
    return zlib.crc32("\t".join(m.key).encode()) % args.every == args.turn % args.every


def run(args):
    patterns, tests, wanted = PARTS[args.part]
    files = args.files or sorted(f for p in patterns for f in glob.glob(p))
    known = equivalents()
    everything = [m for f in files for m in mutants_of(f)]
    equivalent = [m for m in everything if m.key in known]
    chosen = [m for m in everything if m.key not in known and drawn(m, args)]
    results = {"killed": 0, "lives": 0, "broken": 0}
    local, lock, numbers = threading.local(), threading.Lock(), iter(range(args.jobs))
    with tempfile.TemporaryDirectory(prefix="leakproof-mutants-") as scratch:
        base = Base(scratch, tests)
        base.check()

        def judge(m):
            if not hasattr(local, "worker"):
                with lock:
                    local.worker = Worker(base, next(numbers))
            return m, local.worker.judge(m)

        pool = concurrent.futures.ThreadPoolExecutor(args.jobs)
        try:
            for m, verdict in pool.map(judge, chosen):
                results[verdict] += 1
                if verdict == "lives":
                    print(f"lives: {m}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
    total = results["killed"] + results["lives"]
    score = 100 * results["killed"] / total if total else 0
    print(f"{args.part}: {total} mutants, {results['killed']} killed, {results['lives']} live, "
          f"{results['broken']} did not compile, {len(equivalent)} equivalent, "
          f"{len(everything) - len(equivalent) - len(chosen)} not drawn; score {score:.1f} %, wanted {wanted} %")
    return 0 if total and score >= wanted else 1


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("part", choices=sorted(PARTS))
    p.add_argument("files", nargs="*", metavar="FILE")
    p.add_argument("--every", type=int, default=1, metavar="N", help="a sample: one mutant in N")
    p.add_argument("--turn", type=int, default=0, metavar="T", help="which sample")
    p.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and take the scratch directory away
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    sys.exit(run(p.parse_intermixed_args()))


main()
