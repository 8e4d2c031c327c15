// A GAN in the plane: both networks, and the turns in which they are trained. The same as Python's
// convbook.training.adversarial with the networks of convbook.models.gan; the tests compare them.
import { adam, backward, clear, denseNetwork, forward } from "../kit/dense.js";
import { draws, seededRandom } from "../kit/random.js";

export const HIDDEN = 32; // numbers in each hidden layer
export const BATCH = 64;
export const PROBE = 500; // points that V is measured on
const PROBE_SEED = 4711;
const BETAS = [0.5, 0.999];

/** The beginning of a game. */
export function newGame(seed) {
  const random = draws(seededRandom(seed));
  return {
    random, turns: 0,
    generator: denseNetwork([2, HIDDEN, HIDDEN, 2], 0, random.normal),
    discriminator: denseNetwork([2, HIDDEN, HIDDEN, 1], 0.2, random.normal),
  };
}

const sigmoid = (s) => (1 + Math.tanh(s / 2)) / 2;
/** −log D of a score, without overflow; −log(1 − D) is that of the negative score. */
const cost = (s) => Math.max(-s, 0) + Math.log1p(Math.exp(-Math.abs(s)));
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

export const generated = ({ generator }, z) => forward(generator, z, z.length / 2).y;
export const scored = ({ discriminator }, x) => forward(discriminator, x, x.length / 2).y;

/** The discriminator learns to tell `real` from `fake`; returns its loss before the step. */
function teachDiscriminator({ discriminator }, real, fake, rate) {
  clear(discriminator);
  const n = real.length / 2;
  const loss = [[real, 1], [fake, -1]].reduce((sum, [x, sign]) => {
    const { y, inputs } = forward(discriminator, x, n);
    backward(discriminator, inputs, y.map((s) => -sign * sigmoid(-sign * s) / n), n);
    return sum + mean(y.map((s) => cost(sign * s)));
  }, 0);
  adam(discriminator, rate, BETAS);
  return loss;
}

/** The generator's loss for the discriminator's scores, and its gradient. */
function generatorLoss(scores, saturating) {
  const n = scores.length;
  return saturating
    ? { loss: -mean(scores.map((s) => cost(-s))), slope: scores.map((s) => -sigmoid(s) / n) }
    : { loss: mean(scores.map(cost)), slope: scores.map((s) => -sigmoid(-s) / n) };
}

/** The generator learns to deceive the discriminator, which stays as it is. */
function teachGenerator({ generator, discriminator }, z, rate, saturating) {
  clear(generator);
  const n = z.length / 2;
  const made = forward(generator, z, n);
  const read = forward(discriminator, made.y, n);
  const { loss, slope } = generatorLoss(read.y, saturating);
  const dFake = backward(discriminator, read.inputs, slope, n, { through: true });
  backward(generator, made.inputs, dFake, n);
  adam(generator, rate, BETAS);
  return loss;
}

/**
 * One turn: `dSteps` steps of the discriminator, then `gSteps` of the generator; returns both
 * losses. `cloud(n, random)` draws real points.
 */
export function turn(game, cloud, { dRate, gRate, dSteps, gSteps, saturating }) {
  const { random } = game;
  const real = cloud(BATCH * dSteps, random);
  let dLoss;
  let gLoss;
  for (let k = 0; k < dSteps; k++) {
    const fake = generated(game, random.normal(2 * BATCH));
    dLoss = teachDiscriminator(game, real.subarray(2 * BATCH * k, 2 * BATCH * (k + 1)), fake, dRate);
  }
  for (let k = 0; k < gSteps; k++) gLoss = teachGenerator(game, random.normal(2 * BATCH), gRate, saturating);
  game.turns += 1;
  return { dLoss, gLoss };
}

/** What V, D(x) and D(G(z)) are measured on: always the same points. */
export function probeOf(cloud) {
  const random = draws(seededRandom(PROBE_SEED));
  const real = cloud(PROBE, random);
  return { real, z: random.normal(2 * PROBE) };
}

/** V = mean of log D(x) + mean of log(1 − D(G(z))), and the means of D itself. */
export function measure(game, { real, z }) {
  const [onReal, onFake] = [scored(game, real), scored(game, generated(game, z))];
  return {
    v: -mean(onReal.map(cost)) - mean(onFake.map((s) => cost(-s))),
    dReal: mean(onReal.map(sigmoid)), dFake: mean(onFake.map(sigmoid)),
  };
}

/** Where the generator's loss would move each of its points: minus the gradient, times their number. */
export function pulls(game, fake, saturating) {
  const n = fake.length / 2;
  const { y, inputs } = forward(game.discriminator, fake, n);
  const { slope } = generatorLoss(y, saturating);
  return backward(game.discriminator, inputs, slope, n, { through: true }).map((d) => -n * d);
}

/** D over a grid of size × size places, row by row from the top; `reach` is the edge of the plane. */
export function field(game, size, reach) {
  const at = (k) => reach * ((2 * k + 1) / size - 1);
  const places = Float64Array.from({ length: 2 * size * size }, (_, i) => {
    const cell = i >> 1;
    return i % 2 ? -at(Math.floor(cell / size)) : at(cell % size);
  });
  return scored(game, places).map(sigmoid);
}
