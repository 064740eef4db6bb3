#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes the rules or the decoder in one place at a time and expects a test to fail.

A change that no test notices (a survivor) is a hole in the tests, or a line that says nothing. A few cannot be
noticed by any test; tests/mutants.equivalent names each with the reason, and they do not count.
Works on a copy. Prints the survivors and the score; exit status 0 when the score reaches the wanted one.

usage: mutants.py rules|decoder [--every N] [--jobs N] [FILE...]
"""
import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

PARTS = {
    # what is changed, the tests that have to notice (the quick ones first), the wanted score in percent
    "rules": (["harness/rule/rule_*.c", "harness/rule/judge*.c", "harness/rule/policy.c"],
              ["rule_judge", "rule_process", "rule_policy", "rule_catalogue", "rule_golden"], 100),
    "decoder": (["harness/packet/*.c"],
                ["packet_ip", "packet_app", "packet_stream", "packet_capfile", "packet_identity", "packet_frames",
                 "rule_golden"], 95),
}
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-O1", "-w", "-Iharness", "-Itests"]
LIBS = ["-ljansson", "-lcrypto", "-lz", "-lyaml", "-lcmocka", "-lm"]
EQUIVALENT = "tests/mutants.equivalent"

SWAPS = [  # pattern, replacements: the bound moved, the sense turned
    (r" == ", [" != "]), (r" != ", [" == "]),
    (r" < ", [" <= ", " > "]), (r" > ", [" >= ", " < "]),
    (r" <= ", [" < ", " > "]), (r" >= ", [" > ", " < "]),
    (r" && ", [" || "]), (r" \|\| ", [" && "]),
    (r"\breturn true;", ["return false;"]), (r"\breturn false;", ["return true;"]),
    (r"\breturn rule_(?=say|sent)", ["return !rule_"]),  # the rule says nothing any more
    (r"(?<![\w>.)])!(?=[\w(])", [""]),
]
LOOP_SAFE = {" == ", " != ", " && ", r" \|\| "}  # a loop's bound moved reads beyond an array, which is no finding


class Mutant:
    def __init__(self, path, number, line, begin, end, new):
        self.path, self.number, self.line = path, number, line
        self.changed = line[:begin] + new + line[end:]
        self.key = (path, line.strip(), self.changed.strip())

    def __str__(self):
        return f"{self.path}:{self.number}: {self.line.strip()}\n    -> {self.changed.strip()}"


def masked(line):
    """Strings and comments become blanks, so that nothing in them is changed."""
    line = re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: " " * len(m.group()), line)
    line = re.sub(r"'(?:[^'\\]|\\.)+'", lambda m: "_" * len(m.group()), line)
    line = re.sub(r"/\*.*?(\*/|$)", lambda m: " " * len(m.group()), line)
    return re.sub(r"//.*", lambda m: " " * len(m.group()), line)


def row_terms(path, number, line):
    """.needs, .protos and .taps of a rule's row: each term left out."""
    row = re.match(r"\t\.(needs|protos|taps) = (.*),$", line)
    terms = row.group(2).split(" | ") if row else []
    for i in range(len(terms)):
        rest = " | ".join(terms[:i] + terms[i + 1:]) or "0"
        yield Mutant(path, number, line, row.start(2), row.end(2), rest)


def mutants_of(path):
    inside_comment = False
    for number, line in enumerate(open(path).read().split("\n"), 1):
        code = masked(line)
        if inside_comment or line.lstrip().startswith(("*", "/*")):
            inside_comment = "*/" not in line
            continue
        size = re.match(r"#define \w+\s+(\d+)U?(?=\s|$)", code)
        if size:
            yield Mutant(path, number, line, size.start(1), size.end(1), str(int(size.group(1)) + 1))
        if not line.startswith("\t"):
            continue
        if path.startswith("harness/rule/rule_"):
            yield from row_terms(path, number, line)
        for pattern, news in SWAPS:
            if "for (" in code and pattern not in LOOP_SAFE:
                continue
            for found in re.finditer(pattern, code):
                for new in news:
                    yield Mutant(path, number, line, found.start(), found.end(), new)


def compile_one(source, to):
    return subprocess.run(["gcc", *FLAGS, "-c", "-o", to, source], capture_output=True).returncode == 0


def object_of(work, path):
    return f"{work}/obj/{path.replace('/', '-')}.o"


class Worker:
    """A copy of the tree with every object in it; changes one file at a time."""

    def __init__(self, origin, tests, number):
        self.work = f"{origin}/worker{number}"
        self.tests = tests
        shutil.copytree(f"{origin}/tree", self.work)
        self.objects = glob.glob(f"{self.work}/obj/harness-*.o")

    def passes(self):
        """None: does not link. True: every test passed."""
        for test in self.tests:
            program = f"{self.work}/test"
            if subprocess.run(["gcc", "-o", program, f"{self.work}/obj/{test}.o", *self.objects, *LIBS],
                              capture_output=True).returncode:
                return None
            try:
                if subprocess.run([program], cwd=self.work, capture_output=True, timeout=60).returncode:
                    return False
            except subprocess.TimeoutExpired:
                return False
        return True

    def judge(self, m):
        """'killed', 'lives' or 'broken' (does not compile)."""
        path = f"{self.work}/{m.path}"
        keep = open(path).read()
        obj = object_of(self.work, m.path)
        shutil.copy(obj, obj + ".keep")
        lines = keep.split("\n")
        lines[m.number - 1] = m.changed
        try:
            with open(path, "w") as f:
                f.write("\n".join(lines))
            done = subprocess.run(["gcc", *FLAGS, "-c", "-o", obj, m.path], cwd=self.work, capture_output=True)
            passed = self.passes() if done.returncode == 0 else None
        finally:
            with open(path, "w") as f:
                f.write(keep)
            os.replace(obj + ".keep", obj)
        return {None: "broken", True: "lives", False: "killed"}[passed]


def prepare(scratch, tests):
    tree = f"{scratch}/tree"
    os.makedirs(f"{tree}/obj")
    for folder in ("harness", "docs", "tests/golden", "tests/packet", "tests/unit"):
        shutil.copytree(folder, f"{tree}/{folder}")
    sources = [s for folder in ("base", "yaml", "packet", "rule") for s in glob.glob(f"harness/{folder}/*.c")]
    for source in sources:
        if not compile_one(source, object_of(tree, source)):
            sys.exit(f"{source} does not compile")
    for test in tests:
        if not compile_one(f"tests/unit/test_{test}.c", f"{tree}/obj/{test}.o"):
            sys.exit(f"test_{test}.c does not compile")


def equivalents():
    """Lines: FILE<tab>LINE<tab>CHANGED LINE<tab>REASON."""
    rows = [line.rstrip("\n").split("\t") for line in open(EQUIVALENT) if line.strip() and line[0] != "#"]
    bad = [r for r in rows if len(r) != 4]
    if bad:
        sys.exit(f"{EQUIVALENT}: not four columns: {bad[0]}")
    return {tuple(r[:3]) for r in rows}


def run(args):
    patterns, tests, wanted = PARTS[args.part]
    files = args.files or sorted(f for p in patterns for f in glob.glob(p))
    known = equivalents()
    everything = [m for f in files for m in mutants_of(f)]
    chosen = [m for i, m in enumerate(everything) if i % args.every == 0 and m.key not in known]
    results = {"killed": 0, "lives": 0, "broken": 0}
    local, lock, numbers = threading.local(), threading.Lock(), iter(range(args.jobs))
    with tempfile.TemporaryDirectory(prefix="leakproof-mutants-") as scratch:
        prepare(scratch, tests)

        def judge(m):
            if not hasattr(local, "worker"):
                with lock:
                    local.worker = Worker(scratch, tests, next(numbers))
            return m, local.worker.judge(m)

        if not Worker(scratch, tests, "first").passes():
            sys.exit("the tests fail before anything is changed")
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            for m, verdict in pool.map(judge, chosen):
                results[verdict] += 1
                if verdict == "lives":
                    print(f"lives: {m}", flush=True)
    total = results["killed"] + results["lives"]
    score = 100 * results["killed"] / total if total else 0
    print(f"{args.part}: {total} mutants, {results['killed']} killed, {results['lives']} live, "
          f"{results['broken']} did not compile, {len(everything) - len(chosen)} left out; score {score:.1f} %")
    return 0 if total and score >= wanted else 1


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("part", choices=sorted(PARTS))
    p.add_argument("files", nargs="*", metavar="FILE")
    p.add_argument("--every", type=int, default=1, metavar="N", help="every Nth mutant only")
    p.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    sys.exit(run(p.parse_intermixed_args()))


main()
