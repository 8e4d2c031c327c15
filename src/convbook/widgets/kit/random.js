// Random numbers that are the same each time.

/** Random numbers from 0 to 1, the same for the same seed: Tommy Ettinger's mulberry32. */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Numbers from a source like `seededRandom`: {uniform(n), normal(n)}, arrays of n from 0 to 1, or
 * of normal ones with variance 1 (Box and Muller), two from two.
 */
export function draws(random) {
  return {
    uniform: (n) => Float64Array.from({ length: n }, random),
    normal(n) {
      const values = new Float64Array(n);
      for (let i = 0; i < n; i += 2) {
        const radius = Math.sqrt(-2 * Math.log(1 - random()));
        const angle = 2 * Math.PI * random();
        values[i] = radius * Math.cos(angle);
        if (i + 1 < n) values[i + 1] = radius * Math.sin(angle);
      }
      return values;
    },
  };
}
