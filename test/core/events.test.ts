// Things that happened: everybody hears, nobody can stop them.

import { test } from 'tap'
import { EventHub } from '../../lib/core/events.js'

test('every listener of an event hears it, of other events nobody', async (t) => {
  const hub = new EventHub(() => t.fail('nobody fails'))
  const heard: string[] = []
  hub.add('a', { 'host:ready': ({ domain }) => void heard.push(`a ${domain}`) })
  hub.add('b', { 'host:ready': ({ domain }) => void heard.push(`b ${domain}`) })
  hub.add('c', { 'host:closing': () => void heard.push('c') })
  t.equal(hub.emit('host:ready', { domain: 'capulet.example' }), undefined, 'nobody to wait for')
  t.same(heard, ['a capulet.example', 'b capulet.example'])
})

test('who waits for an event waits for every listener', async (t) => {
  const hub = new EventHub(() => t.fail('nobody fails'))
  let done = 0
  const slow = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    done++
  }
  hub.add('a', { 'host:ready': slow })
  hub.add('b', { 'host:ready': slow })
  await hub.emit('host:ready', { domain: 'capulet.example' })
  t.equal(done, 2)
})

test('a listener that fails, at once or later, is named in the log and stops no other', async (t) => {
  const failed: string[] = []
  const hub = new EventHub((owner, error) => failed.push(`${owner} ${(error as Error).message}`))
  let heard = 0
  hub.add('throws', {
    'host:ready'() {
      throw new Error('one')
    },
  })
  hub.add('rejects', {
    async 'host:ready'() {
      throw new Error('two')
    },
  })
  hub.add('hears', { 'host:ready': () => void heard++ })
  await hub.emit('host:ready', { domain: 'capulet.example' })
  t.same(failed, ['throws one', 'rejects two'])
  t.equal(heard, 1)
})

test('a listener that is removed hears no more; others do', async (t) => {
  const hub = new EventHub(() => t.fail('nobody fails'))
  const heard: string[] = []
  hub.add('a', { 'host:ready': () => void heard.push('a') })
  hub.add('b', { 'host:ready': () => void heard.push('b') })
  hub.remove('a')
  hub.emit('host:ready', { domain: 'capulet.example' })
  t.same(heard, ['b'])
})

test('a listener that removes another during an event does not keep it from this one', async (t) => {
  const hub = new EventHub(() => t.fail('nobody fails'))
  const heard: string[] = []
  hub.add('a', { 'host:ready': () => hub.remove('b') })
  hub.add('b', { 'host:ready': () => void heard.push('b') })
  hub.emit('host:ready', { domain: 'capulet.example' })
  hub.emit('host:ready', { domain: 'capulet.example' })
  t.same(heard, ['b'])
})
