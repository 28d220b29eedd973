// The other side of the tests in this folder: the Data Integrity packages of Digital
// Bazaar. It reads one request in JSON from each line of its input and writes one
// answer, {"ok": true, "value": ...} or {"ok": false, "error": "..."}. Documents come
// and go as text, so that one which is no JSON is refused here. Nothing is fetched.
import { createInterface } from 'node:readline';
import * as vc from '@digitalbazaar/vc';
import jsigs from 'jsonld-signatures';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import { cryptosuite as eddsaRDFC } from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import { cryptosuite as ecdsaRDFC } from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';
import * as eddsaJCS from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as ecdsaJCS from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as ecdsaSD from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import * as bbs from '@digitalbazaar/bbs-2023-cryptosuite';
import { Ed25519Signature2020 } from '@digitalbazaar/ed25519-signature-2020';
import { Ed25519Signature2018 } from '@digitalbazaar/ed25519-signature-2018';
import { Ed25519VerificationKey2018 } from '@digitalbazaar/ed25519-verification-key-2018';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Bls12381Multikey from '@digitalbazaar/bls12-381-multikey';
import { driver } from '@digitalbazaar/did-method-key';
import * as credentialsContext from '@digitalbazaar/credentials-context';
import dataIntegrityContext from '@digitalbazaar/data-integrity-context';
import multikeyContext from '@digitalbazaar/multikey-context';
import didContext from 'did-context';
import context2018 from 'ed25519-signature-2018-context';
import context2020 from 'ed25519-signature-2020-context';

const contexts = new Map([credentialsContext, dataIntegrityContext, multikeyContext, didContext, context2018, context2020]
  .flatMap((p) => [...p.contexts]));

const didKey = driver();
for (const [header, { from }] of [['z6Mk', Ed25519Multikey], ['zDna', EcdsaMultikey], ['z82L', EcdsaMultikey], ['zUC7', Bls12381Multikey]]) {
  didKey.use({ multibaseMultikeyHeader: header, fromMultibase: from });
}

async function documentLoader(url) {
  let document = contexts.get(url);
  if (!document && url.startsWith('did:key:')) document = await didKey.get({ url });
  if (!document) throw new Error('unknown document: ' + url);
  return { contextUrl: null, documentUrl: url, document };
}

// The suite of 2018 takes keys of its own kind alone.
async function documentLoader2018(url) {
  const loaded = await documentLoader(url);
  if (!url.includes('#')) return loaded;
  const { id, controller, publicKeyMultibase } = loaded.document;
  const key = Ed25519VerificationKey2018.fromFingerprint({ fingerprint: publicKeyMultibase });
  const document = { ...key.export({ publicKey: true }), '@context': context2018.constants.CONTEXT_URL, id, controller };
  return { ...loaded, document };
}

const keys = new Map();

const newKey = {
  Ed25519: () => Ed25519Multikey.generate(),
  'P-256': () => EcdsaMultikey.generate({ curve: 'P-256' }),
  'P-384': () => EcdsaMultikey.generate({ curve: 'P-384' }),
  BLS12381: () => Bls12381Multikey.generateBbsKeyPair({ algorithm: Bls12381Multikey.ALGORITHMS.BBS_BLS12381_SHA256 }),
};

const dataIntegrity = {
  'eddsa-rdfc-2022': { signing: () => eddsaRDFC, verifying: () => eddsaRDFC },
  'ecdsa-rdfc-2019': { signing: () => ecdsaRDFC, verifying: () => ecdsaRDFC },
  'eddsa-jcs-2022': { signing: eddsaJCS.createSignCryptosuite, verifying: eddsaJCS.createVerifyCryptosuite },
  'ecdsa-jcs-2019': { signing: ecdsaJCS.createSignCryptosuite, verifying: ecdsaJCS.createVerifyCryptosuite },
  'ecdsa-sd-2023': { signing: ecdsaSD.createSignCryptosuite, verifying: ecdsaSD.createVerifyCryptosuite, deriving: ecdsaSD.createDiscloseCryptosuite },
  'bbs-2023': { signing: bbs.createSignCryptosuite, verifying: bbs.createVerifyCryptosuite, deriving: bbs.createDiscloseCryptosuite },
};

function signing({ suite, key, now, mandatory }) {
  const date = new Date(now), pair = keys.get(key);
  switch (suite) {
    case 'Ed25519Signature2020':
      return new Ed25519Signature2020({ signer: pair.signer(), date });
    case 'Ed25519Signature2018':
      return new Ed25519Signature2018({ signer: pair.signer(), date });
  }
  return new DataIntegrityProof({ signer: pair.signer(), date, cryptosuite: dataIntegrity[suite].signing({ mandatoryPointers: mandatory }) });
}

function verifying({ presentationHeader }) {
  const expectedPresentationHeader = presentationHeader && Buffer.from(presentationHeader, 'base64');
  return [
    ...Object.values(dataIntegrity).map((s) => new DataIntegrityProof({ cryptosuite: s.verifying({ expectedPresentationHeader }) })),
    new Ed25519Signature2020(), new Ed25519Signature2018(),
  ];
}

const loader = ({ suite }) => suite === 'Ed25519Signature2018' ? documentLoader2018 : documentLoader;

// The library accepts a document if one of its proofs is good. This asks for all of
// them, unless any will do.
function all({ verified, error, results = [] }, any) {
  if (!verified) throw deepest(error);
  for (const r of results) if (!r.verified && !any) throw deepest(r.error);
  return { proofs: results.length };
}

function deepest(error) {
  while (error?.errors?.length || error?.cause) error = error.errors?.[0] ?? error.cause;
  return error ?? new Error('not verified');
}

const operations = {
  // Context documents by their URL, besides those of the packages.
  async contexts({ documents }) {
    for (const [url, text] of Object.entries(documents)) contexts.set(url, JSON.parse(text));
    return true;
  },

  async key({ type }) {
    const pair = await newKey[type]();
    pair.controller = 'did:key:' + pair.publicKeyMultibase;
    pair.id = pair.controller + '#' + pair.publicKeyMultibase;
    keys.set(pair.id, pair);
    return { did: pair.controller, id: pair.id };
  },

  async issue(request) {
    const credential = JSON.parse(request.document);
    return JSON.stringify(await vc.issue({ credential, suite: signing(request), documentLoader: loader(request), now: request.now }));
  },

  // Another proof on a credential that has one.
  async add(request) {
    const purpose = new jsigs.purposes.AssertionProofPurpose();
    return JSON.stringify(await jsigs.sign(JSON.parse(request.document), { suite: signing(request), purpose, documentLoader }));
  },

  async derive({ suite, document, reveal, presentationHeader }) {
    const cryptosuite = dataIntegrity[suite].deriving({
      selectivePointers: reveal,
      presentationHeader: presentationHeader && new Uint8Array(Buffer.from(presentationHeader, 'base64')),
    });
    return JSON.stringify(await vc.derive({ verifiableCredential: JSON.parse(document), suite: new DataIntegrityProof({ cryptosuite }), documentLoader }));
  },

  // That a base proof of ecdsa-sd-2023 is the issuer's.
  async confirm({ document, now }) {
    const suite = new DataIntegrityProof({ cryptosuite: ecdsaSD.createConfirmCryptosuite() });
    return all(await vc.verifyCredential({ credential: JSON.parse(document), suite, documentLoader, now }));
  },

  async verify(request) {
    const { document, now, any } = request;
    return all(await vc.verifyCredential({ credential: JSON.parse(document), suite: verifying(request), documentLoader: loader(request), now }), any);
  },

  async present(request) {
    const { document, domain, challenge } = request;
    const presentation = JSON.parse(document);
    return JSON.stringify(await vc.signPresentation({ presentation, domain, challenge, suite: signing(request), documentLoader: loader(request) }));
  },

  async verifyPresentation(request) {
    const { document, domain, challenge, now, unsigned } = request;
    const presentation = JSON.parse(document);
    const result = await vc.verify({ presentation, domain, challenge, now, unsignedPresentation: unsigned, suite: verifying(request), documentLoader: loader(request) });
    if (!result.verified) throw deepest(result.error);
    for (const r of result.credentialResults) all(r);
    return { credentials: result.credentialResults.length, proofs: result.presentationResult?.results.length ?? 0 };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { operation, ...request } = JSON.parse(line);
  if (!operations[operation]) throw new Error(operation);
  let answer;
  try {
    answer = { ok: true, value: await operations[operation](request) };
  } catch (e) {
    answer = { ok: false, error: String(deepest(e)?.message ?? e) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
