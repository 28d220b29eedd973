// The other side of interop_test.go: didcomm-node, which is didcomm-rust in WASM. It
// reads one request in JSON from each line of its input and writes one answer,
// {"ok": true, "value": ...} or {"ok": false, "error": "..."}. A request brings the
// documents of both parties and the private keys of the one that acts.
import { createInterface } from 'node:readline';
import didcomm from 'didcomm-node';

const operations = {
  // A message encrypted, or only signed, as the options say.
  async pack({ message, to, from, sign, hide, enc, forward, documents, secrets }) {
    const m = new didcomm.Message(message);
    const [resolver, keys] = [resolverOf(documents), keysOf(secrets)];
    if (to === undefined) return (await m.pack_signed(sign, resolver, keys))[0];
    const options = { forward: forward === true, protect_sender: hide === true };
    if (enc !== undefined) options.enc_alg_anon = enc;
    return (await m.pack_encrypted(to, from ?? null, sign ?? null, resolver, keys, options))[0];
  },

  async unpack({ envelope, documents, secrets }) {
    const [m, metadata] = await didcomm.Message.unpack(envelope, resolverOf(documents), keysOf(secrets), {});
    return { message: m.as_value(), metadata };
  },

  // The JWT by which iss says that it is sub from now on.
  async fromPrior({ claims, kid, documents, secrets }) {
    return (await new didcomm.FromPrior(claims).pack(kid, resolverOf(documents), keysOf(secrets)))[0];
  },
};

function resolverOf(documents) {
  return { resolve: async (did) => documents.find((d) => d.id === did) ?? null };
}

function keysOf(secrets) {
  return {
    get_secret: async (id) => secrets.find((s) => s.id === id) ?? null,
    find_secrets: async (ids) => ids.filter((id) => secrets.some((s) => s.id === id)),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { operation, ...request } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: true, value: await operations[operation](request) };
  } catch (e) {
    if (!operations[operation]) throw e;
    answer = { ok: false, error: String(e) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
