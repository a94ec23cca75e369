#!/usr/bin/env python3
"""Measures `backwatch walk` beside `find` and `restic`, in trees that it makes and removes.

    cargo build --release -p backwatch
    python3 benches/walk/measure.py time       # a million unchanged files, beside find -printf
    python3 benches/walk/measure.py memory     # up to ten million files, and a million in one directory
    python3 benches/walk/measure.py read       # reading new files, beside restic backup

`time`: both read the same fields of every file; caches are warm; they take turns, and each has its
fastest run. `memory`: the most that the process held (max RSS), on a second walk, with an old state and
a new one. Most names are hard links, which a walk cannot tell from files of their own: inodes are few,
names are many. `read`: processor time (user and system) of the first walk of a tree, and of the first
backup of the same tree by restic into an empty local repository; the fastest of three runs each.

`--dir` says where the trees are made; it needs room for 2 GB (read), and for a million inodes (time).
Python's standard library is enough; GNU time, `find` and `restic` must be installed.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "backwatch"
FIELDS = r"%p %s %T@ %C@ %A@ %m %i\n"


def run(command, **options):
    """Runs it, and gives wall seconds, processor seconds and the most memory held, in MB."""
    # Memory through a small process in between: a child counts that of its parent as its own.
    with tempfile.NamedTemporaryFile("r") as memory:
        command = ["/usr/bin/time", "--quiet", "-f", "%M", "-o", memory.name, *map(str, command)]
        start = time.monotonic()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, **options)
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        if os.waitstatus_to_exitcode(status):
            sys.exit(f"{command} failed")
        return wall, usage.ru_utime + usage.ru_stime, int(memory.read()) / 1000, output


def walk(tree, state, *options):
    return run([PROGRAM, "walk", tree, "--state", state, "--output", "json", *options])


def make_files(root, directories, files, link=False):
    """So many directories with so many files each: empty ones, or names of the same few."""
    for number in range(directories):
        directory = root / f"d{number // 1000:04}" / f"sub{number % 1000:04}"
        directory.mkdir(parents=True)
        fill(directory, files, link)


def fill(directory, files, link=False):
    # File systems allow some 65,000 names of one inode.
    source = None
    for number in range(files):
        name = directory / f"file-{number:07}.txt"
        if link and number % 60_000:
            os.link(source, name)
        else:
            name.touch()
            source = name


def measure_time(work):
    tree, state = work / "tree", work / "state"
    make_files(tree, 50_000, 20)
    walk(tree, state)
    # Files that changed as late as this are read again once.
    time.sleep(3)
    walk(tree, state)
    best = {}
    for _ in range(5):
        turns = {
            "find -printf": lambda: run(["find", tree, "-printf", FIELDS]),
            "walk": lambda: walk(tree, state),
            "walk --threads 1": lambda: walk(tree, state, "--threads", "1"),
        }
        for name, turn in turns.items():
            wall, cpu, memory, output = turn()
            if name != "find -printf":
                assert json.loads(output)["files_unmodified"] == 1_000_000
            best[name] = min(best.get(name, (wall, cpu, memory)), (wall, cpu, memory))
    base = best["find -printf"][0]
    print("| one million files in 51,001 directories | seconds | of find's | processor seconds | MB |")
    print("|---|---|---|---|---|")
    for name, (wall, cpu, memory) in best.items():
        print(f"| `{name}` | {wall:.2f} | {wall / base:.2f} | {cpu:.2f} | {memory:.0f} |")
    print(f"\nstate: {state.stat().st_size / 1e6:.1f} bytes a file")


def measure_memory(work):
    print("| files | directories | max RSS, MB | state, bytes a file |")
    print("|---|---|---|---|")
    shapes = [(10_000, 100), (100_000, 10), (100_000, 100), (1_000_000, 10), (1, 1_000_000)]
    for directories, files in shapes:
        tree, state = work / "tree", work / "state"
        make_files(tree, directories, files, link=True)
        walk(tree, state)
        time.sleep(3)
        _, _, memory, output = walk(tree, state)
        found = json.loads(output)
        count = found["file_count"]
        assert count == found["files_unmodified"] == directories * files
        size = state.stat().st_size / count
        print(f"| {count:,} | {found['directory_count']:,} | {memory:.0f} | {size:.1f} |", flush=True)
        shutil.rmtree(tree)
        state.unlink()


def make_data(root, total):
    """Text, tables, media and archives, from a seed, in files of some kilobytes to some megabytes."""
    source = random.Random(0)
    words = ["".join(source.choices("etaoinshrdlu", k=source.randint(2, 9))) for _ in range(5_000)]
    text = " ".join(source.choices(words, k=2_000_000)).encode()
    rows = "".join(f"{n},{source.random():.6f},{source.choice(words)}\n" for n in range(300_000)).encode()
    kinds = [
        ("txt", lambda size, at: text[at % (len(text) - size):][:size]),
        ("csv", lambda size, at: rows[at % (len(rows) - size):][:size]),
        ("jpg", lambda size, at: source.randbytes(size)),
        ("bin", lambda size, at: (source.randbytes(size // 4) + bytes(range(256)) * (size // 342))[:size]),
    ]
    written = number = 0
    while written < total:
        extension, make = kinds[number % len(kinds)]
        size = min(4_000_000, int(source.lognormvariate(11.5, 1.6)) + 100)
        directory = root / f"{number // 100:04}"
        directory.mkdir(parents=True, exist_ok=True)
        content = make(size, source.randrange(1 << 40))
        (directory / f"{number}.{extension}").write_bytes(content)
        written += len(content)
        number += 1
    return number, written


def measure_read(work):
    tree = work / "tree"
    files, size = make_data(tree, 2_000_000_000)
    environment = {**os.environ, "RESTIC_PASSWORD": "none", "RESTIC_CACHE_DIR": str(work / "cache")}
    best = {}

    def restic():
        repository = work / "repository"
        shutil.rmtree(repository, ignore_errors=True)
        run(["restic", "init", "-r", repository], env=environment)
        return run(["restic", "backup", "--quiet", "-r", repository, tree], env=environment)

    def first_walk(sampling):
        state = work / "state"
        state.unlink(missing_ok=True)
        return walk(tree, state, "--sampling", sampling)

    for _ in range(3):
        turns = {"restic backup": restic}
        for sampling in ["full", "strided", "head"]:
            turns[f"walk --sampling {sampling}"] = lambda sampling=sampling: first_walk(sampling)
        for name, turn in turns.items():
            wall, cpu, _, _ = turn()
            best[name] = min(best.get(name, (cpu, wall)), (cpu, wall))
    base = best["restic backup"][0]
    print(f"| {size / 1e9:.1f} GB in {files:,} files | processor seconds | of restic's | seconds |")
    print("|---|---|---|---|")
    for name, (cpu, wall) in best.items():
        print(f"| `{name}` | {cpu:.2f} | {100 * cpu / base:.1f} % | {wall:.2f} |")


def main():
    measures = {"time": measure_time, "memory": measure_memory, "read": measure_read}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=measures)
    parser.add_argument("--dir", help="where the trees are made; a temporary directory when not given")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as work:
        measures[arguments.what](pathlib.Path(work))


if __name__ == "__main__":
    main()
