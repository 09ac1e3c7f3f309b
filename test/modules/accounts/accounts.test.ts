// Accounts as administrators and other modules see them.

import type { Test } from 'tap'
import { test } from 'tap'
import { defineModule } from '../../../lib/core/module.js'
import type { AccountsApi } from '../../../modules/accounts/accounts.js'
import { DOMAIN, type World, type WorldOptions, world } from '../../world/world.js'
import { until } from '../../world/until.js'

const ROMEO = `romeo@${DOMAIN}`

function api(w: World, node = 0): AccountsApi {
  const host = w.servers[node]!.hosts.get(DOMAIN)!
  return host.modules.get('accounts')!.offers.provides as AccountsApi
}

async function refusal(asked: Promise<unknown>): Promise<string | undefined> {
  return asked.then(
    () => undefined,
    (error) => error.condition,
  )
}

async function quiet(t: Test, options: WorldOptions = {}): Promise<World> {
  return world(t, { loggedIn: false, ...options })
}

test('an account is looked up at once when it was before', async (t) => {
  const w = await quiet(t)
  const accounts = api(w)
  t.match(await accounts.lookup('romeo'), { disabled: false, jid: { text: ROMEO } })
  t.notOk(accounts.lookup('romeo') instanceof Promise)
  t.equal(await accounts.lookup('mercutio'), undefined)
  t.equal(accounts.lookup('mercutio'), undefined, 'also that there is none')
  await accounts.create('mercutio')
  t.ok(await accounts.lookup('mercutio'), 'until there is one')
})

test('names are prepared, and what is no name is refused (RFC 7622 §3.3)', async (t) => {
  const accounts = api(await quiet(t))
  t.equal((await accounts.create('Mercutio')).jid.text, `mercutio@${DOMAIN}`)
  for (const name of ['', 'a@b', 'a/b', 'a b', '\0', 'x'.repeat(1024), 'MERCUTIO@', '@']) {
    t.equal(await refusal(accounts.create(name)), 'jid-malformed', JSON.stringify(name))
  }
  t.equal(await refusal(accounts.create('MERCUTIO')), 'conflict')
})

test('SEC-71: a name that looks like another is refused, unless an administrator wants it', async (t) => {
  const w = await quiet(t)
  const accounts = api(w)
  for (const name of ['rоmeo', 'r0meo', 'ｒｏｍｅｏ']) {
    t.equal(await refusal(accounts.create(name)), 'conflict', name)
  }
  const jid = `r0meo@${DOMAIN}`
  t.equal(await refusal(w.server.run(DOMAIN, 'user add', { jid, password: 'x' })), 'conflict')
  await w.server.run(DOMAIN, 'user add', { jid, password: 'x', force: true })
  t.ok(await accounts.lookup('r0meo'))
})

test('only keys are stored, of every hash, with a salt of their own (CRY-1)', async (t) => {
  const w = await quiet(t)
  const { knex } = w.server.database
  const keys = await knex('account_keys').select()
  t.equal(keys.length, 6)
  t.equal(new Set(keys.map(({ salt }) => salt.toString('hex'))).size, 6)
  for (const table of await knex.raw("select name from sqlite_master where type = 'table'")) {
    t.notMatch(JSON.stringify(await knex(table.name).select()), /secret of romeo/)
  }
})

test('a password is right or wrong, also beyond the accounts that there are', async (t) => {
  const { passwords } = api(await quiet(t))
  t.equal((await passwords.check('romeo', 'secret of romeo'))?.jid.text, ROMEO)
  t.equal(await passwords.check('romeo', 'secret of juliet'), undefined)
  t.equal(await passwords.check('romeo', ''), undefined)
  t.equal(await passwords.check('romeo', 'a\0b'), undefined)
  t.equal(await passwords.check('mercutio', 'secret of romeo'), undefined)
})

test('an account without keys lets nobody in', async (t) => {
  const accounts = api(await quiet(t))
  await accounts.create('mercutio')
  for (const password of ['', 'x', 'undefined']) {
    t.equal(await accounts.passwords.check('mercutio', password), undefined)
  }
})

test('a new password takes the place of the old one at once', async (t) => {
  const w = await quiet(t)
  const accounts = api(w)
  const changed: unknown[] = []
  const host = w.server.hosts.get(DOMAIN)!
  host.events.add('test', {
    'account:password-changed': ({ account, number }) => void changed.push([account.text, number]),
  })
  await accounts.passwords.check('romeo', 'secret of romeo')
  await accounts.setPassword('romeo', 'another')
  t.equal(await accounts.passwords.check('romeo', 'secret of romeo'), undefined)
  t.ok(await accounts.passwords.check('romeo', 'another'))
  t.same(changed, [[ROMEO, (await accounts.existing('romeo')).number]])
  t.equal(await refusal(accounts.setPassword('mercutio', 'x')), 'item-not-found')
  t.equal(await refusal(accounts.setPassword('romeo', 'short', { least: 8 })), 'not-acceptable')
})

test('CRY-2: keys with fewer rounds than today are made anew at the next login', async (t) => {
  const w = await quiet(t)
  const host = w.server.hosts.get(DOMAIN)!
  host.settings = { ...host.settings, passwordRounds: 50 }
  const { passwords } = api(w)
  await passwords.check('romeo', 'wrong')
  t.ok(await passwords.check('romeo', 'secret of romeo'))
  const rounds = async (): Promise<number> =>
    (await passwords.credentials('romeo')).keys('SHA-256').iterations
  await until(async () => (await rounds()) === 50)
  t.equal(await rounds(), 50)
  t.ok(await passwords.check('romeo', 'secret of romeo'))
  t.equal((await passwords.credentials('juliet')).keys('SHA-256').iterations, 1)
})

test('disabling ends the sessions and keeps the rest (XEP-0133 §4.3)', async (t) => {
  const w = await world(t, {})
  await w.server.run(DOMAIN, 'user disable', { jids: ROMEO })
  await w.settle()
  t.ok(w.romeo.streamError?.getChild('not-authorized'))
  t.notOk(w.juliet.closed)
  t.equal((await api(w).existing('romeo')).disabled, true)
  await t.rejects(w.device('romeo'), 'nothing is bound for it')
  await w.server.run(DOMAIN, 'user enable', { jids: ROMEO })
  t.ok(await w.device('romeo'))
})

test('SEC-28: a removed name is not given again, but by an administrator, with a new number', async (t) => {
  const w = await world(t, {})
  const accounts = api(w)
  const { number } = await accounts.existing('romeo')
  await w.server.run(DOMAIN, 'user remove', { jids: ROMEO })
  await w.settle()
  t.ok(w.romeo.streamError?.getChild('not-authorized'), 'XEP-0077 §3.2')
  t.equal(await accounts.lookup('romeo'), undefined)
  t.equal(await accounts.passwords.check('romeo', 'secret of romeo'), undefined)
  t.equal(await refusal(accounts.create('romeo')), 'conflict')
  const again = await accounts.create('romeo', { force: true })
  t.ok(again.number > number)
  t.equal(await accounts.passwords.check('romeo', 'secret of romeo'), undefined)
  await accounts.remove('romeo')
  t.equal(await refusal(accounts.create('romeo')), 'conflict')
})

interface Forgetful {
  asked: string[]
  failing: boolean
}

function forgetful(name: string, state: Forgetful) {
  return defineModule({
    name,
    summary: 'Keeps a note of every account',
    migrations: [
      {
        name: 'create notes',
        up: (schema) =>
          schema.createTable(`notes_${name}`, (table) => table.integer('number').primary()),
      },
    ],
    setup: (host) => ({
      on: {
        async 'account:created'({ number }) {
          await host.database.knex(`notes_${name}`).insert({ number })
        },
      },
      account: {
        async forget({ number, jid }, trx) {
          state.asked.push(jid.local)
          await trx(`notes_${name}`).where({ number }).delete()
          if (state.failing) throw new Error('not now')
        },
      },
    }),
  })
}

test('every module forgets a removed account; one that fails is asked again, the others are not', async (t) => {
  const [good, bad]: Forgetful[] = [
    { asked: [], failing: false },
    { asked: [], failing: true },
  ]
  const modules = [forgetful('good', good!), forgetful('bad', bad!)]
  const w = await quiet(t, { modules, mayFail: true })
  const { knex } = w.server.database
  await api(w).remove('romeo')
  t.equal((await knex('notes_good').select()).length, 1)
  t.equal((await knex('notes_bad').select()).length, 2, 'what failed was undone')
  t.equal((await knex('account_removals').select()).length, 1)
  bad!.failing = false
  const host = w.server.hosts.get(DOMAIN)!
  for (const task of host.modules.get('accounts')!.offers.tasks ?? []) await task.run()
  t.same([good!.asked, bad!.asked], [['romeo'], ['romeo', 'romeo']])
  t.equal((await knex('notes_bad').select()).length, 1)
  t.same(await knex('account_removals').select(), [])
  t.same(await knex('account_removal_steps').select(), [])
  t.equal((await knex('account_tombstones').select()).length, 1, 'for ever')
})

test('a removal that a crash interrupted is finished after the next start', async (t) => {
  const state: Forgetful = { asked: [], failing: true }
  const w = await quiet(t, { modules: [forgetful('keeper', state)], mayFail: true })
  await api(w).remove('romeo')
  state.failing = false
  const host = w.server.hosts.get(DOMAIN)!
  await host.events.emit('host:ready', { domain: DOMAIN })
  t.same(await w.server.database.knex('account_removals').select(), [])
  t.same(state.asked, ['romeo', 'romeo'])
})

test('on a cluster a change on one node is seen on the other at once', async (t) => {
  const w = await quiet(t, { nodes: 2 })
  const [one, other] = [api(w, 0), api(w, 1)]
  t.ok(await other.lookup('romeo'))
  t.ok(await other.passwords.check('romeo', 'secret of romeo'))
  await one.setPassword('romeo', 'another')
  t.equal(await other.passwords.check('romeo', 'secret of romeo'), undefined, 'at once')
  t.ok(await other.passwords.check('romeo', 'another'))
  t.equal(await other.lookup('tybalt'), undefined)
  await one.create('tybalt')
  t.ok(await other.lookup('tybalt'))
  t.notOk(other.lookup('tybalt') instanceof Promise, 'at hand')
  await one.remove('romeo')
  t.equal(await other.lookup('romeo'), undefined)
})

test('the commands: add, list, show, count, password', async (t) => {
  const w = await quiet(t)
  const run = (name: string, args: Record<string, unknown> = {}) => w.server.run(DOMAIN, name, args)
  const added = await run('user add', { jid: `nurse@${DOMAIN}` })
  const made = added.rows?.[0]?.password as string
  t.equal(made.length, 20, 'a password is made where none is given')
  t.equal((await api(w).passwords.check('nurse', made))?.jid.local, 'nurse')
  const given = await run('user password', {
    jid: `nurse@${DOMAIN}`,
    password: 'hold, take these keys',
  })
  t.equal(given.rows, undefined, 'one that was given is not shown')
  t.same((await run('user count')).rows, [{ registeredusersnum: 3 }])
  const page = (await run('user list', { limit: '2' })).rows!
  t.same(
    page.map(({ jid }) => jid),
    [ROMEO, `juliet@${DOMAIN}`],
  )
  const rest = (await run('user list', { after: page[1]!.number })).rows!
  t.same(
    rest.map(({ jid }) => jid),
    [`nurse@${DOMAIN}`],
  )
  await run('user disable', { jids: [ROMEO, `nurse@${DOMAIN}`] })
  t.equal((await run('user disabled')).rows?.length, 2)
  t.same((await run('user count-disabled')).rows, [{ disabledusersnum: 2 }])
  t.match((await run('user show', { jid: ROMEO })).rows?.[0], { disabled: true, resources: [] })
})

test('a list of accounts is looked at as a whole before anything happens to one', async (t) => {
  const w = await quiet(t)
  const jids = [ROMEO, `mercutio@${DOMAIN}`]
  t.equal(await refusal(w.server.run(DOMAIN, 'user remove', { jids })), 'item-not-found')
  t.ok(await api(w).lookup('romeo'))
  for (const jid of ['romeo@montague.example', DOMAIN, `${ROMEO}/phone`]) {
    t.equal(await refusal(w.server.run(DOMAIN, 'user show', { jid })), 'item-not-found', jid)
  }
})

test('no command takes a password in the open', async (t) => {
  const w = await quiet(t)
  for (const command of w.server.commands(DOMAIN)) {
    for (const [name, parameter] of Object.entries(command.parameters)) {
      if (/password/.test(name))
        t.ok(parameter.kind === 'secret' && !parameter.positional, command.name)
    }
  }
})
