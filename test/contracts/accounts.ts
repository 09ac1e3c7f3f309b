// What the tables of accounts and of login tokens promise on both databases.

import { test } from 'tap'
import type { Test } from 'tap'
import type { Database } from '../../lib/storage/database.js'
import { migrate } from '../../lib/storage/migrations.js'
import { hashNames } from '../../modules/accounts/hashing.js'
import type { ScramKeys } from '../../modules/accounts/scram-keys.js'
import { AccountStore } from '../../modules/accounts/store.js'
import { migrations } from '../../modules/accounts/tables.js'
import {
  migrations as tokenMigrations,
  type TokenRow,
  TokenStore,
} from '../../modules/authentication/fast-store.js'
import type { StoreKind } from './stores.js'

const HOST = 'capulet.example'

function key(hash: ScramKeys['hash'], fill = 1): ScramKeys {
  const bytes = (length: number): Buffer => Buffer.alloc(length, fill)
  return {
    hash,
    salt: bytes(16),
    iterations: 4096,
    storedKey: bytes(32),
    serverKey: bytes(32),
  }
}

const all = hashNames.map((hash) => key(hash))

export function accountsContract(kind: StoreKind): void {
  const opened = async (t: Test): Promise<{ database: Database; store: AccountStore }> => {
    const database = await (await kind.fresh()).open()
    t.teardown(() => database.close())
    await migrate(database, [
      { owner: 'accounts', migrations },
      { owner: 'authentication', migrations: tokenMigrations },
    ])
    return { database, store: new AccountStore(database, HOST) }
  }
  const row = (local: string, keys = all) => ({ local, skeleton: local, created: 5, keys })

  test(`${kind.name}: an account is found with its keys, by its host`, async (t) => {
    const { database, store } = await opened(t)
    const number = await store.create(row('romeo'), { force: false })
    const account = { number, local: 'romeo', disabled: false, created: 5 }
    t.strictSame(await store.find('romeo'), account)
    const found = await store.findWithKeys('romeo')
    t.strictSame(found?.account, account)
    t.strictSame(new Set(found?.keys), new Set(all))
    t.equal(await store.find('juliet'), undefined)
    t.equal(await store.findWithKeys('juliet'), undefined)
    t.equal(await new AccountStore(database, 'montague.example').find('romeo'), undefined)
    await store.create(row('keyless', []), { force: false })
    t.strictSame((await store.findWithKeys('keyless'))?.keys, [])
  })

  test(`${kind.name}: a name is taken once, also by many at the same time`, async (t) => {
    const { store } = await opened(t)
    const asked = Array.from({ length: 8 }, () => store.create(row('romeo'), { force: false }))
    const made = await Promise.all(asked)
    t.equal(made.filter((one) => typeof one === 'number').length, 1)
    t.equal(made.filter((one) => one === 'taken').length, 7)
    t.equal(await store.create(row('romeo'), { force: true }), 'taken')
  })

  test(`${kind.name}: names that look alike and names that were removed need force`, async (t) => {
    const { database, store } = await opened(t)
    await store.create(row('romeo'), { force: false })
    const alike = { ...row('r0meo'), skeleton: 'romeo' }
    t.equal(await store.create(alike, { force: false }), 'alike')
    t.equal(typeof (await store.create(alike, { force: true })), 'number')
    await database
      .knex('account_tombstones')
      .insert({ host: HOST, local: 'tybalt', number: 99, removed: 1 })
    t.equal(await store.create(row('tybalt'), { force: false }), 'removed')
    t.equal(typeof (await store.create(row('tybalt'), { force: true })), 'number')
  })

  test(`${kind.name}: a number is never given twice`, async (t) => {
    const { database, store } = await opened(t)
    const first = await store.create(row('romeo'), { force: false })
    await database.knex('accounts').delete()
    const second = await store.create(row('juliet'), { force: false })
    t.ok((second as number) > (first as number))
  })

  test(`${kind.name}: keys are replaced, or added while they are of the same password`, async (t) => {
    const { store } = await opened(t)
    const number = (await store.create(row('romeo', [key('SHA-1')]), {})) as number
    t.ok(await store.addKeys(number, key('SHA-1'), [key('SHA-256')]))
    t.same((await store.findWithKeys('romeo'))?.keys.length, 2)
    await store.replaceKeys(number, [key('SHA-1', 2), key('SHA-512', 2)])
    t.notOk(await store.addKeys(number, key('SHA-1'), [key('SHA-256')]), 'it has another password')
    const hashes = (await store.findWithKeys('romeo'))?.keys.map(({ hash }) => hash)
    t.same(hashes?.sort(), ['SHA-1', 'SHA-512'])
    t.ok(await store.addKeys(number, key('SHA-1', 2), [key('SHA-512', 3)]))
    const found = await store.findWithKeys('romeo')
    t.same(found?.keys.find(({ hash }) => hash === 'SHA-512')?.salt, Buffer.alloc(16, 3))
  })

  test(`${kind.name}: accounts that lack keys are known, those without any are not`, async (t) => {
    const { store } = await opened(t)
    await store.create(row('complete'), { force: false })
    await store.create(row('old', [key('SHA-1')]), {})
    await store.create(row('keyless', []), { force: false })
    t.strictSame([...(await store.lacking(hashNames, 10))], [['old', ['SHA-1']]])
    t.strictSame([...(await store.lacking(['SHA-512', 'SHA-256'], 10))], [])
    t.strictSame([...(await store.lacking(hashNames, 0))], [])
  })

  test(`${kind.name}: accounts are listed in pages and counted`, async (t) => {
    const { store } = await opened(t)
    for (let at = 0; at < 5; at++) await store.create(row(`name${at}`), { force: false })
    const first = await store.list({ after: 0, limit: 3, disabled: undefined })
    t.same(
      first.map(({ local }) => local),
      ['name0', 'name1', 'name2'],
    )
    const rest = await store.list({ after: first[2]!.number, limit: 3, disabled: undefined })
    t.equal(rest.length, 2)
    await store.disable(first[1]!.number, true)
    t.equal(await store.count(undefined), 5)
    t.equal(await store.count(true), 1)
    t.equal(await store.count(false), 4)
    const disabled = await store.list({ after: 0, limit: 3, disabled: true })
    t.strictSame(disabled, [{ ...first[1]!, disabled: true }])
  })

  test(`${kind.name}: the secret is made once`, async (t) => {
    const { database, store } = await opened(t)
    const made = await Promise.all([1, 2, 3].map((fill) => store.secret(Buffer.alloc(32, fill))))
    t.equal(new Set(made.map((secret) => secret.toString('hex'))).size, 1)
    t.strictSame(await store.secret(Buffer.alloc(32, 9)), made[0])
    const other = new AccountStore(database, 'montague.example')
    t.strictSame(await other.secret(Buffer.alloc(32, 9)), Buffer.alloc(32, 9))
  })

  test(`${kind.name}: login tokens are issued, promoted, counted, forgotten`, async (t) => {
    const { database } = await opened(t)
    const tokens = new TokenStore(database, Buffer.alloc(32))
    const token: TokenRow = {
      number: 1,
      agent: 'a',
      slot: 'new',
      mechanism: 'HT-SHA-256-NONE',
      seed: Buffer.alloc(16, 1),
      issued: 1e12,
      expires: 2e12,
      count: 0,
    }
    await tokens.issue(token)
    t.strictSame(await tokens.find(1, 'a'), [token])
    await tokens.promote(token)
    await tokens.issue({ ...token, seed: Buffer.alloc(16, 2) })
    t.equal((await tokens.find(1, 'a')).length, 2)
    const counted = await Promise.all([tokens.count(token, 7), tokens.count(token, 7)])
    t.same(counted.sort(), [false, true], 'one of two')
    t.notOk(await tokens.count(token, 6))
    await tokens.promote({ ...token, seed: Buffer.alloc(16, 2) })
    t.same(
      (await tokens.find(1, 'a')).map(({ seed }) => seed),
      [Buffer.alloc(16, 2)],
    )
    await tokens.invalidate({ ...token, seed: Buffer.alloc(16, 2) })
    t.same(await tokens.find(1, 'a'), [])
    await tokens.issue(token)
    await tokens.issue({ ...token, number: 2, expires: 3e12 })
    await tokens.expire(2e12 + 1)
    t.same(await tokens.find(1, 'a'), [])
    await tokens.forget(2)
    t.same(await tokens.find(2, 'a'), [])
  })
}
