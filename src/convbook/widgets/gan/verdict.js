// What a state of the game means, in a sentence.

const [NEAR, LEAST_SHARE] = [0.45, 0.02]; // of a cloud of the ring
const [WRONG, SWING] = [-2.5, 0.15]; // of V
const centres = Array.from({ length: 8 }, (_, k) => [2 * Math.cos(k * Math.PI / 4), 2 * Math.sin(k * Math.PI / 4)]);

/** How many of the ring's eight clouds the points have found. */
export function modesOf(points) {
  const n = points.length / 2;
  const counts = centres.map(([x, y]) => {
    let count = 0;
    for (let i = 0; i < n; i++) count += Math.hypot(points[2 * i] - x, points[2 * i + 1] - y) < NEAR;
    return count;
  });
  return counts.filter((count) => count >= LEAST_SHARE * n).length;
}

/** [kind, sentence] for what was measured; `recent` are the last values of V, v among them. */
export function verdictOf({ turns, v, recent, dReal, dFake, fake, pulls, cloud }) {
  if (!Number.isFinite(v) || !pulls.every(Number.isFinite) || fake.some((x) => Math.abs(x) > 1e6))
    return ["lost", "The numbers have left all bounds: the learning rates are too large. Lower them, and press Reset."];
  if (!turns) return ["start", "Nothing is learned yet. Press Run."];
  const n = pulls.length / 2;
  let pull = 0;
  for (let i = 0; i < n; i++) pull += Math.hypot(pulls[2 * i], pulls[2 * i + 1]) / n;
  if (dReal > 0.9 && dFake < 0.02 && pull < 0.05)
    return ["frozen", `D is sure of everything, and its gradient reaches G as ${pull.toExponential(1).replace("-", "−")}: G hardly hears what to change. Slow D down, or let G minimise −log D.`];
  const modes = cloud === "ring" ? modesOf(fake) : 8;
  if (modes < 6 && turns >= 200)
    return ["collapse", `G makes points in ${modes} of the 8 clouds: the other ones it leaves out. Give D more steps, or G fewer.`];
  if (turns > 20 && v < WRONG) return ["wild", "D is wrong, and very sure of it: each step overshoots. Lower the learning rates."];
  const swing = Math.max(...recent) - Math.min(...recent);
  if (turns > 50 && swing > SWING)
    return ["swing", `V swings by ${swing.toFixed(2)}: what one side learns, the other one undoes. Lower the learning rates, or let them fall.`];
  if (Math.abs(v + 2 * Math.LN2) < 0.05) return ["balance", "Balance: V is within 0.05 of −2 log 2, and D can hardly tell one from the other."];
  if (dReal - dFake > 0.5) return ["ahead", "D is ahead: it tells most points apart. G learns from its gradient."];
  return ["close", "D can tell some points apart, and G follows."];
}
