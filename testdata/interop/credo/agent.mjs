// An agent of Credo-TS in memory, with the protocols and formats that it has of its own.
import 'reflect-metadata'
import { Agent, BaseLogger, CacheModule, InMemoryLruCache, LogLevel, PeerDidNumAlgo, W3cCredentialsModule } from '@credo-ts/core'
import * as DidComm from '@credo-ts/didcomm'
import { agentDependencies, DidCommHttpInboundTransport } from '@credo-ts/node'
import express from 'express'
import { Memory } from './store.mjs'

const numalgos = { 1: PeerDidNumAlgo.GenesisDoc, 2: PeerDidNumAlgo.MultipleInceptionKeyWithoutDoc, 4: PeerDidNumAlgo.ShortFormAndLongForm }

// loopback is an HTTP server for the agent's transport, which would listen everywhere.
function loopback() {
  const app = express()
  const everywhere = app.listen.bind(app)
  app.listen = (port) => everywhere(port, '127.0.0.1')
  return app
}

// Complaints hands on what an agent logs as an error, which is all that it does about a
// credential that does not verify.
class Complaints extends BaseLogger {
  #hear
  constructor(hear) {
    super(LogLevel.error)
    this.#hear = hear
  }
  error(message, data) { this.#hear(`${message}: ${data?.error?.message ?? data?.message ?? ''}`) }
  fatal(message, data) { this.error(message, data) }
  trace() {}
  test() {}
  debug() {}
  info() {}
  warn() {}
}

// reached says how messages come to an agent: at its own port or, if it has none, through
// the mediator that the link invites to.
function reached(port, mediator) {
  if (!mediator) return { endpoints: [`http://127.0.0.1:${port}`], inbound: [new DidCommHttpInboundTransport({ app: loopback(), port })] }
  const strategy = { live: DidComm.DidCommMediatorPickupStrategy.PickUpV2LiveMode, poll: DidComm.DidCommMediatorPickupStrategy.PickUpV2 }[mediator.pickup]
  return { endpoints: [], inbound: [], mediationRecipient: { mediatorInvitationUrl: mediator.link, mediatorPickupStrategy: strategy, mediatorPollingInterval: 200 } }
}

export async function newAgent({ port, numalgo, mediator, complain }) {
  const { endpoints, inbound, mediationRecipient } = reached(port, mediator)
  const agent = new Agent({
    config: { logger: new Complaints(complain) },
    dependencies: agentDependencies,
    modules: {
      memory: new Memory(),
      cache: new CacheModule({ cache: new InMemoryLruCache({ limit: 100 }) }),
      w3cCredentials: new W3cCredentialsModule({}),
      didcomm: new DidComm.DidCommModule({
        endpoints,
        transports: { inbound, outbound: [new DidComm.DidCommHttpOutboundTransport(), new DidComm.DidCommWsOutboundTransport()] },
        mediationRecipient,
        connections: { autoAcceptConnections: true, peerNumAlgoForDidExchangeRequests: numalgos[numalgo] },
        credentials: {
          autoAcceptCredentials: DidComm.DidCommAutoAcceptCredential.Never,
          credentialProtocols: [new DidComm.DidCommCredentialV2Protocol({ credentialFormats: [new DidComm.DidCommJsonLdCredentialFormatService()] })],
        },
        proofs: {
          autoAcceptProofs: DidComm.DidCommAutoAcceptProof.Always,
          proofProtocols: [new DidComm.DidCommProofV2Protocol({ proofFormats: [new DidComm.DidCommDifPresentationExchangeProofFormatService()] })],
        },
      }),
    },
  })
  await agent.initialize()
  return agent
}

// newKey makes the did:key that the agent holds credentials with.
export async function newKey(agent) {
  const { didState } = await agent.dids.create({ method: 'key', options: { createKey: { type: { kty: 'OKP', crv: 'Ed25519' } } } })
  if (didState.state !== 'finished') throw new Error(`did:key: ${didState.reason}`)
  return didState.did
}
