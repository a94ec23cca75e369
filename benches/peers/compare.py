#!/usr/bin/env python3
"""Prints one table of this workspace's detectors beside scikit-learn's, isotree's and PyOD's.

Quality (with --sets): every set is scaled to 0..1 per column; a detector is fitted on all rows and
scores the same rows, labels unseen. AUROC and average precision (AP), mean of the seeds, mean of the
sets. `worst` is the largest loss of AUROC in one set against scikit-learn's forest, `won` and `lost`
count the sets in which AUROC differs from it by more than 0.005.

Speed: 200,000 rows of 5 columns, one thread, a process for each detector, the best of three runs.
`fit` in seconds; `rows/s` scored after it. KNN and the local outlier factor score their rows while
they are fitted and have rows/s of that; PyOD's others score them then as well. `MB` is memory beyond
the data: for the peers what the process grew by, for ours all that the program held, less the table.
"""

import argparse
import importlib
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ROWS, COLUMNS = 200_000, 5
BASELINE = "scikit-learn IsolationForest"
LIBRARIES = {"numpy": "numpy", "scikit-learn": "scikit-learn", "isotree": "isotree", "PyOD": "pyod"}

# Name, arguments of `backwatch detect`, whether a seed matters.
OURS = {
    "ensemble": (["ensemble"], True),
    "isolation-forest": (["isolation-forest"], True),
    "isolation-forest, plain": (["isolation-forest", "--set", "preset=plain"], True),
    "nearest-neighbours": (["nearest-neighbours"], True),
    "mahalanobis": (["mahalanobis"], False),
    "cluster-distance": (["cluster-distance"], False),
    "z-score": (["z-score"], False),
    "modified-z-score": (["modified-z-score"], False),
    "iqr": (["iqr"], False),
    "histogram": (["histogram"], False),
    "ecod": (["ecod"], False),
}


def forest(rows, seed):
    from sklearn.ensemble import IsolationForest
    return IsolationForest(n_estimators=100, max_samples=min(256, len(rows)), random_state=seed, n_jobs=1).fit(rows)


def isotree(**parameters):
    def fit(rows, seed):
        import isotree
        # It adds the tree's number to its seed: neighbouring seeds would share trees.
        return isotree.IsolationForest(random_seed=1 + 10_000 * seed, nthreads=1, **parameters).fit(rows)
    return fit


def pyod(module, name, seeded=False, **parameters):
    def fit(rows, seed):
        kind = getattr(importlib.import_module(f"pyod.models.{module}"), name)
        more = {"random_state": seed} if seeded else {}
        return kind(**parameters, **more).fit(rows)
    return fit


def local_outlier_factor(rows, _seed):
    from sklearn.neighbors import LocalOutlierFactor
    detector = LocalOutlierFactor(n_jobs=1)
    detector.fit(rows)
    return detector


def decision(detector, rows):
    return detector.decision_function(rows)


# Name: fit, score (none: it has scored its rows when it is fitted, and says so in the attribute), and
# whether a seed matters.
PEERS = {
    BASELINE: (forest, lambda detector, rows: -detector.score_samples(rows), True),
    "isotree, plain": (
        isotree(ndim=1, ntrees=100, sample_size=256, max_depth=8, missing_action="fail", standardize_data=False),
        lambda detector, rows: detector.predict(rows), True),
    "isotree, pooled gain": (
        isotree(ndim=1, ntrees=100, sample_size=256, prob_pick_pooled_gain=1, max_depth=None,
                penalize_range=False, missing_action="fail"),
        lambda detector, rows: detector.predict(rows), True),
    "isotree, 2 columns, density": (
        isotree(ndim=2, ntrees=100, sample_size=256, scoring_metric="density", missing_action="fail"),
        lambda detector, rows: detector.predict(rows), True),
    "isotree, FCF": (
        isotree(ndim=2, ntrees=200, sample_size=32, prob_pick_pooled_gain=1, max_depth=None, missing_action="fail"),
        lambda detector, rows: detector.predict(rows), True),
    "scikit-learn LocalOutlierFactor": (local_outlier_factor, lambda detector, _: -detector.negative_outlier_factor_, False),
    "PyOD KNN": (pyod("knn", "KNN"), lambda detector, _: detector.decision_scores_, False),
    "PyOD INNE": (pyod("inne", "INNE", seeded=True), decision, True),
    "PyOD HBOS": (pyod("hbos", "HBOS"), decision, False),
    "PyOD COPOD": (pyod("copod", "COPOD"), decision, False),
    "PyOD ECOD": (pyod("ecod", "ECOD"), decision, False),
}
SCORED_AT_FIT = {"scikit-learn LocalOutlierFactor", "PyOD KNN"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=pathlib.Path, help="directory of labelled .npz files; without it only speed")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target/release/backwatch")
    parser.add_argument("--venv", type=pathlib.Path, default=ROOT / "target/peers")
    parser.add_argument("--measure", nargs=2, metavar=("PEER", "FILE"), help=argparse.SUPPRESS)
    return parser.parse_args()


def enter(venv):
    """Starts this script again in the environment with the peers, in which libraries take one thread."""
    python = venv / "bin/python"
    if pathlib.Path(sys.prefix).resolve() == venv.resolve():
        return
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, stdout=sys.stderr)
    install = ["-m", "pip", "install", "--quiet", "-r", str(HERE / "requirements.txt")]
    subprocess.run([python, *install], check=True, stdout=sys.stderr)
    # What is set for one machine may slow down another.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("OPENBLAS_")}
    for library in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        environment[f"{library}_NUM_THREADS"] = "1"
    os.execve(python, [str(python), *sys.argv], environment)


def quality(options):
    """Of each detector and set: AUROC and AP, mean of the seeds."""
    import numpy
    from sklearn.metrics import average_precision_score, roc_auc_score

    def ours(parameters, path):
        def scores(_rows, seed):
            command = [options.binary, "detect", "--scale", "minmax", "--input", path, "--label", "y", "--threads", "1"]
            command += ["--detector", *parameters] + (["--seed", str(seed)] if seed is not None else [])
            return numpy.array(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split(), float)
        return scores

    def theirs(fit, score):
        return lambda rows, seed: score(fit(rows, seed), rows)

    found = {}
    for path in sorted(options.sets.glob("*.npz")):
        print(path.name, file=sys.stderr)
        data = numpy.load(path)
        rows, labels = data["X"].astype(float), data["y"].ravel()
        low, range_ = rows.min(axis=0), numpy.ptp(rows, axis=0)
        rows = (rows - low) / numpy.where(range_ > 0, range_, 1)
        detectors = {name: (ours(parameters, path), seeded) for name, (parameters, seeded) in OURS.items()}
        detectors |= {name: (theirs(fit, score), seeded) for name, (fit, score, seeded) in PEERS.items()}
        for name, (scores_of, seeded) in detectors.items():
            measures = []
            for seed in range(options.seeds) if seeded else [None]:
                scores = scores_of(rows, seed)
                measures.append((roc_auc_score(labels, scores), average_precision_score(labels, scores)))
            found.setdefault(name, []).append(numpy.mean(measures, axis=0))
    return {name: numpy.array(sets) for name, sets in found.items()}


def quality_cells(found):
    cells = {}
    for name, sets in found.items():
        gains = sets[:, 0] - found[BASELINE][:, 0]
        auroc, precision = sets.mean(axis=0)
        cells[name] = [f"{auroc:.3f}", f"{precision:.3f}", f"{gains.min():+.3f}",
                       f"{(gains > 0.005).sum()}", f"{(gains < -0.005).sum()}"]
    return cells


def peak_bytes():
    """The most memory that this process ever held. Linux tells it; `getrusage` counts the parent's too."""
    status = pathlib.Path("/proc/self/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1])


def measure(name, file):
    """Fits and scores one peer, and prints seconds and memory as one line of JSON."""
    import numpy
    rows = numpy.load(file)
    fit, score, _ = PEERS[name]
    # What a library loads when it is first used is no part of a fit.
    score(fit(rows[:1000], 0), rows[:1000])
    before = peak_bytes()
    start = time.perf_counter()
    detector = fit(rows, 0)
    middle = time.perf_counter()
    score(detector, rows)
    end = time.perf_counter()
    print(json.dumps({"fit_seconds": middle - start, "score_seconds": end - middle, "bytes": peak_bytes() - before}))


def speed(options):
    """Of each detector: seconds to fit, rows scored a second, bytes."""
    import numpy
    random = numpy.random.default_rng(0)
    rows = random.normal(size=(ROWS, 1)) + random.normal(size=(ROWS, COLUMNS))
    rows[::100] *= 5
    with tempfile.TemporaryDirectory() as place:
        file = f"{place}/rows.npy"
        numpy.save(file, rows)

        def ours(parameters):
            command = [options.binary, "detect", "--input", file, "--threads", "1", "--timings", "--detector", *parameters]
            run = subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            timings = json.loads(run.stderr.splitlines()[-1])
            return timings | {"bytes": timings["peak_bytes"] - rows.nbytes}

        def theirs(name):
            command = [sys.executable, __file__, "--venv", options.venv, "--measure", name, file]
            return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)

        runs = {name: (lambda parameters=parameters: ours(parameters)) for name, (parameters, _) in OURS.items()}
        runs |= {name: (lambda name=name: theirs(name)) for name in PEERS}
        cells = {}
        for name, run in runs.items():
            print(name, file=sys.stderr)
            times = [run() for _ in range(3)]
            fit, score, memory = (min(time[key] for time in times) for key in ("fit_seconds", "score_seconds", "bytes"))
            together = fit + score if name in SCORED_AT_FIT else score
            cells[name] = [f"{fit:.3f}", f"{ROWS / together:,.0f}", f"{memory / 1e6:.0f}"]
    return cells


def machine():
    try:
        lines = subprocess.run(["lscpu"], capture_output=True, text=True, check=True).stdout.splitlines()
        wanted = ("Model name", "CPU(s)", "L2 cache")
        parts = dict(line.split(":", 1) for line in lines if ":" in line)
        return ", ".join(f"{key} {parts[key].strip()}" for key in wanted if key in parts)
    except (OSError, subprocess.CalledProcessError):
        return platform.processor() or platform.machine()


def main():
    options = arguments()
    enter(options.venv)
    if options.measure:
        return measure(*options.measure)
    columns, found = ["detector"], {}
    if options.sets:
        found = quality_cells(quality(options))
        columns += ["AUROC", "AP", "worst", "won", "lost"]
    times = speed(options)
    columns += ["fit s", "rows/s", "MB"]
    version = subprocess.run([options.binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    versions = [version] + [f"{name} {importlib.metadata.version(package)}" for name, package in LIBRARIES.items()]
    print(f"Machine: {machine()}. Versions: {', '.join(versions)}, Python {platform.python_version()}.\n")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for name in [*OURS, *PEERS]:
        shown = f"**{name}**" if name in OURS else name
        print(f"| {' | '.join([shown, *found.get(name, []), *times[name]])} |")


if __name__ == "__main__":
    main()
