// What an agent keeps, in memory: Credo's own stores need native code.
import { InjectionSymbols, JsonTransformer, Kms, RecordDuplicateError, RecordNotFoundError, StorageVersionRecord } from '@credo-ts/core'
import { NodeInMemoryKeyManagementStorage } from '@credo-ts/node'
import { Keys } from './keys.mjs'

// fits tells whether a record's tags answer a query: every member equal, lists contained,
// with $and, $or and $not around them.
function fits(tags, query) {
  return Object.entries(query).every(([name, wanted]) => {
    if (wanted === undefined) return true
    if (name === '$and') return wanted.every((q) => fits(tags, q))
    if (name === '$or') return wanted.some((q) => fits(tags, q))
    if (name === '$not') return !fits(tags, wanted)
    if (Array.isArray(wanted)) return Array.isArray(tags[name]) && wanted.every((w) => tags[name].includes(w))
    return tags[name] === wanted
  })
}

class Records {
  supportsCursorPagination = false
  #rows = new Map()

  constructor() { // or the agent takes what it finds for something older, and wants it updated
    this.#write(new StorageVersionRecord({ storageVersion: StorageVersionRecord.frameworkStorageVersion }), true)
  }
  #write(record, isNew) {
    const { id, type } = record
    if (isNew && this.#rows.has(id)) throw new RecordDuplicateError(`record ${id} is there`, { recordType: type })
    if (!isNew) this.#row(id, type)
    record.updatedAt = new Date()
    const { _tags, ...value } = JsonTransformer.toJSON(record)
    this.#rows.set(id, { id, type, value, tags: record.getTags() })
  }
  #row(id, type) {
    const row = this.#rows.get(id)
    if (!row) throw new RecordNotFoundError(`no record ${id}`, { recordType: type })
    return row
  }
  #read(row, Kind) {
    const record = JsonTransformer.fromJSON(structuredClone(row.value), Kind)
    record.id = row.id
    record.replaceTags(row.tags)
    return record
  }
  async save(_, record) { this.#write(record, true) }
  async update(_, record) { this.#write(record, false) }
  async delete(_, record) { this.#row(record.id, record.type); this.#rows.delete(record.id) }
  async deleteById(_, Kind, id) { this.#row(id, Kind.type); this.#rows.delete(id) }
  async getById(_, Kind, id) { return this.#read(this.#row(id, Kind.type), Kind) }
  async getAll(context, Kind) { return this.findByQuery(context, Kind, {}) }
  async findByQuery(_, Kind, query, { offset = 0, limit = Infinity } = {}) {
    const rows = [...this.#rows.values()].filter((row) => row.type === Kind.type && fits(row.tags, query))
    return rows.slice(offset, offset + limit).map((row) => this.#read(row, Kind))
  }
}

// Memory gives one agent its records and keys.
export class Memory {
  #records = new Records()
  register(dependencies) {
    dependencies.registerInstance(InjectionSymbols.StorageService, this.#records)
    dependencies.resolve(Kms.KeyManagementModuleConfig).registerBackend(new Keys(new NodeInMemoryKeyManagementStorage()))
  }
}
