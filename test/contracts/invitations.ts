// The contract of the store of invitations: a use is taken once, whoever else tries.

import { test, type Test } from 'tap'
import { InvitationStore, type NewInvitation } from '../../modules/registration/invitation-store.js'
import { migrations } from '../../modules/registration/tables.js'
import { migrate } from '../../lib/storage/migrations.js'
import type { StoreKind } from './stores.js'

const plain: NewInvitation = {
  hash: 'one',
  inviter: 7,
  madeBy: 'romeo@capulet.example',
  local: null,
  contact: true,
  uses: 1,
  created: 1000,
  expires: 2000,
}

export function invitationsContract({ name, fresh }: StoreKind): void {
  async function opened(t: Test) {
    const kind = await fresh()
    const database = await kind.open()
    t.teardown(() => database.close())
    await migrate(database, [{ owner: 'registration', migrations }])
    return { kind, database, store: new InvitationStore(database, 'capulet.example') }
  }

  test(`${name}: an invitation comes back as it was made`, async (t) => {
    const { store, database } = await opened(t)
    const id = await store.add(plain, 5)
    const { hash, ...seen } = plain
    t.same(await store.find(hash, 1500), { id, ...seen })
    t.same(await store.list(1500), [{ id, ...seen }])
    t.equal(await store.find('two', 1500), undefined)
    const elsewhere = new InvitationStore(database, 'montague.example')
    t.equal(await elsewhere.find(hash, 1500), undefined, 'not on another host')
    t.notOk(await elsewhere.remove(id!))
  })

  test(`${name}: it ends at its time, or never`, async (t) => {
    const { store } = await opened(t)
    await store.add(plain, 5)
    await store.add({ ...plain, hash: 'for ever', expires: null }, 5)
    t.ok(await store.find('one', 1999))
    t.notOk(await store.find('one', 2000))
    t.ok(await store.find('for ever', Number.MAX_SAFE_INTEGER))
    await store.removeExpired(2001)
    t.equal((await store.list(0)).length, 1)
  })

  test(`${name}: as many uses as it has, and no more at the same time`, async (t) => {
    const { store, database, kind } = await opened(t)
    const id = (await store.add({ ...plain, uses: 2 }, 5))!
    const other = await kind.open()
    t.teardown(() => other.close())
    const take = (from: typeof database) => from.transaction((trx) => store.take(trx, id))
    const taken = await Promise.all([database, other, database, other].map(take))
    t.equal(taken.filter(Boolean).length, 2)
    t.equal(await store.find('one', 1500), undefined)
  })

  test(`${name}: a use that comes to nothing is not used`, async (t) => {
    const { store, database } = await opened(t)
    const id = (await store.add(plain, 5))!
    const failing = database.transaction(async (trx) => {
      t.ok(await store.take(trx, id))
      throw new Error('no account')
    })
    await t.rejects(failing, { message: 'no account' })
    t.ok(await store.find('one', 1500))
  })

  test(`${name}: an inviter has only so many open ones`, async (t) => {
    const { store } = await opened(t)
    t.ok(await store.add(plain, 1))
    t.equal(await store.add({ ...plain, hash: 'two' }, 1), undefined)
    t.ok(await store.add({ ...plain, hash: 'two', created: 2000 }, 1), 'the first has expired')
    t.ok(await store.add({ ...plain, hash: 'three', inviter: null }, 0), 'the machine has no limit')
  })

  test(`${name}: a name is kept while its invitation is open`, async (t) => {
    const { store, database } = await opened(t)
    const id = await store.add({ ...plain, local: 'juliet' }, 5)
    const kept = (now: number, except?: number) =>
      store.isReserved(database.knex, { local: 'juliet', now, except })
    t.ok(await kept(1500))
    t.notOk(await kept(1500, id), 'but for whom it is kept')
    t.notOk(await kept(2000))
    t.notOk(await store.isReserved(database.knex, { local: 'romeo', now: 1500 }))
  })

  test(`${name}: an inviter who is gone leaves none`, async (t) => {
    const { store, database } = await opened(t)
    await store.add(plain, 5)
    await store.add({ ...plain, hash: 'two', inviter: 8 }, 5)
    await database.transaction((trx) => store.removeOf(trx, 7))
    t.same(
      (await store.list(1500)).map(({ inviter }) => inviter),
      [8],
    )
  })
}
