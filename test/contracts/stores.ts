// What both databases promise alike. Each suite takes a name and a factory of fresh stores; a store
// can be opened several times, as by several nodes.

import type { Database } from '../../lib/storage/database.js'

export interface FreshStore {
  open(): Promise<Database>
}

export interface StoreKind {
  readonly name: string
  fresh(): Promise<FreshStore>
}
