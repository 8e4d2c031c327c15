// What the layers of a network do to the shape of a picture, what they cost, and where they refuse.
// A network is what Python's `described` makes of it: [name, operation, field] for a layer, and
// [name, class, parts, field] for a container. Shapes are [channels, rows, columns], or [numbers].
import { outputSize } from "./arithmetic.js";

const pair = (v) => (Array.isArray(v) ? v : [v, v]);
const sides = (v) => (Array.isArray(v) ? v : [[v, v], [v, v]]);
const product = (shape) => shape.reduce((a, b) => a * b, 1);
const same = (a, b) => a.length === b.length && a.every((n, i) => n === b[i]);

export const by = (shape) => shape.join(" × ");
export const grouped = (n) => n.toLocaleString("en-US");

/** What a layer cannot do: the message says why. */
class Refusal extends Error {}

/** The shape after a window has slid over a picture. */
function slide([c, h, w], channels, kernel, stride, padding, dilation = 1) {
  const [k, s, p, d] = [pair(kernel), pair(stride), sides(padding), pair(dilation)];
  const size = [h, w].map((n, i) => outputSize(n + p[i][0] + p[i][1], k[i], s[i], 0, d[i]));
  if (Math.min(...size) < 1) {
    const around = p.flat().some((n) => n) ? " with its padding" : "";
    throw new Refusal(`The window of ${by(k)} does not fit into ${by([h, w])}${around}.`);
  }
  return [channels ?? c, ...size];
}

const square = (kernel) => pair(kernel).reduce((a, b) => a * b);

/**
 * The operations: `shape(inputs, settings, state)`, `parameters(settings)`, and how many
 * multiplications there are for each number of the output (`each`) or of the input (`eachInput`).
 */
const OPERATIONS = {
  conv: {
    shape: ([x], [, oc, , , k, s, p, d]) => slide(x, oc, k, s, p, d),
    parameters: ([c, oc, groups, bias, k]) => oc * (c / groups) * square(k) + bias * oc,
    each: ([c, , groups, , k]) => (c / groups) * square(k),
  },
  up: {
    shape: ([[, ...x]], [, oc, , , k, s, p, more]) => [oc, ...x.map((n, i) =>
      (n - 1) * pair(s)[i] + pair(k)[i] - sides(p)[i][0] - sides(p)[i][1] + pair(more)[i])],
    parameters: ([c, oc, groups, bias, k]) => c * (oc / groups) * square(k) + bias * oc,
    eachInput: ([, oc, groups, , k]) => (oc / groups) * square(k),
  },
  max: { shape: ([x], [k, s, p]) => slide(x, null, k, s, p) },
  average: { shape: ([x], [k, s, p]) => slide(x, null, k, s, p) },
  unpool: { shape: ([[c]], [pool], state) => [c, ...state.inputs[pool].slice(1)] },
  linear: {
    shape: ([x], [inputs, outputs], state) => {
      const arriving = product(x);
      if (arriving !== inputs && !state.rebuild) {
        const from = state.flattened ? `${by(state.flattened)} = ` : "";
        throw new Refusal(`Its weights are for ${grouped(inputs)} numbers, but from this picture come `
          + `${from}${grouped(arriving)}. A fully connected layer has weights of its own for every place of `
          + "the picture, so it fixes the picture's size. Convolutions and poolings do not.");
      }
      return [outputs];
    },
    parameters: ([inputs, outputs, bias], x) => (x ? product(x) : inputs) * outputs + bias * outputs,
    each: ([inputs], x) => (x ? product(x) : inputs),
  },
  norm: {
    shape: ([x], [kind]) => {
      if (kind === "InstanceNorm2d" && x[1] * x[2] < 2) throw new Refusal("One pixel has no variance.");
      return x;
    },
    parameters: ([, channels]) => 2 * channels,
    each: () => 1,
  },
  enlarge: { shape: ([[c, ...x]], [factor]) => [c, ...x.map((n, i) => n * pair(factor)[i])] },
  shrink: { shape: ([[, ...x]], [s, channels]) => [channels, ...x.map((n) => Math.ceil(n / s))] },
  reshape: {
    shape: ([x], [shape]) => {
      const known = product(shape.filter((n) => n !== -1));
      const rest = product(x) / known;
      if (!Number.isInteger(rest) || (!shape.includes(-1) && rest !== 1)) {
        throw new Refusal(`${grouped(product(x))} numbers cannot be given the shape ${by(shape)}.`);
      }
      return shape.map((n) => (n === -1 ? rest : n));
    },
  },
  concat: {
    shape: (xs) => {
      if (xs.some((x) => !same(x.slice(1), xs[0].slice(1)))) {
        throw new Refusal(`Only arrays of one size can be laid behind each other; these are ${xs.map(by).join(" and ")}.`);
      }
      return [xs.reduce((sum, x) => sum + x[0], 0), ...xs[0].slice(1)];
    },
  },
  add: { shape: (xs) => equal(xs) },
  flatten: { shape: ([x], _, state) => { state.flattened = x; return [product(x)]; } },
  global: { shape: ([[c]]) => [c] },
  same: { shape: (xs) => xs[0] },
};

function equal(xs) {
  if (xs.some((x) => !same(x, xs[0]))) {
    throw new Refusal(`Only arrays of one shape can be added; these are ${xs.map(by).join(" and ")}.`);
  }
  return xs[0];
}

/** How containers hand arrays on: `run(part, inputs)` runs the part of a number or name. */
const CONTAINERS = {
  Sequential: (xs, parts, run) => parts.reduce((ys, part) => run(part, ys), xs),
  Frozen: (xs, [body], run) => run(body, xs),
  Residual: (xs, [body, shortcut], run) => {
    const ways = [...run(body, xs), ...run(shortcut, xs)];
    return ways.includes(null) ? [null] : [equal(ways)];
  },
  Branches: (xs, parts, run) => parts.flatMap((part) => run(part, xs)),
  Skip: (xs, [body, join], run) => run(join, [...xs, ...run(body, xs)]),
  SharedBody: (xs, [body, ...heads], run) => {
    const features = run(body, xs);
    const ys = heads.flatMap((head) => run(head, features));
    return ys.includes(null) ? [null] : [[ys.reduce((sum, y) => sum + y[0], 0), ...ys[0].slice(1)]];
  },
};

/** The input's shape for pictures of `size` rows; the columns keep their share. */
export function inputAt(input, size) {
  const [c, h, w] = input;
  return input.length === 3 ? [c, size, Math.max(1, Math.round((w * size) / h))] : input;
}

/**
 * A network at work on a picture of this size: the outermost of its nodes, each with path, name,
 * operation (or `container`), settings, parts, field, inputs, shape (null where nothing arrives),
 * parameters, multiplications, and `refusal`, why it cannot go on. With `rebuild`, fully connected
 * layers are made anew for what arrives.
 */
export function evaluate({ tree, input, fixed }, size, rebuild = false) {
  const state = { inputs: {}, flattened: null, rebuild };

  function recorded([name, what, ...rest], path) {
    if (typeof what === "string") {
      const [parts, field, shape] = rest;
      return totals({ path, name, container: what, field, shape, parts: parts.map((part) => recorded(part, join(path, part[0]))) });
    }
    const [field, shape, parameters, multiplications] = rest;
    return { path, name, operation: what[0], settings: what.slice(1), parts: [], field, shape, parameters, multiplications };
  }
  function run(described, path, xs) {
    const [name, what, inside] = described;
    if (typeof what === "string") return runContainer(described, path, xs);
    const [operation, ...settings] = what;
    const node = { path, name, operation, settings, parts: [], field: inside, inputs: xs };
    const { shape, parameters, each, eachInput } = OPERATIONS[operation];
    const arrived = !xs.includes(null);
    try {
      if (arrived) state.inputs[path] = xs[0];
      node.shape = arrived ? shape(xs, settings, state) : null;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      node.shape = null;
      node.refusal = error.message;
    }
    const x = node.shape && xs[0];
    node.parameters = parameters ? parameters(settings, x) : 0;
    node.multiplications = (node.shape && each ? product(node.shape) * each(settings, x) : 0)
      + (node.shape && eachInput ? product(x) * eachInput(settings) : 0);
    return [node, [node.shape]];
  }
  function runContainer([name, container, inside, field], path, xs) {
    const parts = [];
    const node = { path, name, container, parts, field, inputs: xs };
    const step = (part, inputs) => {
      const [made, ys] = run(part, join(path, part[0]), inputs);
      parts.push(made);
      return ys;
    };
    let ys;
    try {
      ys = CONTAINERS[container](xs, inside, step);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      node.refusal = error.message;
      ys = [null];
    }
    node.shape = ys.includes(null) ? null : ys.length === 1 ? ys[0] : ys; // of several, a list
    return [totals(node), ys];
  }
  return fixed ? recorded(tree, "") : run(tree, "", [inputAt(input, size)])[0];
}

const join = (path, name) => (path ? `${path}.${name}` : name);

function totals(node) {
  for (const key of ["parameters", "multiplications"]) node[key] = node.parts.reduce((sum, part) => sum + part[key], 0);
  return node;
}

/** All layers inside a node that are not made of others, in order. */
export const leaves = (node) => (node.parts.length ? node.parts.flatMap(leaves) : [node]);

/** The first node that refuses what it is given, if there is one. */
export const firstRefusal = (node) => node.parts.map(firstRefusal).find(Boolean) ?? (node.refusal ? node : undefined);
