// The keys of an agent: those of @credo-ts/node, and the boxes of NaCl that the envelopes
// of RFC 0019 are made of, which it leaves to native code.
import sodium from 'libsodium-wrappers'
import { Kms } from '@credo-ts/core'
import { NodeKeyManagementService } from '@credo-ts/node'

await sodium.ready

const bytes = (text) => Uint8Array.from(Buffer.from(text, 'base64url'))
const isBox = (agreement, cipher) => agreement?.algorithm === 'ECDH-HSALSA20' && cipher?.algorithm === 'XSALSA20-POLY1305'

export class Keys extends NodeKeyManagementService {
  #stored
  constructor(stored) {
    super(stored)
    this.#stored = stored
  }

  isOperationSupported(context, wanted) {
    const cipher = { encrypt: wanted.encryption, decrypt: wanted.decryption }[wanted.operation]
    return isBox(wanted.keyAgreement, cipher) || super.isOperationSupported(context, wanted)
  }

  // pair returns a key as X25519; keys that sign are turned into it.
  async #pair(context, keyId) {
    const jwk = await this.#stored.get(context, keyId)
    if (!jwk) throw new Kms.KeyManagementKeyNotFoundError(keyId, [this.backend])
    const [secret, open] = [bytes(jwk.d), bytes(jwk.x)]
    if (jwk.crv === 'X25519') return { secret, open }
    const turned = sodium.crypto_sign_ed25519_sk_to_curve25519(Buffer.concat([secret, open]))
    return { secret: turned, open: sodium.crypto_scalarmult_base(turned) }
  }

  async encrypt(context, wanted) {
    const agreement = wanted.key.keyAgreement
    if (!isBox(agreement, wanted.encryption)) return super.encrypt(context, wanted)
    const [data, to] = [Uint8Array.from(wanted.data), bytes(agreement.externalPublicJwk.x)]
    if (!agreement.keyId) return { encrypted: sodium.crypto_box_seal(data, to) }
    const iv = sodium.randombytes_buf(sodium.crypto_box_NONCEBYTES)
    return { encrypted: sodium.crypto_box_easy(data, iv, to, (await this.#pair(context, agreement.keyId)).secret), iv }
  }

  async decrypt(context, wanted) {
    const agreement = wanted.key.keyAgreement
    if (!isBox(agreement, wanted.decryption)) return super.decrypt(context, wanted)
    const [box, mine] = [Uint8Array.from(wanted.encrypted), await this.#pair(context, agreement.keyId)]
    if (!agreement.externalPublicJwk) return { data: sodium.crypto_box_seal_open(box, mine.open, mine.secret) }
    return { data: sodium.crypto_box_open_easy(box, Uint8Array.from(wanted.decryption.iv), bytes(agreement.externalPublicJwk.x), mine.secret) }
  }
}
