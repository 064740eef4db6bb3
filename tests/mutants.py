#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes the rules, the policy's reader or the decoder in one place at a time and expects a test to fail.

A change that no test notices (a survivor) is a hole in the tests, or a line that says nothing. A few cannot be
noticed by any test; tests/mutants.equivalent names each with the reason, and they do not count. Sizes of memory
are left alone: decimal constants that are powers of two from 256 on (a table with one slot more is as good).
A mutant that does not compile, and one whose test ran out of its processor time (a loop without end), is counted
apart and is not in the score. Prints the survivors, a line a file, and the score; exit status 0 when every part
reaches its wanted score (a sample: when nothing lives). Works on a copy.

--sample N draws about as many of all parts together: those with the lowest hash of what they change and the seed,
so that an edit elsewhere leaves the sample as it is. --again LOG takes those that live in the output of a former run.

usage: mutants.py [rules|policy|decoder]... [--sample N [--seed S]] [--again LOG] [--jobs N] [--file PATH]...
"""
import argparse
import collections
import concurrent.futures
import glob
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import zlib

PARTS = {
    # what is changed, the tests that have to notice, the wanted score in percent
    "rules": (["harness/rule/rule*.[ch]", "harness/rule/judge*.[ch]", "harness/rule/policy.c"], ["rule_*"], 100),
    "policy": (["harness/rule/policy_*.c", "harness/yaml/*.c"],
               ["rule_policy", "scenario_load", "scenario_bad", "yaml_words"], 95),
    "decoder": (["harness/packet/*.[ch]"], ["packet_*", "rule_golden"], 95),
}
NO_TESTS = {"packet_captures"}  # of captures that only some have
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-w", "-fPIC", "-Itests"]
LIBS = ["-ljansson", "-lcrypto", "-lz", "-lyaml", "-lm"]
EQUIVALENT = "tests/mutants.equivalent"
MEMORY = 4 << 30  # bytes of a test: a loop that allocates without end fails instead of taking the machine
HANG = 900  # seconds: a test that waits for ever; whoever works is stopped by its processor time

SWAPS = [  # pattern, replacements: the bound moved, the sense turned
    (r" ==(?= |$)", [" !="]), (r" !=(?= |$)", [" =="]),
    (r" <(?= |$)", [" <=", " >"]), (r" >(?= |$)", [" >=", " <"]),
    (r" <=(?= |$)", [" <", " >"]), (r" >=(?= |$)", [" >", " <"]),
    (r" &&(?= |$)", [" ||"]), (r" \|\|(?= |$)", [" &&"]),
    (r"\breturn true;", ["return false;"]), (r"\breturn false;", ["return true;"]),
    (r"\breturn rule_(?=say|sent)", ["return !rule_"]),  # the rule says nothing any more
    (r"(?<![\w>.)])!(?=[\w(*])", [""]),
]
LOOP_BOUND = (" <=", " >=")  # a loop that goes one too far reads beyond an array, which plain tests cannot see


def one_spaced(line):
    return " ".join(line.split())


class Mutant:
    def __init__(self, path, number, line, begin, end, new):
        self.part = None
        self.path, self.number, self.line = path, number, line
        self.changed = line[:begin] + new + line[end:]
        self.key = (path, one_spaced(line), one_spaced(self.changed))

    def __str__(self):
        return f"{self.path}:{self.number}: {self.key[1]}\n    -> {self.key[2]}"


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


def table_row(path, number, line):
    """A row of the table of rules left out: the rule is not asked any more."""
    if path.endswith("rule_table.h") and re.match(r"\tX\(\w+\)", line):
        yield Mutant(path, number, line, 1, len(line.rstrip("\\ ")), "")


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
        yield from table_row(path, number, line)
        if path.startswith("harness/rule/rule_"):
            yield from row_terms(path, number, line)
        for pattern, news in SWAPS:
            for found in re.finditer(pattern, code):
                for new in news:
                    if not ("for (" in code and new in LOOP_BOUND):
                        yield Mutant(path, number, line, found.start(), found.end(), new)


def compile_to(to, sources, cwd, includes=("-Iharness",), level="-O0", libs=()):
    return subprocess.run(["gcc", *FLAGS, level, *includes, "-shared", "-Wl,-z,defs", "-o", to, *sources, *libs],
                          cwd=cwd, capture_output=True).returncode == 0


def tests_of(parts):
    paths = (p for part in parts for t in PARTS[part][1] for p in sorted(glob.glob(f"tests/unit/test_{t}.c")))
    names = (os.path.basename(p).removeprefix("test_").removesuffix(".c") for p in paths)
    return [n for n in dict.fromkeys(names) if n not in NO_TESTS]


class Worker:
    """Compiles changed files into a library that the tests load before the unchanged one."""

    def __init__(self, base, name):
        self.base, self.home = base, f"{base.scratch}/{name}"
        os.makedirs(f"{self.home}/include")
        self.library = f"{self.home}/libchanged.so"

    def build(self, sources, includes=("-Iharness",)):
        return compile_to(self.library, sources, self.base.tree, includes, libs=(self.base.library, *LIBS))

    def run(self, test, seconds):
        """'passes', 'fails' or 'slow'."""
        limits = ["prlimit", f"--cpu={seconds}", f"--as={MEMORY}", "--core=0"]
        env = dict(os.environ, LD_LIBRARY_PATH=f"{self.home}:{self.base.scratch}", LD_BIND_NOW="1")
        try:
            status = subprocess.run([*limits, self.base.program(test)], cwd=self.base.tree, env=env, timeout=HANG,
                                    stdin=subprocess.DEVNULL, capture_output=True).returncode
        except subprocess.TimeoutExpired:
            return "slow"
        if status in (-signal.SIGXCPU, -signal.SIGKILL):
            return "slow"
        return "fails" if status else "passes"

    def ask_tests(self, m):
        """Asks first the tests that noticed most in that file so far, then the quick ones."""
        noticed = self.base.noticed.setdefault(m.path, collections.Counter())
        for test in sorted(self.base.tests[m.part], key=lambda t: (-noticed[t], self.base.limits[t])):
            said = self.run(test, self.base.limits[test])
            if said != "passes":
                noticed[test] += 1
                return {"fails": "killed", "slow": "slow"}[said]
        return "lives"

    def judge(self, m):
        """'killed', 'lives', 'slow' (ran out of its time) or 'broken' (does not compile)."""
        source = m.path.endswith(".c")
        place = f"{self.home}/changed.c" if source else f"{self.home}/include/{m.path.removeprefix('harness/')}"
        os.makedirs(os.path.dirname(place), exist_ok=True)
        lines = open(f"{self.base.tree}/{m.path}").read().split("\n")
        lines[m.number - 1] = m.changed
        with open(place, "w") as f:
            f.write("\n".join(lines))
        built = self.build([place] if source else self.base.users[m.path], (f"-I{self.home}/include", "-Iharness"))
        if not source:
            os.remove(place)
        return self.ask_tests(m) if built else "broken"


class Base:
    """The unchanged tree, compiled once."""

    def __init__(self, scratch, parts, jobs):
        self.scratch, self.tree, self.library = scratch, f"{scratch}/tree", f"{scratch}/libunchanged.so"
        self.tests = {part: tests_of([part]) for part in parts}
        self.limits = {}  # seconds of processor time
        self.noticed = {}
        for folder in ("harness", "docs", "scenarios", "tests"):
            shutil.copytree(folder, f"{self.tree}/{folder}")
        folders = ("base", "yaml", "packet", "rule", "scenario")
        self.sources = [s for folder in folders for s in sorted(glob.glob(f"harness/{folder}/*.c"))]
        self.users = {}  # of a header: the sources that have to be compiled again
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            objects = list(pool.map(self.compile_source, self.sources))
            if not compile_to(self.library, objects, self.tree, libs=LIBS):
                sys.exit("the unchanged tree does not link")
            # programs name libchanged.so first: whatever it defines is taken from there
            compile_to(f"{scratch}/libchanged.so", [], self.tree)
            list(pool.map(self.compile_test, tests_of(parts)))

    def program(self, test):
        return f"{self.scratch}/test_{test}"

    def compile_source(self, source):
        to = f"{self.scratch}/{source.replace('/', '-')}.o"
        made_of = f"{to}.d"
        if subprocess.run(["gcc", *FLAGS, "-O1", "-Iharness", "-MMD", "-MF", made_of, "-c", "-o", to, source],
                          cwd=self.tree).returncode:
            sys.exit(f"{source} does not compile")
        for header in re.findall(r"harness/\S+\.h", open(made_of).read()):
            self.users.setdefault(header, []).append(source)
        return to

    def compile_test(self, test):
        if subprocess.run(["gcc", *FLAGS, "-O1", "-Iharness", "-o", self.program(test), f"tests/unit/test_{test}.c",
                           "-Wl,--no-as-needed", f"-L{self.scratch}", "-lchanged", "-lunchanged", "-lcmocka", *LIBS],
                          cwd=self.tree).returncode:
            sys.exit(f"test_{test}.c does not compile")

    def check(self, paths):
        """The tests pass with nothing changed, also when every file is loaded in the place of a changed one. A test
        that takes far longer with a change than without has to be in an endless loop."""
        worker = Worker(self, "first")
        if not worker.build([p for p in paths if p.endswith(".c")]):
            sys.exit("the unchanged files do not make a library")
        for test in dict.fromkeys(t for tests in self.tests.values() for t in tests):
            before = os.times().children_user + os.times().children_system
            if worker.run(test, HANG) != "passes":
                sys.exit(f"test_{test} fails before anything is changed")
            used = os.times().children_user + os.times().children_system - before
            self.limits[test] = math.ceil(4 + 10 * used)


def equivalents():
    """Lines: FILE<tab>LINE<tab>CHANGED LINE<tab>REASON."""
    rows = [line.rstrip("\n").split("\t") for line in open(EQUIVALENT) if line.strip() and line[0] != "#"]
    bad = [r for r in rows if len(r) != 4]
    if bad:
        sys.exit(f"{EQUIVALENT}: not four columns: {bad[0]}")
    return {tuple(map(one_spaced, r[:3])) for r in rows}


def all_mutants(parts):
    for part in parts:
        for path in sorted(f for p in PARTS[part][0] for f in glob.glob(p)):
            for m in mutants_of(path):
                m.part = part
                yield m


def alive_in(log):
    """The keys of the survivors that a former run printed."""
    found = re.findall(r"^lives: (\S+?):\d+: (.*)\n    -> (.*)$", open(log).read(), re.M)
    return set(found)


def chosen_of(mutants, args):
    if args.file:
        mutants = [m for m in mutants if m.path in args.file]
    if args.again:
        keys = alive_in(args.again)
        mutants = [m for m in mutants if m.key in keys]
    if args.sample:
        rank = lambda m: zlib.crc32("\t".join((str(args.seed), *m.key)).encode())
        mutants = sorted(sorted(mutants, key=rank)[:args.sample], key=lambda m: m.path)
    return mutants


def judge_all(chosen, args):
    """{(part, path): Counter of verdicts}; prints what lives as it is found."""
    results = collections.defaultdict(collections.Counter)
    local, lock, numbers = threading.local(), threading.Lock(), iter(range(args.jobs))
    with tempfile.TemporaryDirectory(prefix="leakproof-mutants-", dir=args.scratch) as scratch:
        base = Base(scratch, {m.part for m in chosen}, args.jobs)
        base.check(sorted({m.path for m in chosen}))

        def judge(m):
            if not hasattr(local, "worker"):
                with lock:
                    local.worker = Worker(base, f"worker{next(numbers)}")
            return m, local.worker.judge(m)

        pool = concurrent.futures.ThreadPoolExecutor(args.jobs)
        try:
            for m, verdict in pool.map(judge, chosen):
                results[m.part, m.path][verdict] += 1
                if verdict in ("lives", "slow"):
                    print(f"{verdict}: {m}", flush=True)
        finally:
            pool.shutdown(cancel_futures=True)
    return results


def words(counts):
    return (f"{counts['killed'] + counts['lives']} mutants, {counts['killed']} killed, {counts['lives']} live, "
            f"{counts['slow']} without end, {counts['broken']} did not compile")


def score(counts):
    total = counts["killed"] + counts["lives"]
    return 100 * counts["killed"] / total if total else 0


def run(args):
    known = equivalents()
    stale = known - {m.key for m in all_mutants(PARTS)}
    if stale:
        sys.exit(f"{EQUIVALENT}: no such change: " + "; ".join(map(str, sorted(stale))))
    everything = list(all_mutants(args.parts))
    chosen = chosen_of([m for m in everything if m.key not in known], args)
    results = judge_all(chosen, args)
    good = bool(results)
    for (_, path), counts in sorted(results.items()):
        print(f"  {path}: {words(counts)}")
    for part in args.parts:
        counts = sum((c for (p, _), c in results.items() if p == part), collections.Counter())
        equivalent = sum(m.part == part and m.key in known for m in everything)
        wanted = 100 if args.sample else PARTS[part][2]
        if counts:
            print(f"{part}: {words(counts)}, {equivalent} equivalent; score {score(counts):.1f} %, wanted {wanted} %")
            good = good and score(counts) >= wanted
    if args.sample:
        print(f"a sample of {len(chosen)} out of {len(everything)}, seed {args.seed}")
    return 0 if good else 1


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("parts", nargs="*", metavar="PART", help=" or ".join(PARTS))
    p.add_argument("--file", action="append", metavar="PATH", help="changes in this file only; may be said again")
    p.add_argument("--sample", type=int, metavar="N", help="N mutants of all the parts together")
    p.add_argument("--seed", type=int, default=1, metavar="S", help="which sample (1)")
    p.add_argument("--again", metavar="LOG", help="only those that live in the output of a former run")
    p.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and take the scratch directory away
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    args = p.parse_args()
    args.parts = args.parts or list(PARTS)
    args.scratch = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # memory, not a disk
    if not set(args.parts) <= set(PARTS):
        p.error(f"parts are {', '.join(PARTS)}")
    sys.exit(run(args))


main()
