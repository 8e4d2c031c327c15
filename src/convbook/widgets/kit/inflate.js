// zlib's format, read at once. The browser's own DecompressionStream is asynchronous: all other
// scripts of the page have their turn first, and a figure that waits for it comes to life after
// them (in chapter 3-5-1 3.5 seconds later on a busy machine). Libraries (fflate, tiny-inflate) are
// two to three times as large as these lines, and would save 2 to 6 milliseconds in a page.

/**
 * How Huffman codes of these lengths (0: never used) are read: the symbols in the order of their
 * codes. RFC 1951, 3.2.2.
 */
function huffmanCode(lengths) {
  const counts = new Uint16Array(16); // of the codes of each length
  for (const length of lengths) if (length) counts[length] += 1;
  const used = Array.from(lengths, (_, symbol) => symbol).filter((symbol) => lengths[symbol]);
  return { counts, symbols: used.sort((a, b) => lengths[a] - lengths[b] || a - b) };
}

const repeated = (...runs) => runs.flatMap(([count, length]) => Array(count).fill(length));

const FIXED_CODES = [repeated([144, 8], [112, 9], [24, 7], [8, 8]), repeated([30, 5])].map(huffmanCode);

const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const COPY_LENGTHS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];

/** The `size` bytes that Python's zlib has deflated (RFC 1950, 1951). */
export function inflate(bytes, size) {
  const result = new Uint8Array(size);
  let written = 0;
  let next = 2; // behind the header
  let held = 0; // the bits that were read but not used yet, and how many
  let count = 0;
  const bits = (n) => {
    for (; count < n; count += 8) held |= bytes[next++] << count;
    const value = held & ((1 << n) - 1);
    held >>>= n;
    count -= n;
    return value;
  };
  const symbol = ({ counts, symbols }) => {
    let code = 0;
    let first = 0; // the first code of this length
    let shorter = 0; // the number of codes that are shorter
    for (let length = 1; ; length++) {
      code |= bits(1);
      if (code - first < counts[length]) return symbols[shorter + code - first];
      shorter += counts[length];
      first = 2 * (first + counts[length]);
      code *= 2;
    }
  };
  /** The codes that a block brings along: of the literals and lengths, and of the distances. */
  const ownCodes = () => {
    const [literals, distances, known] = [bits(5) + 257, bits(5) + 1, bits(4) + 4];
    const few = Array(19).fill(0);
    for (const place of CODE_LENGTH_ORDER.slice(0, known)) few[place] = bits(3);
    const code = huffmanCode(few);
    const lengths = [];
    while (lengths.length < literals + distances) {
      const s = symbol(code);
      if (s < 16) lengths.push(s);
      else if (s === 16) lengths.push(...Array(3 + bits(2)).fill(lengths.at(-1)));
      else lengths.push(...Array(s === 17 ? 3 + bits(3) : 11 + bits(7)).fill(0));
    }
    return [lengths.slice(0, literals), lengths.slice(literals)].map(huffmanCode);
  };
  let last = 0;
  while (!last) {
    last = bits(1);
    const kind = bits(2);
    if (kind === 0) { // stored as it is, from the next whole byte on; its length stands there twice
      const length = bytes[next] + 256 * bytes[next + 1];
      result.set(bytes.subarray(next + 4, next + 4 + length), written);
      [written, next, held, count] = [written + length, next + 4 + length, 0, 0];
      continue;
    }
    const [literals, distances] = kind === 1 ? FIXED_CODES : ownCodes();
    for (let s = symbol(literals); s !== 256; s = symbol(literals)) {
      if (s < 256) { result[written++] = s; continue; }
      const i = s - 257;
      let length = COPY_LENGTHS[i] + (i < 8 || i === 28 ? 0 : bits((i >> 2) - 1));
      const d = symbol(distances);
      const back = d < 4 ? d + 1 : 2 ** ((d >> 1) - 1) * (2 + d % 2) + 1 + bits((d >> 1) - 1);
      for (; length; length--) { result[written] = result[written - back]; written += 1; }
    }
  }
  return result;
}
