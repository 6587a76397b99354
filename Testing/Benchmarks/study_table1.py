"""The paper's Table 1 on the paper's object: NMSE and SSIM by method and slice, with the loss as printed and with the released code's term.

The released code's data loss also fits dC_myo/dt to the gradient of the NOISE-FREE curve (in 1/min, over the input's peak), which no
patient has; the paper does not print it. That term lives here and not in the product.

Every run is kept in build/reproduce and not done again, so that the study goes on where it was stopped.

python Testing/Benchmarks/study_table1.py [--minutes 30] [--seed 1] [--write]     (5 to 14 minutes a run)
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from judging import NAMES
from keep import arrays, dates, load, place, save
from page import ROOT, Section, parser
from paper_object import LIMIT_5, paper_object, rectangle
from study_networks import Memory
from table1_maps import draw

from MyoPINNLib.events import silent
from MyoPINNLib.fit import KineticParameters, TissueCurves
from MyoPINNLib.network_settings import NetworkSettings
from MyoPINNLib.quantities import minutes_from_seconds, seconds_from_minutes
from MyoPINNLib.settings import Delay, FitSettings, Method
from MyoPINNLib.simulate import metrics
from MyoPINNLib.solvers import fit
from MyoPINNLib.solvers.nlls import fit_nlls

PICTURE = "figures/table1-maps.png"
ORDER = " / ".join(NAMES)
DRAWN = 0
SLICES = {0: 0.5, 1: 1.5, 2: 2.5}
STOPS = (1000, 4000, 7500, 15_000, 25_000)
PRINTED_TABLE = {
    Method.NLLS: (".03 / .08 / .03 / .70, .21", ".61 / .34 / .43 / .65"),
    Method.TWO_COMPARTMENT: (".17 / .03 / .01 / .30, .13", ".79 / .51 / .64 / .39"),
    Method.MESH: (".07 / .07 / .04 / .56, .18", ".73 / .38 / .45 / .28"),
    Method.REDUCED: (".02 / .04 / .17 / .53, .19", ".77 / .17 / .04 / .01"),
    Method.COMBINED: (".13 / .03 / .01 / .30, .11", ".80 / .51 / .64 / .40"),
}


@dataclass(frozen=True)
class Recipe:
    """A training: its loss (``term``: with the released code's), steps, layers, weight of the data, and the points of the residuals,
    of which each step draws as many anew, or (``pool``) from as many drawn once."""

    words: str
    term: bool = False
    steps: int = 25_000
    layers: int = 2
    w_data: float = 5.0
    points: int = 500
    pool: int = 0


AS_PRINTED = Recipe("as printed")
WITH_TERM = Recipe("with the term", term=True)
RELEASED = Recipe("with the term, 3 layers, w_C 1", term=True, steps=15_000, layers=3, w_data=1.0)
OWN_POINTS = replace(RELEASED, words=f"{RELEASED.words}, 100 of 500 points drawn once", points=100, pool=500)
PAPERS = (Method.COMBINED, Method.REDUCED, Method.TWO_COMPARTMENT)
FIRST = [(recipe, method) for method in PAPERS for recipe in (AS_PRINTED, RELEASED)]
RUNS = [
    (AS_PRINTED, Method.MESH, 0),
    *((recipe, method, k) for k in (0, 2, 1) for recipe, method in FIRST),
    *((WITH_TERM, method, k) for k in (1, 0, 2) for method in PAPERS),
    *((OWN_POINTS, Method.COMBINED, k) for k in (1, 0, 2)),
    *((AS_PRINTED, Method.MESH, k) for k in (1, 2)),
]


def part(reference, k):
    """(curves, truth, noise-free curves) of a slice of the object."""
    rows = np.flatnonzero(reference.curves.voxels[:, 0] == k)
    curves = reference.curves
    some = TissueCurves(curves.time, curves.clock[rows], curves.C_t[rows], curves.weight, curves.voxels[rows])
    truth = KineticParameters(**{name: value[rows] for name, value in reference.truth.items()})
    return some, truth, reference.C_t_exact[rows]


def released(clean, time_s, pool):
    """The product's objective with the released code's term: the gradient of the ``clean`` (n, t) mM curves is data too.

    With a ``pool`` the points of each step are some of as many that are drawn once.
    """
    import tensorflow as tf

    from MyoPINNLib.solvers.pinn import losses
    from MyoPINNLib.solvers.pinn.objective import Objective

    minutes = minutes_from_seconds(np.asarray(time_s))

    class Released(Objective):
        """Eq. 6 with mean (dC_myo/dt - its noise-free gradient)^2 added to L_C."""

        def __init__(self, network, problem, settings, **how):
            super().__init__(network, problem, settings, **how)
            slope = np.gradient(clean[problem.rows], minutes, axis=1) / problem.peak
            self.slope = tf.constant(slope.T, tf.float32)

        def random_times(self, step):
            """(N_r, 1) times in the slice's domain."""
            if not pool:
                return super().random_times(step)
            seed = tf.constant([self.settings.seed, 0], tf.int64)
            once = tf.random.stateless_uniform([pool, 1], seed, *self.domain)
            order = tf.random.stateless_uniform([pool], tf.stack([seed[0], tf.cast(step, tf.int64) + 1]))
            return tf.gather(once, tf.argsort(order)[: self.settings.collocation_points])

        def terms(self, step):
            """The terms, the data's with the slopes."""
            seen, features = {}, self.network.features

            def watched(x, **how):
                phi, seen["slope"] = features(x, **how)
                return phi, seen["slope"]

            self.network.features = watched
            try:
                found = super().terms(step)
            finally:
                self.network.features = features
            K, head = self.network.curves, self.network.head
            at_frames = seen["slope"][: self.sizes[0]] / self.sigma
            dC = at_frames @ losses.tissue(head[:, :K], head[:, K : 2 * K], self.network.parameters())
            term = tf.reduce_mean((dC - self.slope) ** 2)
            more = {"data": found["data"] + term, "total": found["total"] + self.settings.w_data * term}
            return found | more

    return Released


def trained(reference, recipe, method, k, seed):
    """NMSE (and SSIM at the end) by stop."""
    from MyoPINNLib.solvers.pinn import slices as training

    curves, truth, clean = part(reference, k)
    network = NetworkSettings(
        seed=seed, history_every=500, layers=recipe.layers, w_data=recipe.w_data, collocation_points=recipe.points
    )
    settings = FitSettings(method=method, delay=Delay.FIXED, network=network)
    plain, memory, rows, begun = training.Objective, Memory(), [], time.perf_counter()
    if recipe.term:
        training.Objective = released(clean, curves.time[0], recipe.pool)
    try:
        for stop in [each for each in STOPS if each <= recipe.steps]:
            at = replace(settings, network=replace(network, steps=stop))
            result = fit(curves, reference.aif, at, checkpoint=memory)
            loss = float(result.history["total"][-1])
            rows.append({"steps": stop, "loss": loss, "nmse": metrics.nmse(result.parameters, truth)})
            print(
                f"  {stop} steps: loss {loss:.2e}, {cells(rows[-1])}, {time.perf_counter() - begun:.0f} s", flush=True
            )
    finally:
        training.Objective = plain
    rows[-1]["ssim"] = similarity(result.parameters, truth, curves)
    return {"rows": rows, "seconds": time.perf_counter() - begun}, result.parameters


def similarity(found, truth, curves):
    """SSIM of each parameter's map, as the paper defines it."""
    rows, columns = np.ptp(curves.voxels[:, 1:], axis=0) + 1
    return metrics.ssim(found, truth, shape=(1, int(rows), int(columns)))


def nlls(reference, k):
    """NLLS with the object's own rule, F_p and PS of 5 mL/min/mL at most."""
    curves, truth, _ = part(reference, k)
    how = FitSettings(method=Method.NLLS, delay=Delay.FIXED, F_p_range=LIMIT_5, PS_range=LIMIT_5)
    begun = time.perf_counter()
    result = fit_nlls(curves, reference.aif, how, silent, convolution=rectangle)
    row = {
        "steps": 0,
        "loss": 0.0,
        "nmse": metrics.nmse(result.parameters, truth),
        "ssim": similarity(result.parameters, truth, curves),
    }
    return {"rows": [row], "seconds": time.perf_counter() - begun}, result.parameters


def cells(row):
    """NMSE of F_p / v_p / v_e / PS, all."""
    words = " / ".join(f"{row['nmse'][name]:.2f}" if name in row["nmse"] else "-" for name in NAMES)
    return words + (f", {row['nmse']['all']:.3f}" if whole(row["nmse"]) else "")


def whole(nmse):
    """Whether all four parameters are there, so that their mean can stand beside another's."""
    return all(name in nmse for name in NAMES)


def kept(recipe, method, k, seed):
    """Where a run is kept."""
    return place(method.value, recipe.words, recipe.steps, k, seed)


def there(recipe, method, seed):
    """The runs that were done, by slice."""
    found = {k: load(kept(recipe, method, k, seed)) for k in SLICES}
    return {k: run for k, run in found.items() if run}


def tell(section, seed):
    """The runs that are there beside what the paper prints, and the error against the step."""
    rows = list(dict.fromkeys([(AS_PRINTED, Method.NLLS), *((recipe, method) for recipe, method, _ in RUNS)]))
    say = section.table(["method", "loss", "slices", f"NMSE {ORDER}, all", "SSIM", "printed NMSE", "printed SSIM"])
    for recipe, method in rows:
        found = there(recipe, method, seed)
        if found:
            ends = [run["rows"][-1] for run in found.values()]
            loss = "" if method is Method.NLLS else f"{recipe.words}, {ends[0]['steps']} steps"
            printed = PRINTED_TABLE[method] if recipe is AS_PRINTED else ("", "")
            say(method.value, loss, ", ".join(f"{SLICES[k]:g}" for k in sorted(found)), *scores(ends), *printed)
    section.say("", "NMSE of F_p; of all four; the loss, after so many steps, mean of the same slices:")
    say = section.table(["method, loss", *STOPS])
    for recipe, method in rows:
        found = there(recipe, method, seed)
        if found and method is not Method.NLLS:
            say(f"{method.value}, {recipe.words}", *(at_step(found, stop) for stop in STOPS))


def scores(ends):
    """NMSE and SSIM, each the mean over the slices, in words."""
    mean = {name: np.mean([end["nmse"][name] for end in ends]) for name in ends[0]["nmse"]}
    alike = {name: np.mean([end["ssim"][name] for end in ends]) for name in ends[0]["ssim"]}
    return cells({"nmse": mean}), " / ".join(f"{alike[name]:.2f}" if name in alike else "-" for name in NAMES)


def at_step(found, stop):
    """After ``stop`` steps, means over the slices: NMSE of F_p, of all four where they are fitted, and the loss."""
    rows = [row for run in found.values() for row in run["rows"] if row["steps"] == stop]
    if not rows:
        return ""
    four = f"; {np.mean([r['nmse']['all'] for r in rows]):.2f}" if whole(rows[0]["nmse"]) else ""
    return f"{np.mean([r['nmse']['F_p'] for r in rows]):.2f}{four}; {np.mean([r['loss'] for r in rows]):.0e}"


def maps(reference, seed):
    """(words, parameters by name, NMSE and SSIM by name) of the runs of the picture's slice whose maps were kept."""
    for recipe, method in dict.fromkeys([(AS_PRINTED, Method.NLLS), *((recipe, method) for recipe, method, _ in RUNS)]):
        path = kept(recipe, method, DRAWN, seed)
        run, held = load(path), arrays(path)
        if run and held:
            loss = f"with the term,\n{recipe.layers} layers" if recipe.term else recipe.words
            words = "NLLS" if method is Method.NLLS else f"{method.value}\n{loss}"
            yield words, held, run["rows"][-1]


def main():
    """Do what is not done yet, for as long as is given; print the table."""
    own = parser(__doc__)
    own.add_argument("--minutes", type=float, default=np.inf, help="begin no run after these")
    own.add_argument("--seed", type=int, default=1)
    given = own.parse_args()
    end, reference = time.monotonic() + seconds_from_minutes(given.minutes), paper_object(seed=given.seed)
    for recipe, method, k in [*((AS_PRINTED, Method.NLLS, k) for k in SLICES), *RUNS]:
        path = kept(recipe, method, k, given.seed)
        if path.is_file() or time.monotonic() > end:
            continue
        print(f"{method.value}, {recipe.words}, slice PS = {SLICES[k]:g}", flush=True)
        run = nlls if method is Method.NLLS else partial(trained, recipe=recipe, method=method, seed=given.seed)
        figures, parameters = run(reference, k=k)
        save(path, figures, **dict(parameters.items()))
    done = [run for recipe, method, _ in RUNS for run in there(recipe, method, given.seed).values()]
    section = Section("table 1", f"Seed {given.seed}. {dates(done)}")
    tell(section, given.seed)
    if given.write:
        draw(list(maps(reference, given.seed)), part(reference, DRAWN)[1], ROOT / "docs" / PICTURE)
        section.picture(PICTURE, "Parameter maps of one slice of the paper's object: truth and methods")
        section.write()


if __name__ == "__main__":
    main()
