// Worker: finds a whole number n so that SHA-256 of "<challenge>:<n>" begins with `bits` zero bits.
// Plain JavaScript, because crypto.subtle exists only on secure origins and is slow for short texts.
const K = new Uint32Array(64);
const START = new Uint32Array(8);
{
  let found = 0;
  const composite = {};
  for (let candidate = 2; found < 64; candidate++) {
    if (composite[candidate]) continue;
    for (let multiple = candidate * candidate; multiple < 313; multiple += candidate) composite[multiple] = true;
    if (found < 8) START[found] = ((candidate ** 0.5) % 1) * 2 ** 32;
    K[found++] = ((candidate ** (1 / 3)) % 1) * 2 ** 32;
  }
}
const W = new Uint32Array(64);

function compress(state, block, offset) {
  for (let i = 0; i < 16; i++) {
    const at = offset + 4 * i;
    W[i] = (block[at] << 24) | (block[at + 1] << 16) | (block[at + 2] << 8) | block[at + 3];
  }
  for (let i = 16; i < 64; i++) {
    const x = W[i - 15], y = W[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[i] = W[i - 16] + s0 + W[i - 7] + s1;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
  }
  state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

function padded(text) {
  const bytes = new TextEncoder().encode(text);
  const block = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64);
  block.set(bytes);
  block[bytes.length] = 0x80;
  new DataView(block.buffer).setUint32(block.length - 4, bytes.length * 8);
  return block;
}

function zeroBits(text) {
  const state = START.slice(), block = padded(text);
  for (let offset = 0; offset < block.length; offset += 64) compress(state, block, offset);
  return state[0] ? Math.clz32(state[0]) : 32 + Math.clz32(state[1]);
}

onmessage = ({ data: { challenge, bits } }) => {
  for (let number = 0; ; number++) {
    if (zeroBits(`${challenge}:${number}`) >= bits) return postMessage(String(number));
  }
};
