// The other side of interop_test.go: npm jose and @sd-jwt/sd-jwt-vc. It reads one
// request in JSON from each line of its input and writes one answer,
// {"ok": true, "value": ...} or {"ok": false, "error": "..."}.
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from 'node:crypto';
import { createInterface } from 'node:readline';
import { CompactSign, SignJWT, compactVerify, decodeProtectedHeader, importJWK, jwtVerify } from 'jose';
import { SDJwtVcInstance } from '@sd-jwt/sd-jwt-vc';

const operations = {
  // jose: a JWT of the payload, signed with a private JWK.
  async signJWT({ header, payload, jwk }) {
    return new SignJWT(payload).setProtectedHeader(header).sign(await importJWK(jwk, header.alg));
  },

  // jose: the payload of a JWT, if it is genuine, of the type, of the issuer and now valid.
  async verifyJWT({ token, jwk, alg, typ, issuer, audience, now }) {
    const key = await importJWK(jwk, alg);
    const options = { algorithms: [alg], typ, issuer, audience, currentDate: new Date(now * 1000) };
    const { payload, protectedHeader } = await jwtVerify(token, key, options);
    return { payload, header: protectedHeader };
  },

  // jose: any bytes as the payload of a compact JWS, which need not be a JWT.
  async signBytes({ header, base64, jwk }) {
    return new CompactSign(Buffer.from(base64, 'base64')).setProtectedHeader(header).sign(await importJWK(jwk, header.alg));
  },

  async verifyBytes({ token, jwk, alg }) {
    const { payload } = await compactVerify(token, await importJWK(jwk, alg), { algorithms: [alg] });
    return { base64: Buffer.from(payload).toString('base64'), header: decodeProtectedHeader(token) };
  },

  // @sd-jwt/sd-jwt-vc: an SD-JWT VC with the disclosures of the frame.
  async issueSDJWT({ header, payload, frame, jwk }) {
    return instance({ alg: header.alg, issuer: jwk }).issue(payload, frame, { header });
  },

  // @sd-jwt/sd-jwt-vc: what the frame says of an SD-JWT VC, bound to the holder's key.
  async presentSDJWT({ token, frame, holder, alg, audience, nonce, now }) {
    const kb = { payload: { aud: audience, nonce, iat: now } };
    return instance({ holder, holderAlg: alg }).present(token, frame, { kb });
  },

  // @sd-jwt/sd-jwt-vc: the processed payload. The library checks the signatures, the
  // disclosures, the times, the nonce and sd_hash; audience and typ are left to its
  // caller.
  async verifySDJWT({ token, jwk, audience, nonce, now }) {
    const { payload, header, kb } = await instance({ issuer: jwk }).verify(token, { keyBindingNonce: nonce, currentDate: now });
    if (header.typ !== 'dc+sd-jwt') throw new Error('typ');
    if (nonce !== undefined && (kb.payload.aud !== audience || kb.header.typ !== 'kb+jwt')) throw new Error('aud or typ of the key binding');
    return { payload, header, kb: kb?.payload };
  },
};

function instance({ alg, issuer, holder, holderAlg }) {
  return new SDJwtVcInstance({
    signer: issuer?.d && ((data) => signature(data, issuer)),
    signAlg: alg,
    verifier: (data, sig) => genuine(data, sig, issuer),
    kbSigner: holder && ((data) => signature(data, holder)),
    kbSignAlg: holderAlg,
    kbVerifier: (data, sig, payload) => genuine(data, sig, payload.cnf.jwk),
    hasher: (data, alg) => new Uint8Array(createHash(alg.replace('-', '')).update(Buffer.from(data)).digest()),
    hashAlg: 'sha-256',
    saltGenerator: (n) => randomBytes(n).toString('base64url'),
  });
}

const digests = { Ed25519: null, 'P-256': 'sha256', 'P-384': 'sha384' };

function signature(data, jwk) {
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  return sign(digests[jwk.crv], Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

function genuine(data, sig, jwk) {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return verify(digests[jwk.crv], Buffer.from(data), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(sig, 'base64url'));
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
