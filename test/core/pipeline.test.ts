// The five phases: what each may do, and what happens when a handler breaks.

import { test } from 'tap'
import {
  type Handled,
  handled,
  type Passage,
  type Phase,
  type StanzaHook,
  phases,
  Pipeline,
} from '../../lib/core/pipeline.js'
import { xml } from '../../lib/xmpp/element.js'
import { Envelope } from '../../lib/xmpp/envelope.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { Jid } from '../../lib/xmpp/jid.js'
import { Stanza } from '../../lib/xmpp/stanza.js'

const romeo = Jid.parse('romeo@capulet.example/phone')
const message = new Envelope({
  stanza: Stanza.of(xml('message', { id: '1' })),
  from: romeo,
  to: romeo.bare,
  origin: 'client',
  arrived: 0,
})
const passage = { account: romeo.bare, delivered: [] } as unknown as Passage
const never = (owner: string, error: unknown): never => {
  throw new Error(`${owner}: ${error}`)
}
const later = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Every phase says that it ran. */
function recording(
  pipeline: Pipeline,
  ran: string[],
  owner: string,
  hook: StanzaHook = 'message:sent',
): void {
  const note = (phase: Phase) => () => void ran.push(`${owner} ${phase}`)
  pipeline.add(owner, {
    [hook]: {
      copy: note('copy'),
      deliver: note('deliver'),
      record: note('record'),
      amend: note('amend'),
      admit: note('admit'),
    },
  })
}

test('admit, amend and record run in that order, before deliver and copy, whoever was added first', async (t) => {
  const pipeline = new Pipeline()
  const ran: string[] = []
  recording(pipeline, ran, 'a')
  recording(pipeline, ran, 'b')
  t.equal(pipeline.prepare('message:sent', message, passage), message)
  pipeline.deliver('message:sent', message, passage)
  pipeline.copy('message:sent', message, passage, never)
  t.same(
    ran,
    phases.flatMap((phase) => [`a ${phase}`, `b ${phase}`]),
  )
})

test('order within a phase is what the shuffle makes of it', async (t) => {
  const pipeline = new Pipeline((list) => list.reverse())
  const ran: string[] = []
  for (const owner of ['a', 'b', 'c']) recording(pipeline, ran, owner)
  pipeline.prepare('message:sent', message, passage)
  t.same(ran.slice(0, 3), ['c admit', 'a admit', 'b admit'])
})

test('what is synchronous stays so: no promise is made', async (t) => {
  const pipeline = new Pipeline()
  const ran: string[] = []
  recording(pipeline, ran, 'a')
  recording(pipeline, ran, 'b')
  const original = globalThis.Promise
  let made = 0
  globalThis.Promise = class<T> extends original<T> {
    constructor(executor: ConstructorParameters<typeof original<T>>[0]) {
      super(executor)
      made++
    }
  } as PromiseConstructor
  try {
    t.equal(pipeline.prepare('message:sent', message, passage), message)
    t.equal(pipeline.deliver('message:sent', message, passage), undefined)
    t.equal(pipeline.copy('message:sent', message, passage, never), undefined)
    t.equal(pipeline.prepare('iq:sent', message, passage), message, 'nor where nobody listens')
  } finally {
    globalThis.Promise = original
  }
  t.equal(made, 0)
  t.equal(ran.length, 10)
})

test('a handler that waits holds those after it, also in the next phase', async (t) => {
  const pipeline = new Pipeline()
  const ran: string[] = []
  pipeline.add('slow', {
    'message:sent': {
      async admit() {
        await later()
        ran.push('slow')
      },
    },
  })
  recording(pipeline, ran, 'quick')
  const result = pipeline.prepare('message:sent', message, passage)
  t.ok(result instanceof Promise)
  t.same(ran, [])
  t.equal(await result, message)
  t.same(ran, ['slow', 'quick admit', 'quick amend', 'quick record'])
})

for (const [name, say] of [
  ['at once', (): Handled => handled],
  ['later', async (): Promise<Handled> => handled],
] as const) {
  test(`handled by admit ${name} ends the run`, async (t) => {
    const pipeline = new Pipeline()
    const ran: string[] = []
    pipeline.add('first', { 'message:sent': { admit: say } })
    recording(pipeline, ran, 'a')
    t.equal(await pipeline.prepare('message:sent', message, passage), handled)
    t.same(ran, [])
  })

  test(`handled by deliver ${name} keeps the stanza from everybody after`, async (t) => {
    const pipeline = new Pipeline()
    const ran: string[] = []
    pipeline.add('first', { 'message:sent': { deliver: say } })
    recording(pipeline, ran, 'a')
    t.equal(await pipeline.deliver('message:sent', message, passage), handled)
    t.same(ran, [])
  })
}

test('amend changes the envelope for those after it, at once or later', async (t) => {
  const pipeline = new Pipeline()
  const seen: string[] = []
  const id = (to: string) => (envelope: Envelope) =>
    envelope.with({ stanza: envelope.stanza.with({ id: envelope.stanza.id + to }) })
  pipeline.add('now', { 'message:sent': { amend: id('2') } })
  pipeline.add('later', { 'message:sent': { amend: async (envelope) => id('3')(envelope) } })
  pipeline.add('nothing', { 'message:sent': { amend: () => undefined } })
  pipeline.add('record', {
    'message:sent': { record: ({ stanza }) => void seen.push(stanza.id) },
  })
  const result = await pipeline.prepare('message:sent', message, passage)
  t.equal(result !== handled && result.stanza.id, '123')
  t.same(seen, ['123'])
  t.equal(message.stanza.id, '1', 'the original is as it was')
})

for (const phase of ['admit', 'amend', 'record', 'deliver'] as const) {
  test(`a refusal in ${phase}, thrown or rejected, ends the run`, async (t) => {
    for (const refuse of [
      () => {
        throw new StanzaError('policy-violation')
      },
      () => Promise.reject(new StanzaError('policy-violation')),
    ]) {
      const pipeline = new Pipeline()
      const ran: string[] = []
      pipeline.add('strict', { 'message:sent': { [phase]: refuse } })
      recording(pipeline, ran, 'a')
      const run = async () =>
        phase === 'deliver'
          ? await pipeline.deliver('message:sent', message, passage)
          : await pipeline.prepare('message:sent', message, passage)
      await t.rejects(run(), /^policy-violation$/)
      const after = phases.slice(phases.indexOf(phase))
      t.same(
        ran.filter((line) => after.some((late) => line.endsWith(late))),
        [],
      )
    }
  })
}

test('a copy that fails, at once or later, is told to the log and stops no other', async (t) => {
  const pipeline = new Pipeline()
  const ran: string[] = []
  const failed: string[] = []
  pipeline.add('throws', {
    'message:sent': {
      copy() {
        throw new Error('one')
      },
    },
  })
  pipeline.add('rejects', {
    'message:sent': {
      async copy() {
        throw new Error('two')
      },
    },
  })
  recording(pipeline, ran, 'a')
  await pipeline.copy('message:sent', message, passage, (owner, error) =>
    failed.push(`${owner}: ${(error as Error).message}`),
  )
  t.same(ran, ['a copy'])
  t.same(failed, ['throws: one', 'rejects: two'])
})

test('who is removed while a run is under way is still part of that run, and of none after', async (t) => {
  const pipeline = new Pipeline()
  const ran: string[] = []
  pipeline.add('slow', { 'message:sent': { admit: later } })
  pipeline.add('leaving', { 'message:sent': { admit: () => void ran.push('leaving') } })
  const result = pipeline.prepare('message:sent', message, passage)
  pipeline.remove('leaving')
  await result
  t.same(ran, ['leaving'])
  await pipeline.prepare('message:sent', message, passage)
  t.same(ran, ['leaving'])
})

test('where nobody is left a hook is empty', async (t) => {
  const pipeline = new Pipeline()
  t.notOk(pipeline.has('message:sent'))
  recording(pipeline, [], 'a')
  t.ok(pipeline.has('message:sent'))
  t.same(
    pipeline.handlers('message:sent', 'admit').map(({ owner }) => owner),
    ['a'],
  )
  pipeline.remove('a')
  t.notOk(pipeline.has('message:sent'))
})

test('what is written to a session goes through all of session:write at once', async (t) => {
  const pipeline = new Pipeline()
  t.equal(pipeline.write(message, passage), message)
  const ran: string[] = []
  recording(pipeline, ran, 'a', 'session:write')
  t.equal(pipeline.write(message, passage), message)
  t.same(ran, ['a admit', 'a amend', 'a record', 'a deliver'])
  pipeline.add('keeps', { 'session:write': { deliver: () => handled } })
  t.equal(pipeline.write(message, passage), handled)
  pipeline.remove('keeps')
  pipeline.add('leaves out', { 'session:write': { admit: () => handled } })
  ran.length = 0
  t.equal(pipeline.write(message, passage), handled)
  t.notOk(ran.includes('a deliver'))
  pipeline.remove('leaves out')
  pipeline.add('late', { 'session:write': { deliver: async () => undefined } })
  const later = pipeline.write(message, passage)
  t.ok(later instanceof Promise, 'whoever calls sees that it waits')
  t.equal(await later, message)
})
