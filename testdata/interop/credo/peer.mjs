// Agents of Credo-TS, driven over standard input and output: one request a line, each
// answered with one line that has its id. See peer_test.go.
import { createInterface } from 'node:readline'
import { createServer } from 'node:net'
import { JsonTransformer } from '@credo-ts/core'
import * as DidComm from '@credo-ts/didcomm'
import { newAgent, newKey } from './agent.mjs'

const agents = new Map()
const patience = 20_000
const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\n')
console.log = console.info = console.warn = console.debug = console.error // standard output is for answers

// freePort finds a port that nothing listens at.
const freePort = () => new Promise((resolve, reject) => {
  const probe = createServer().once('error', reject)
  probe.listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => resolve(port)) })
})

// Watched keeps what happens to an agent, and lets until wait for it.
class Watched {
  #happened = []
  #waiting = []
  note(kind, state, record = {}) {
    this.#happened.push({ kind, state, id: record.id, error: record.errorMessage, record })
    this.#waiting = this.#waiting.filter((look) => !look())
  }
  watch(agent) {
    const note = this.note.bind(this)
    const on = (type, f) => agent.events.on(type, ({ payload }) => f(payload))
    on(DidComm.DidCommConnectionEventTypes.DidCommConnectionStateChanged, (p) => note('connection', p.connectionRecord.state, p.connectionRecord))
    on(DidComm.DidCommConnectionEventTypes.DidCommConnectionDidRotated, (p) => note('rotation', p.theirDid ? 'theirs' : 'ours', p))
    on(DidComm.DidCommCredentialEventTypes.DidCommCredentialStateChanged, (p) => note('credential', p.credentialExchangeRecord.state, p.credentialExchangeRecord))
    on(DidComm.DidCommProofEventTypes.ProofStateChanged, (p) => note('proof', p.proofRecord.state, p.proofRecord))
    on(DidComm.DidCommTrustPingEventTypes.DidCommTrustPingResponseReceivedEvent, () => note('ping', 'answered'))
    on(DidComm.DidCommBasicMessageEventTypes.DidCommBasicMessageStateChanged, (p) => note('text', p.basicMessageRecord.role, p.basicMessageRecord))
  }
  // until returns what happened to an exchange of a kind when it came to a state, once. An
  // exchange that failed meanwhile is an error, unless that is what is waited for.
  until(kind, state) {
    return new Promise((resolve, reject) => {
      const seen = () => this.#happened.map((h) => `${h.kind} ${h.state}`).join(', ')
      const late = setTimeout(() => reject(new Error(`${kind} never was ${state} but: ${seen()}`)), patience)
      const settle = (f, value) => { clearTimeout(late); f(value); return true }
      const look = () => {
        const at = this.#happened.findIndex((h) => h.kind === kind && h.state === state)
        if (at >= 0) return settle(resolve, this.#happened.splice(at, 1)[0])
        const failed = this.#happened.find((h) => h.kind === kind && h.error)
        return failed ? settle(reject, new Error(`${kind} is ${failed.state}: ${failed.error}`)) : false
      }
      if (!look()) this.#waiting.push(look)
    })
  }
}

const operations = {
  // open starts an agent that makes did:peer DIDs of one numalgo. With a mediator it has no
  // address of its own.
  async open({ name, numalgo, mediator }) {
    const watched = new Watched()
    const complain = (text) => watched.note('complaint', /Failed to validate credential/.test(text) ? 'not verified' : text)
    const agent = await newAgent({ port: await freePort(), numalgo, mediator, complain })
    watched.watch(agent)
    agents.set(name, { agent, watched })
    return { did: await newKey(agent) }
  },
  // answer answers an invitation and returns once connected.
  async answer({ name, link }) {
    const own = agents.get(name)
    const { connectionRecord } = await own.agent.didcomm.oob.receiveInvitationFromUrl(link, { label: name })
    const connected = await own.agent.didcomm.connections.returnWhenIsConnected(connectionRecord.id, { timeoutMs: patience })
    own.connection = connected.id
    return { state: connected.state, did: connected.did, protocol: connected.protocol }
  },
  // invite makes an invitation, in the form of RFC 0160 if it is to be old.
  async invite({ name, handshake, old }) {
    const { oob } = agents.get(name).agent.didcomm
    const domain = 'http://127.0.0.1'
    if (old) return { link: (await oob.createLegacyInvitation({ label: name })).invitation.toUrl({ domain }) }
    return { link: (await oob.createInvitation({ label: name, handshakeProtocols: [handshake] })).outOfBandInvitation.toUrl({ domain }) }
  },
  // connected waits until the invitation has been answered.
  async connected({ name }) {
    const own = agents.get(name)
    const { id, record } = await own.watched.until('connection', 'completed')
    own.connection = id
    return { state: record.state, did: record.did, protocol: record.protocol }
  },

  // As holder: propose asks for a credential.
  async propose({ name, credential, options }) {
    const { agent, connection } = agents.get(name)
    await agent.didcomm.credentials.proposeCredential({ connectionId: connection, protocolVersion: 'v2', credentialFormats: { jsonld: { credential, options } } })
    return {}
  },
  // accept waits for an offer and accepts it; the agent takes what comes if it is good.
  async accept({ name }) {
    const { agent, watched } = agents.get(name)
    const { id } = await watched.until('credential', 'offer-received')
    await agent.didcomm.credentials.acceptOffer({ credentialExchangeRecordId: id, autoAcceptCredential: DidComm.DidCommAutoAcceptCredential.Always })
    return {}
  },
  // taken waits until the credential has been verified and stored, and returns it.
  async taken({ name }) {
    const { agent, watched } = agents.get(name)
    await watched.until('credential', 'done')
    const [held] = await agent.w3cCredentials.getAll()
    return { credential: held.firstCredential.toJson?.() ?? JsonTransformer.toJSON(held.firstCredential) }
  },
  // propose_proof proposes to show what a definition asks for.
  async propose_proof({ name, definition }) {
    const { agent, connection } = agents.get(name)
    await agent.didcomm.proofs.proposeProof({ connectionId: connection, protocolVersion: 'v2', proofFormats: { presentationExchange: { presentationDefinition: definition } } })
    return {}
  },
  // presented waits until what was asked for has been shown and acknowledged.
  async presented({ name }) {
    await agents.get(name).watched.until('proof', 'done')
    return {}
  },

  // As issuer: offer offers a credential, which is issued to whoever accepts it.
  async offer({ name, credential, options }) {
    const { agent, connection } = agents.get(name)
    await agent.didcomm.credentials.offerCredential({ connectionId: connection, protocolVersion: 'v2',
      autoAcceptCredential: DidComm.DidCommAutoAcceptCredential.Always, credentialFormats: { jsonld: { credential, options } } })
    return {}
  },
  // issued waits until the holder has acknowledged it.
  async issued({ name }) {
    await agents.get(name).watched.until('credential', 'done')
    return {}
  },
  // ask asks for a presentation.
  async ask({ name, definition }) {
    const { agent, connection } = agents.get(name)
    await agent.didcomm.proofs.requestProof({ connectionId: connection, protocolVersion: 'v2', proofFormats: { presentationExchange: { presentationDefinition: definition } } })
    return {}
  },
  // verified waits until a presentation has been verified and acknowledged.
  async verified({ name }) {
    const { record } = await agents.get(name).watched.until('proof', 'done')
    return { verified: record.isVerified === true }
  },
  // refused waits until the agent would not take a credential, and returns how many it has.
  async refused({ name }) {
    const { agent, watched } = agents.get(name)
    await watched.until('complaint', 'not verified')
    return { held: (await agent.w3cCredentials.getAll()).length }
  },
  // abandoned waits until an exchange has ended badly.
  async abandoned({ name, kind }) {
    await agents.get(name).watched.until(kind, 'abandoned')
    return {}
  },

  // ping asks whether the peer is there, and waits until it says so.
  async ping({ name }) {
    const { agent, connection, watched } = agents.get(name)
    await agent.didcomm.connections.sendPing(connection, { responseRequested: true })
    await watched.until('ping', 'answered')
    return {}
  },
  // features asks the peer what it can do.
  async features({ name, version, match }) {
    const { agent, connection } = agents.get(name)
    const { features } = await agent.didcomm.discovery.queryFeatures({ connectionId: connection, protocolVersion: version,
      queries: [{ featureType: 'protocol', match }], awaitDisclosures: true })
    return { ids: (features ?? []).map((f) => f.id) }
  },
  // say writes a text, and hear waits for one.
  async say({ name, text }) {
    const { agent, connection } = agents.get(name)
    await agent.didcomm.basicMessages.sendMessage(connection, text)
    return {}
  },
  async hear({ name }) {
    const { record } = await agents.get(name).watched.until('text', 'receiver')
    return { text: record.content }
  },
  // rotate goes by another DID; rotated waits until the peer has done so.
  async rotate({ name }) {
    const { agent, connection } = agents.get(name)
    const { newDid } = await agent.didcomm.connections.rotate({ connectionId: connection })
    await agents.get(name).watched.until('rotation', 'ours')
    return { did: newDid }
  },
  async rotated({ name }) {
    await agents.get(name).watched.until('rotation', 'theirs')
    return {}
  },
  async close({ name }) {
    await agents.get(name).agent.shutdown()
    agents.delete(name)
    return {}
  },
}

process.on('unhandledRejection', (e) => console.error('credo:', e?.message ?? e))
for await (const line of createInterface({ input: process.stdin })) {
  const { id, operation, ...request } = JSON.parse(line)
  operations[operation](request).then((value) => say({ id, ok: true, value }), (e) => say({ id, ok: false, error: String(e?.cause ? `${e.message}: ${e.cause.message}` : e?.message ?? e) }))
}
process.exit(0)
